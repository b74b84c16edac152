//! A restart in a namespace that has many large Secrets of others.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};

use crate::figures::Figures;
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::usage::memory;
use crate::users::{all, fill, names};

/// The size of each of them, in bytes. The apiserver accepts 1 MiB.
const SIZE: usize = 250_000;

pub async fn run(settings: &Settings) -> Figures {
    let resync = Some(settings.resync);
    let mut place = Place::start(settings, Conditions { resync, ..Conditions::OPEN }).await;
    let _watch = fill(&place, settings.users, &usual()).await;
    let without = restart(&mut place).await;
    let api = place.secrets_api();
    all(names("foreign", settings.foreign).iter().map(|name| create(&api, name))).await;
    let meter = Meter::start(&place).await;
    let with = restart(&mut place).await;
    let reading = meter.read(&place).await;
    let mut figures = Figures::default();
    figures.count("users", "users", settings.users);
    figures.count("Secrets of others, of 250 kB each", "Secrets", settings.foreign);
    figures.add("memory of the operator after a restart without them", "MiB", without);
    figures.add("memory of the operator after a restart with them", "MiB", with);
    figures.add("memory that they add", "MiB", with - without);
    reading.add_to(&mut figures, "restart", 1.0);
    figures
}

async fn create(api: &Api<Secret>, name: &str) {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let data = BTreeMap::from([("file".to_owned(), ByteString(vec![b'x'; SIZE]))]);
    let secret = Secret { metadata, data: Some(data), ..Secret::default() };
    api.create(&PostParams::default(), &secret).await.unwrap();
}

/// Starts the operator again, and returns its memory in MiB once it is at rest.
async fn restart(place: &mut Place) -> f64 {
    place.kill_operator();
    place.start_operator();
    place.sweeps(1).await;
    place.sweeps(1).await;
    memory(place.running().unwrap(), "VmRSS")
}
