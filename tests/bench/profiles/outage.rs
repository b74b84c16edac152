//! A portal that is out of service for a time while users are created.

use std::time::Instant;

use crate::figures::{Figures, float};
use crate::meter::Meter;
use crate::place::{Conditions, Place};
use crate::profiles::usual;
use crate::settings::Settings;
use crate::users::{create_all, fill, names};

pub async fn run(settings: &Settings) -> Figures {
    let users = settings.fewer_users();
    let resync = Some(settings.resync);
    let place = Place::start(settings, Conditions { resync, ..Conditions::OPEN }).await;
    let watch = fill(&place, users, &usual()).await;
    let meter = Meter::start(&place).await;
    place.begin_outage();
    let began = Instant::now();
    if settings.sudden {
        create_all(&place, &names("late", users), &usual()).await;
    } else {
        place.sweep_soon().await;
    }
    place.eventually("the Portal reports the outage", async || !place.portal_is_ready().await).await;
    let reported = began.elapsed();
    if !settings.sudden {
        create_all(&place, &names("late", users), &usual()).await;
    }
    tokio::time::sleep(settings.outage.saturating_sub(reported)).await;
    let during = meter.read(&place).await;
    let (lapses, ready) = watch.read(|seen| (seen.lapses, seen.ready.len() - users));
    place.end_outage();
    let ended = Instant::now();
    let last = watch.ready(&place, 2 * users).await.into_values().max().unwrap();
    let mut figures = Figures::default();
    figures.count("users that were ready before, and as many created during the outage", "users", users);
    figures.seconds("outage", ended.duration_since(began));
    figures.seconds("begin of the outage to the Portal's condition", reported);
    figures.add("portal calls during the outage", "per minute", {
        float(during.calls.len()) / during.elapsed.as_secs_f64() * 60.0
    });
    figures.count("users that were ready before and lost it", "users", lapses);
    figures.count("users that became ready during the outage", "users", ready);
    figures.seconds("end of the outage to the last Ready", last.saturating_duration_since(ended));
    figures.count(
        "users in the portal beyond one for each resource",
        "users",
        place.ours().len() - 2 * users,
    );
    figures
}
