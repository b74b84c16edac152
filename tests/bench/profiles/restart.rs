//! A killed operator with many users is started again, and a user is created at that moment.

use std::time::Instant;

use portal_simulator::{Call, Endpoint};

use crate::figures::Figures;
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::support::recorded;
use crate::usage::{memory, processor_time};
use crate::users::{changed_since, fill, versions};

pub async fn run(settings: &Settings) -> Figures {
    let mut place = Place::start(settings, Conditions::OPEN).await;
    let watch = fill(&place, settings.users, &usual()).await;
    place.kill_operator();
    let before = versions(&place).await;
    let lists = place.simulator.count(Endpoint::List) + place.pages();
    let meter = Meter::start(&place).await;
    let began = Instant::now();
    place.start_operator();
    usual().create(&place.users_api(), "late", &place.namespace).await;
    let ready = watch.ready(&place, settings.users + 1).await;
    let operator = place.running().unwrap();
    let mut figures = Figures::default();
    figures.count("users that are ready before", "users", settings.users);
    figures.seconds("start of the process to Ready of a new user", ready["late"].duration_since(began));
    figures.seconds("processor time of the operator until then", processor_time(operator));
    place.simulator.wait_for(|view| view.answered(Endpoint::List) >= lists).await;
    let reading = meter.read(&place).await;
    figures.seconds("processor time of the operator until all is read", processor_time(operator));
    reading.add_to(&mut figures, "restart", 1.0);
    let new = recorded(&place.user("late").await.unwrap()).id;
    let single = |call: &&Call| call.endpoint == Endpoint::Details && !call.path.contains(&new);
    let calls = reading.calls.iter().filter(single).count();
    figures.count("portal calls for single users that were ready", "calls", calls);
    figures.count(
        "objects of users that were ready, written",
        "objects",
        changed_since(&place, &before).await,
    );
    figures.add("memory of the operator, most", "MiB", memory(operator, "VmHWM"));
    figures
}
