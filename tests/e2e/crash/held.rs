//! A call that is held while the operator is killed.

use portal_simulator::{Action, Endpoint, Fault, Stage as PortalStage};
use testbed::{Matcher, Stage};

use super::{Call, Killed};
use kube::api::DynamicObject;

use crate::support::{World, condition, reason};

/// A call that is held at a moment.
pub enum Held {
    /// By the proxy before the apiserver, or before the Vault.
    Apiserver(testbed::Gate),
    /// By the portal.
    Portal { endpoint: Endpoint, gate: portal_simulator::Gate },
}

impl Call {
    /// Holds the call at this moment.
    pub fn hold(&self, world: &World, killed: Killed) -> Held {
        match self {
            Self::Apiserver { method, path, dry_run, nth } => {
                let path = format!("^{}$", regex_of(path, &world.namespace));
                let matcher = Matcher::any().method(method).dry_run(*dry_run).watch(false);
                let stage = if killed == Killed::Before { Stage::Before } else { Stage::After };
                Held::Apiserver(world.proxy.on(matcher.path_regex(&path).unwrap()).nth(*nth).hold(stage))
            }
            Self::Vault { method, path, nth } => {
                let stage = if killed == Killed::Before { Stage::Before } else { Stage::After };
                let matcher = Matcher::any().method(method).path_regex(&format!("^{path}$")).unwrap();
                let proxy = world.vault_proxy.as_ref().unwrap();
                Held::Apiserver(proxy.on(matcher).nth(*nth).hold(stage))
            }
            Self::Portal { endpoint, skip } => {
                let stage = match killed {
                    Killed::Before | Killed::InVain => PortalStage::Arrived,
                    Killed::Amid => PortalStage::Working,
                    Killed::After => PortalStage::Done,
                };
                if killed == Killed::InVain {
                    world.simulator.inject(Fault::at(*endpoint, Action::CutConnection).once());
                }
                let gate = world.simulator.gate_after(*endpoint, stage, *skip);
                Held::Portal { endpoint: *endpoint, gate }
            }
        }
    }
}

fn regex_of(path: &str, namespace: &str) -> String {
    path.replace('.', "\\.").replace("{}", namespace)
}

impl Held {
    /// Holds the next call of an endpoint of the portal.
    pub fn at_portal(world: &World, endpoint: Endpoint, stage: PortalStage) -> Self {
        Self::Portal { endpoint, gate: world.simulator.gate(endpoint, stage) }
    }

    /// Holds the next request to the apiserver that matches.
    pub fn at_apiserver(world: &World, matcher: Matcher, stage: Stage) -> Self {
        Self::Apiserver(world.proxy.on(matcher).nth(1).hold(stage))
    }

    /// Waits until the call is held.
    pub async fn reached(&self) {
        match self {
            Self::Apiserver(gate) => gate.reached().await.unwrap(),
            Self::Portal { gate, .. } => gate.reached().await,
        }
    }

    /// Whether the call was sent. A write that makes the resource ready can be seen a moment before its answer is held.
    pub async fn was_sent(&self) -> bool {
        let made = matches!(self, Self::Apiserver(gate) if gate.is_expected());
        if made {
            self.reached().await;
        }
        made
    }

    /// Kills the operator and starts the next one at once. The portal continues with the call in between; with a create, when
    /// the next operator has seen the attempt for this resource.
    pub async fn kill_and_restart(&self, world: &mut World, name: &str) {
        world.kill_operator();
        match self {
            Self::Portal { endpoint: Endpoint::Create, gate } if !gate.calls().is_empty() => {
                world.start_operator();
                // While another user serves, the condition of its rotation says so.
                let rotating = |object: &DynamicObject| condition(object, "Rotating").map(|one| one.reason);
                let seen = |object: &DynamicObject| {
                    reason(object) == "SettlingAttempt"
                        || rotating(object).as_deref() == Some("SettlingAttempt")
                };
                world.until(name, "the attempt is seen", seen).await;
                gate.release();
            }
            Self::Portal { gate, .. } => {
                gate.release();
                world.start_operator();
            }
            // The request of the killed operator is given up.
            Self::Apiserver(_) => {
                world.start_operator();
            }
        }
    }
}
