//! All users are replaced at once, each by a successor, while their former credentials stay valid.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::figures::{Figures, float};
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::support::ROTATE;
use crate::users::{Times, all, between, fill, names};

pub async fn run(settings: &Settings) -> Figures {
    let users = settings.users;
    let place = Place::start(settings, Conditions::OPEN).await;
    let template = usual().with("rotation", json!({"strategy": "Replace", "overlap": "1h"}));
    let watch = fill(&place, users, &template).await;
    let (api, names) = (place.users_api(), names("user", users));
    let meter = Meter::start(&place).await;
    let requests = names.iter().map(async |name| {
        let patch = json!({"metadata": {"annotations": {ROTATE: "1"}}});
        let at = std::time::Instant::now();
        api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        (name.clone(), at)
    });
    let requested: Times = all(requests).await.into_iter().collect();
    watch.until(&place, "the rotation of all", |seen| seen.rotated.len() >= users).await;
    let reading = meter.read(&place).await;
    let (rotated, lapses) = watch.read(|seen| (seen.rotated.clone(), seen.lapses));
    let (first, last) = (requested.values().min().unwrap(), rotated.values().max().unwrap());
    let mut figures = Figures::default();
    figures.count("users", "users", users);
    let rate = float(users) / last.duration_since(*first).as_secs_f64();
    figures.add("rotations a second, from the first request to the last publication", "users/s", rate);
    figures.distribution("request to the publication of the successor", &between(&requested, &rotated));
    reading.add_requests_of_the_operator(&mut figures, "rotation", float(users));
    reading.add_calls(&mut figures, "rotation", float(users));
    reading.add_processors(&mut figures, "rotation", float(users));
    figures.count("users that were not ready for a time", "users", lapses);
    figures.count(
        "users in the portal beyond two for each resource",
        "users",
        place.ours().len() - 2 * users,
    );
    figures
}
