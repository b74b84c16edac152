//! One user after the other: what a person waits for.

use std::time::Instant;

use crate::figures::Figures;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::users::{fill, names};

pub async fn run(settings: &Settings) -> Figures {
    let place = Place::start(settings, Conditions::OPEN).await;
    let watch = fill(&place, settings.users, &usual()).await;
    let mut times = Vec::new();
    for name in names("late", settings.users.min(100)) {
        let sent = Instant::now();
        usual().create(&place.users_api(), &name, &place.namespace).await;
        let ready = watch.ready(&place, settings.users + times.len() + 1).await;
        times.push(ready[&name].duration_since(sent));
    }
    let mut figures = Figures::default();
    figures.count("users that are ready before", "users", settings.users);
    figures.count("users created one after the other", "users", times.len());
    figures.distribution("create to Ready", &times);
    figures
}
