//! Users that are created at once, and whose credentials are written into a Vault beside their Secrets.

use serde_json::json;

use crate::figures::Figures;
use crate::place::{Conditions, Place};
use crate::profiles::{bulk, usual};
use crate::settings::Settings;
use crate::support::vault::{entries, entry, prepared};

pub async fn run(settings: &Settings) -> Figures {
    let place = Place::start(settings, Conditions::OPEN).await;
    let vault = prepared(&place).await;
    let template = usual().with("outputs", json!([{"secret": {}}, entry(None)]));
    let (mut figures, _watch) = bulk::create_users(&place, settings.users, &template).await;
    let folder = format!("connectors/{}", place.namespace);
    figures.count("entries in the Vault", "entries", entries(&vault, &folder).await.len());
    figures
}
