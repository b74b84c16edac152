//! The identity of the installation exists before anything else begins. If the apiserver refuses its Secret, the process
//! tries again: if it ended, it would be restarted again and again, and its log would be gone.

use kube::Client;

use super::tries::Tries;
use crate::config::RunArgs;
use crate::controller::context::Installation;
use crate::controller::installation;
use crate::health::{Gate, Health, Subject};
use crate::process::Random;

const AGAIN: &str = "the operator tries again, and starts as soon as this succeeds";

/// Loads or creates the installation's Secret, however long that takes.
pub(super) async fn wait_for(
    client: &Client,
    args: &RunArgs,
    health: &Health,
    random: &Random,
) -> Installation {
    let mut tries = Tries::new(health, Subject::Identity, random);
    let labels = args.common_labels.labels();
    let (namespace, instance) = (&args.installation.namespace, &args.installation.instance);
    loop {
        match installation::load_or_create(client, namespace, instance, labels, random).await {
            Ok(installation) => {
                if tries.any_failed() {
                    tracing::info!("The installation has its identity now");
                }
                health.report(Subject::Identity, Vec::new());
                health.open(Gate::Identity);
                return installation;
            }
            Err(error) => tries.failed(format!("{error}; {AGAIN}")).await,
        }
    }
}
