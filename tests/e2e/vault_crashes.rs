//! Killed between every two calls while a credential is published to a Secret and to an entry in Vault, while the output moves from
//! one to the other, and at the deletion: what should hold the credential holds it, and nothing else does.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::{ApiProxy, Vault};

use crate::crash::{Call, Killed, Recording, crash_everywhere};
use crate::support::vault::{api, entries, entry, metadata, prepared, with_outputs};
use crate::support::{World, condition, connected, recorded, user_status, world};
use kube::api::{DynamicObject, Patch, PatchParams};

const NAME: &str = "edc";
const ENTRY: &str = "connectors/edc-1";

/// What happens while the operator is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Create,
    ToVault,
    ToSecret,
    Delete,
}

impl Change {
    /// The outputs before, and after it.
    fn outputs(self) -> (Option<Value>, Option<Value>) {
        let (secret, vault) = (json!({"secret": {}}), entry(None));
        match self {
            Self::Create => (None, Some(json!([secret, vault]))),
            Self::ToVault => (Some(json!([secret])), Some(json!([vault]))),
            Self::ToSecret => (Some(json!([vault])), Some(json!([secret]))),
            Self::Delete => (Some(json!([secret, vault])), None),
        }
    }
}

struct Side {
    world: World,
    vault: Vault,
    change: Change,
}

impl Side {
    /// A world before the change, whose operator reaches Vault through a proxy.
    async fn before(change: Change) -> Self {
        let mut world = connected(world()).await;
        let vault = prepared(&world).await;
        let proxy = ApiProxy::in_front_of(vault.address(), None).await.unwrap();
        let address = json!({"spec": {"address": proxy.url()}});
        api(&world).patch("vault", &PatchParams::default(), &Patch::Merge(&address)).await.unwrap();
        crate::support::vault::because(&world, "VaultReady").await;
        world.vault_proxy = Some(proxy);
        let side = Self { world, vault, change };
        if let Some(outputs) = change.outputs().0 {
            side.world.apply(&with_outputs(&side.world, NAME, DATASPACE_DISCOVERY, &outputs)).await;
            side.holds(&outputs).await;
        }
        side
    }

    async fn begin(&self) {
        match self.change.outputs() {
            (_, None) => self.world.delete(NAME).await,
            (None, Some(outputs)) => {
                self.world.apply(&with_outputs(&self.world, NAME, DATASPACE_DISCOVERY, &outputs)).await;
            }
            (Some(_), Some(outputs)) => {
                self.world.patch_user(NAME, &json!({"spec": {"outputs": outputs}})).await;
            }
        }
    }

    async fn ended(&self) {
        if let Some(outputs) = self.change.outputs().1 {
            return self.holds(&outputs).await;
        }
        self.world.gone(NAME).await;
        assert_eq!(self.world.ours(), []);
        assert_eq!(entries(&self.vault, "connectors").await, Vec::<String>::new());
    }

    /// Exactly these outputs hold the credential of one user, and the status names no others.
    async fn holds(&self, outputs: &Value) {
        let (world, outputs) = (&self.world, outputs.as_array().unwrap());
        let is_so = |user: &DynamicObject| {
            let ready = condition(user, "Ready").is_some_and(|ready| {
                ready.status == "True" && ready.observed_generation == user.metadata.generation
            });
            ready && user_status(user).outputs.len() == outputs.len()
        };
        let object = world.until(NAME, "the outputs are as the spec names them", is_so).await;
        let user = world.user_of(NAME);
        assert_eq!((world.ours().len(), recorded(&object).id), (1, user.id.to_string()));
        let has = |kind: &str| outputs.iter().any(|output| output.get(kind).is_some());
        match world.get_secret(NAME).await {
            Some(_) if has("secret") => assert_eq!(world.token_with(NAME).await, 200),
            found => assert_eq!(found.is_some(), has("secret"), "the Secret"),
        }
        let expected: &[&str] = if has("vault") { &["edc-1"] } else { &[] };
        assert_eq!(entries(&self.vault, "connectors").await, expected);
        if has("vault") {
            let data = self.vault.as_root("GET", &format!("secret/data/{ENTRY}"), None).await.unwrap();
            assert_eq!(data.success().unwrap()["data"]["data"], json!({"content": user.secret}));
            let mark = metadata(&self.vault, ENTRY).await.unwrap()["custom_metadata"].clone();
            assert!(mark["technicaluser.dev/owner"].as_str().unwrap().ends_with("/edc"), "{mark}");
        }
    }
}

/// The calls of the change without a crash: all those of Vault, and the writes. What only one of two runs has is left out: on a
/// busy machine the operator may report in between how far it is.
async fn calls(change: Change) -> Vec<Call> {
    let (mut calls, again) = tokio::join!(Box::pin(calls_once(change)), Box::pin(calls_once(change)));
    calls.retain(|call| again.contains(call));
    assert!(calls.iter().any(|call| matches!(call, Call::Vault { .. }) && call.is_write()), "{calls:#?}");
    calls
}

async fn calls_once(change: Change) -> Vec<Call> {
    let side = Side::before(change).await;
    let recording = Recording::start(&side.world);
    side.begin().await;
    side.ended().await;
    let mut calls = recording.calls(&side.world);
    calls.retain(|call| call.is_write() || matches!(call, Call::Vault { .. }));
    calls
}

async fn crash(change: Change, call: Call, killed: Killed) -> bool {
    let mut side = Side::before(change).await;
    let held = call.hold(&side.world, killed);
    side.begin().await;
    let met = tokio::select! {
        () = held.reached() => true,
        () = side.ended() => held.was_sent().await,
    };
    held.kill_and_restart(&mut side.world, NAME).await;
    side.ended().await;
    let creates = side.world.simulator.count(Endpoint::Create);
    assert!(creates <= if change == Change::Create { 2 } else { 1 }, "{creates} creates");
    met
}

async fn at_each_call(change: Change) {
    let calls = calls(change).await;
    crash_everywhere(calls, move |call, killed| crash(change, call, killed)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_publishes_to_a_secret_and_to_vault() {
    at_each_call(Change::Create).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_output_moves_from_a_secret_to_vault() {
    at_each_call(Change::ToVault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_output_moves_from_vault_to_a_secret() {
    at_each_call(Change::ToSecret).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_user_and_entry_are_deleted() {
    at_each_call(Change::Delete).await;
}
