//! Nothing begins before the cluster's custom resource definitions fit: a field that they lack would be lost from what
//! is written, a user's id among them.

use std::time::Duration;

use kube::Client;
use tokio::time::Instant;

use crate::api;
use crate::controller::backoff::spread;
use crate::health::{Gate, Health, Subject};
use crate::k8s::{definitions, words};

/// The first pause between two looks; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// What stays the same is logged again after so long.
const SAY_AGAIN_AFTER: Duration = Duration::from_mins(5);
const REMEDY: &str = "install the definitions of this release (the chart's crds.install, or `technical-user-operator \
                      crds`); the operator waits and then goes on by itself";

/// Waits until the definitions fit, and tells in the log and in the health what does not.
///
/// Fields that this program does not know are told and hold nothing up: in an upgrade the definitions come first, while
/// the former process still runs.
pub async fn wait_until_they_fit(client: &Client, health: &Health) {
    let (mut pause, mut said) = (FIRST_PAUSE, None);
    loop {
        let found = match definitions::look(client, &api::definitions()).await {
            Ok(fit) if fit.lacking.is_empty() => {
                unknown_fields(health, &fit.unknown);
                break;
            }
            Ok(fit) => {
                format!("the custom resource definitions do not fit: {}; {REMEDY}", fit.lacking.join("; "))
            }
            Err(kube::Error::Api(status)) if status.code == 403 => {
                let line = format!(
                    "whether the custom resource definitions fit is not known, as this process may not read /openapi/v3: {}",
                    status.message
                );
                tracing::warn!("{line}");
                health.tell(Subject::Definitions, vec![line]);
                break;
            }
            Err(error) => {
                format!(
                    "the custom resource definitions cannot be looked at: {}; it is tried again",
                    words(&error)
                )
            }
        };
        said = Some(say(said, &found));
        health.tell(Subject::Definitions, vec![found]);
        tokio::time::sleep(spread(pause)).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
    if said.is_some() {
        tracing::info!("the custom resource definitions fit now");
    }
    health.open(Gate::CustomResourceDefinitions);
}

fn unknown_fields(health: &Health, unknown: &[String]) {
    let line = format!(
        "the custom resource definitions are newer than this operator, which ignores what is written there: {}",
        unknown.join("; ")
    );
    if unknown.is_empty() {
        health.tell(Subject::Definitions, Vec::new());
    } else {
        tracing::warn!("{line}");
        health.tell(Subject::Definitions, vec![line]);
    }
}

/// Logs what is new, and what is not from time to time.
fn say(said: Option<(String, Instant)>, now: &str) -> (String, Instant) {
    match said {
        Some((before, at)) if before == now && at.elapsed() < SAY_AGAIN_AFTER => (before, at),
        _ => {
            tracing::error!("{now}");
            (now.to_owned(), Instant::now())
        }
    }
}
