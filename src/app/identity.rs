//! The identity of the installation is there before anything else begins. Where the apiserver refuses its Secret, the
//! process goes on trying: ended, it would be restarted again and again, and its words would be lost.

use kube::Client;

use super::tries::Tries;
use crate::config::RunArgs;
use crate::controller::context::Installation;
use crate::controller::installation;
use crate::health::{Gate, Health, Subject};
use crate::process::Random;

const AGAIN: &str = "it is tried again, and the operator starts as soon as it succeeds";

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
                    tracing::info!("the installation has its identity now");
                }
                health.tell(Subject::Identity, Vec::new());
                health.open(Gate::Identity);
                return installation;
            }
            Err(error) => tries.failed(format!("{error}; {AGAIN}")).await,
        }
    }
}
