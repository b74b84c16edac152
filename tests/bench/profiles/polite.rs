//! A Portal that permits few requests a second: how near the operator comes to that, and that it sends no more.

use crate::figures::{Figures, float};
use crate::place::{Conditions, Limits, POLITE, Place};
use crate::profiles::{bulk, usual};
use crate::settings::Settings;

pub async fn run(settings: &Settings) -> Figures {
    let conditions = Conditions { limits: Limits::Polite, ..Conditions::OPEN };
    let place = Place::start(settings, conditions).await;
    let (mut figures, _watch) = bulk::create_users(&place, settings.fewer_users(), &usual()).await;
    figures.add("requests a second that the Portal permits", "requests/s", float(POLITE));
    figures.count("requests to the portal within a second, most", "requests", most_in_a_second(&place));
    figures
}

/// The most requests to the portal itself that arrived within one second.
fn most_in_a_second(place: &Place) -> usize {
    let second = std::time::Duration::from_secs(1);
    let arrived: Vec<_> = place.simulator.view(|view| {
        view.calls().iter().filter(|call| !call.endpoint.gives_tokens()).map(|call| call.arrived).collect()
    });
    let within = |(first, from): (usize, &std::time::Instant)| {
        arrived.iter().skip(first).take_while(|at| at.duration_since(*from) < second).count()
    };
    arrived.iter().enumerate().map(within).max().unwrap_or_default()
}
