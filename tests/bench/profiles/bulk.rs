//! Users that are created at once: how many a second are ready, and what each costs.

use crate::figures::{Figures, float};
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::raw::{self, Sample};
use crate::settings::Settings;
use crate::usage::memory;
use crate::users::{Template, Watch, between, create_all, names};

/// With open limits, compared with a bare client.
pub async fn run(settings: &Settings) -> Figures {
    let mut place = Place::start(settings, Conditions::OPEN).await;
    let (mut figures, watch) = create_users(&place, settings.users, &usual()).await;
    let rate = figures.value(RATE);
    let sample = Sample::of(&place, &watch, "user-00000").await;
    drop(watch);
    place.kill_operator();
    let most = raw::limit(&place, &sample, settings, &usual()).await;
    figures.add("raw limit: a bare client that sends the same requests", "users/s", most);
    figures.add("share of the raw limit", "%", rate / most * 100.0);
    figures
}

/// With the limits that a Portal has by default.
pub async fn at_default_limits(settings: &Settings) -> Figures {
    let place = Place::start(settings, Conditions::DEFAULT).await;
    create_users(&place, settings.fewer_users(), &usual()).await.0
}

/// The name of the figure by which the operator is compared.
pub const RATE: &str = "users a second, from the first create to the last Ready";

/// Creates users at once and measures until the last one is ready.
pub async fn create_users(place: &Place, users: usize, template: &Template) -> (Figures, Watch) {
    let watch = Watch::start(place).await;
    let meter = Meter::start(place).await;
    let created = create_all(place, &names("user", users), template).await;
    let all_created = std::time::Instant::now();
    let ready = watch.ready(place, users).await;
    let reading = meter.read(place).await;
    let operator = place.running().unwrap();
    let (first, last) = (created.values().min().unwrap(), ready.values().max().unwrap());
    let mut figures = Figures::default();
    figures.count("users", "users", users);
    figures.add(RATE, "users/s", float(users) / last.duration_since(*first).as_secs_f64());
    figures.seconds("creates by the benchmark's client", all_created.duration_since(*first));
    figures.distribution("create to Ready", &between(&created, &ready));
    reading.add_to(&mut figures, "user", float(users));
    figures.add("memory of the operator at the end", "MiB", memory(operator, "VmRSS"));
    figures.add("memory of the operator, most", "MiB", memory(operator, "VmHWM"));
    figures.count("users in the portal beyond one for each resource", "users", place.ours().len() - users);
    (figures, watch)
}
