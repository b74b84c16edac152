//! Secrets that other clients delete and change, one after the other.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use portal_simulator::Endpoint;
use serde_json::json;

use crate::figures::{Figures, float};
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::users::{fill, names};

pub async fn run(settings: &Settings) -> Figures {
    let place = Place::start(settings, Conditions::OPEN).await;
    let _watch = fill(&place, settings.users, &usual()).await;
    let api = place.secrets_api();
    let some = names("user", settings.users.min(100));
    let mut originals = Vec::new();
    for name in &some {
        originals.push(api.get(name).await.unwrap());
    }
    let secrets =
        watcher::watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects();
    let mut secrets = pin!(secrets.filter_map(async |secret| secret.ok()));
    let meter = Meter::start(&place).await;
    let (mut deleted, mut changed) = (Vec::new(), Vec::new());
    for original in &originals {
        deleted.push(healed(&mut secrets, original, delete(&api, &original.name_any())).await);
        changed.push(healed(&mut secrets, original, change(&api, &original.name_any())).await);
    }
    let reading = meter.read(&place).await;
    let healed = float(deleted.len() + changed.len());
    let mut figures = Figures::default();
    figures.count("users", "users", settings.users);
    figures.add("Secrets deleted, and Secrets changed", "each", healed / 2.0);
    figures.distribution("Secret deleted to written again", &deleted);
    figures.distribution("Secret changed to restored", &changed);
    reading.add_calls(&mut figures, "repair", healed);
    reading.add_processors(&mut figures, "repair", healed);
    figures.count("users created by repairs", "users", reading.called(Endpoint::Create));
    figures
}

async fn delete(api: &Api<Secret>, name: &str) {
    api.delete(name, &DeleteParams::default()).await.unwrap();
}

async fn change(api: &Api<Secret>, name: &str) {
    let patch = Patch::Merge(json!({"stringData": {"client-secret": "changed"}}));
    api.patch(name, &PatchParams::default(), &patch).await.unwrap();
}

/// Damages a Secret, and waits until a watch shows it as it was, as another version. Returns the time since the damage was sent.
async fn healed(
    secrets: &mut (impl Stream<Item = Secret> + Unpin),
    original: &Secret,
    damage: impl Future<Output = ()>,
) -> Duration {
    let sent = Instant::now();
    damage.await;
    // The watch still has what was there before: only a version that the watch shows after the damage counts.
    let mut damaged = false;
    while let Some(secret) = secrets.next().await {
        if secret.name_any() != original.name_any() {
            continue;
        }
        damaged |= secret.data != original.data || secret.uid() != original.uid();
        if damaged && secret.data == original.data {
            return sent.elapsed();
        }
    }
    panic!("the watch of the Secrets ended");
}
