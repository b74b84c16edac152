//! Nothing begins before the cluster's custom resource definitions fit: the apiserver drops a field that they lack from each
//! write, even a user's id.

use kube::Client;

use super::tries::Tries;
use crate::api;
use crate::domain::text::sentence;
use crate::health::{Gate, Health, Subject};
use crate::k8s::{definitions, words};
use crate::process::Random;

const REMEDY: &str = "install the definitions of this release (the chart's crds.install, or `technical-user-operator \
                      crds`); the operator waits for them and then continues automatically";

/// Waits until the definitions fit, and reports in the log and in the health what does not.
///
/// Fields that this program does not know are reported and delay nothing: in an upgrade the definitions are written first,
/// while the former process still runs.
pub async fn wait_until_they_fit(client: &Client, health: &Health, random: &Random) {
    let mut tries = Tries::new(health, Subject::Definitions, random);
    loop {
        let found = match definitions::compare(client, api::definitions()).await {
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
                tracing::warn!("{}", sentence(&line));
                health.report(Subject::Definitions, vec![line]);
                break;
            }
            Err(error) => {
                format!(
                    "the custom resource definitions cannot be read: {}; the operator tries again",
                    words(&error)
                )
            }
        };
        tries.failed(found).await;
    }
    if tries.any_failed() {
        tracing::info!("The custom resource definitions fit now");
    }
    health.open(Gate::CustomResourceDefinitions);
}

fn unknown_fields(health: &Health, unknown: &[String]) {
    let line = format!(
        "the custom resource definitions are newer than this operator, which ignores what is written there: {}",
        unknown.join("; ")
    );
    if unknown.is_empty() {
        health.report(Subject::Definitions, Vec::new());
    } else {
        tracing::warn!("{}", sentence(&line));
        health.report(Subject::Definitions, vec![line]);
    }
}
