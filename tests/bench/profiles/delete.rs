//! The deletion of all users.

use std::time::Instant;

use kube::api::DeleteParams;

use crate::figures::{Figures, float};
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::users::{Times, all, between, fill, names};

pub async fn run(settings: &Settings) -> Figures {
    let users = settings.users;
    let place = Place::start(settings, Conditions::OPEN).await;
    let watch = fill(&place, users, &usual()).await;
    let (api, names) = (place.users_api(), names("user", users));
    let meter = Meter::start(&place).await;
    let requests = names.iter().map(async |name| {
        let at = Instant::now();
        api.delete(name, &DeleteParams::default()).await.unwrap();
        (name.clone(), at)
    });
    let deleted: Times = all(requests).await.into_iter().collect();
    watch.until(&place, "the deletion of all", |seen| seen.gone.len() >= users).await;
    let reading = meter.read(&place).await;
    let gone = watch.read(|seen| seen.gone.clone());
    let (first, last) = (deleted.values().min().unwrap(), gone.values().max().unwrap());
    let mut figures = Figures::default();
    figures.count("users", "users", users);
    let rate = float(users) / last.duration_since(*first).as_secs_f64();
    figures.add("users a second, from the first delete to the last one gone", "users/s", rate);
    figures.distribution("delete to gone", &between(&deleted, &gone));
    reading.add_to(&mut figures, "user", float(users));
    figures.count("users left in the portal", "users", place.ours().len());
    figures
}
