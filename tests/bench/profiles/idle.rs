//! Many users at rest.

use crate::figures::{Figures, float};
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::usage::memory;
use crate::users::{changed_since, fill, versions};

pub async fn run(settings: &Settings) -> Figures {
    let resync = Some(settings.resync);
    let place = Place::start(settings, Conditions { resync, ..Conditions::OPEN }).await;
    let watch = fill(&place, settings.users, &usual()).await;
    // What the creates leave to be written, such as the counts of the Portal, is written with the next readings.
    place.two_sweeps().await;
    place.sweeps(1).await;
    let lapses = watch.read(|seen| seen.lapses);
    let before = versions(&place).await;
    let meter = Meter::start(&place).await;
    place.sweeps(settings.sweeps).await;
    let reading = meter.read(&place).await;
    let minutes = reading.elapsed.as_secs_f64() / 60.0;
    let mut figures = Figures::default();
    figures.count("users", "users", settings.users);
    figures.add("readings of the portal's list", "per minute", float(settings.sweeps) / minutes);
    reading.add_to(&mut figures, "minute", minutes);
    figures.count("objects written", "objects", changed_since(&place, &before).await);
    figures.count("users that were not ready for a time", "users", watch.read(|seen| seen.lapses) - lapses);
    let operator = place.running().unwrap();
    figures.add("memory of the operator at the end", "MiB", memory(operator, "VmRSS"));
    figures
}
