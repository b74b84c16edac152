//! Killed between every two calls while a credential is published to a Secret and to an entry in Vault, while the output moves from
//! one to the other, and at the deletion: what should hold the credential holds it, and nothing else does. The entry is one of the
//! operator, or one of another owner, which is as before except for the operator's keys.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::Vault;

use crate::crash::{Call, Killed, Recording, crash_everywhere};
use crate::support::vault::{
    entries, entry, merged, metadata, prepared, put_a_proxy_before, set_up, with_outputs,
};
use crate::support::{World, condition, connected, recorded, user_status, world};
use kube::api::DynamicObject;

const NAME: &str = "edc";

/// Whose entry it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Owned,
    Merged,
}

impl Entry {
    fn alias(self) -> &'static str {
        match self {
            Self::Owned => "edc-1",
            Self::Merged => "app",
        }
    }

    fn path(self, api: &str) -> String {
        format!("secret/{api}/connectors/{}", self.alias())
    }

    fn output(self) -> Value {
        match self {
            Self::Owned => entry(None),
            Self::Merged => merged("connectors/app", &json!({"client-secret": "content"})),
        }
    }

    /// What the other owner has written.
    async fn prepare(self, vault: &Vault) {
        if self == Self::Merged {
            let custom = json!({"custom_metadata": {"team": "blue"}});
            set_up(vault, "POST", &self.path("metadata"), &custom).await;
            set_up(vault, "POST", &self.path("data"), &json!({ "data": theirs() })).await;
        }
    }
}

fn theirs() -> Value {
    json!({"theirs": "kept\n", "more": {"list": [1, null]}})
}

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
    fn outputs(self, entry: Entry) -> (Option<Value>, Option<Value>) {
        let (secret, vault) = (json!({"secret": {}}), entry.output());
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
    entry: Entry,
}

impl Side {
    /// A world before the change, whose operator reaches Vault through a proxy.
    async fn before(entry: Entry, change: Change) -> Self {
        let mut world = connected(world()).await;
        let vault = prepared(&world).await;
        entry.prepare(&vault).await;
        put_a_proxy_before(&vault, &mut world).await;
        let side = Self { world, vault, change, entry };
        if let Some(outputs) = change.outputs(entry).0 {
            side.world.apply(&with_outputs(&side.world, NAME, DATASPACE_DISCOVERY, &outputs)).await;
            side.holds(&outputs).await;
        }
        side
    }

    async fn begin(&self) {
        match self.change.outputs(self.entry) {
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
        if let Some(outputs) = self.change.outputs(self.entry).1 {
            return self.holds(&outputs).await;
        }
        self.world.gone(NAME).await;
        assert_eq!(self.world.ours(), []);
        self.entry_holds(None).await;
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
        self.entry_holds(has("vault").then_some(user.secret.as_deref()).flatten()).await;
    }

    /// The entry holds this secret, beside what its owner wrote, and nothing else of the operator.
    async fn entry_holds(&self, secret: Option<&str>) {
        let mut expected = match self.entry {
            Entry::Owned => json!({}),
            Entry::Merged => theirs(),
        };
        if let Some(secret) = secret {
            expected["content"] = json!(secret);
        }
        let is_there = self.entry == Entry::Merged || secret.is_some();
        let names: &[&str] = if is_there { &[self.entry.alias()] } else { &[] };
        assert_eq!(entries(&self.vault, "connectors").await, names);
        if !is_there {
            return;
        }
        let data = self.vault.as_root("GET", &self.entry.path("data"), None).await.unwrap();
        assert_eq!(data.success().unwrap()["data"]["data"], expected);
        let path = format!("connectors/{}", self.entry.alias());
        let custom = metadata(&self.vault, &path).await.unwrap()["custom_metadata"].clone();
        let ours = |name: &&String| name.starts_with("technicaluser.dev/");
        let ours: Vec<_> = custom.as_object().unwrap().keys().filter(ours).collect();
        match (self.entry, secret) {
            (Entry::Owned, _) => {
                assert!(custom["technicaluser.dev/owner"].as_str().unwrap().ends_with("/edc"), "{custom}");
            }
            (Entry::Merged, _) => {
                assert_eq!(custom["team"], "blue");
                assert_eq!(ours.len(), usize::from(secret.is_some()), "{custom}");
            }
        }
    }
}

/// The calls of the change without a crash: all those of Vault, and the writes. What only one of two runs has is left out: on a
/// busy machine the operator may report in between how far it is.
async fn calls(entry: Entry, change: Change) -> Vec<Call> {
    let (mut calls, again) =
        tokio::join!(Box::pin(calls_once(entry, change)), Box::pin(calls_once(entry, change)));
    calls.retain(|call| again.contains(call));
    assert!(calls.iter().any(|call| matches!(call, Call::Vault { .. }) && call.is_write()), "{calls:#?}");
    calls
}

async fn calls_once(entry: Entry, change: Change) -> Vec<Call> {
    let side = Side::before(entry, change).await;
    let recording = Recording::start(&side.world);
    side.begin().await;
    side.ended().await;
    let mut calls = recording.calls(&side.world);
    calls.retain(|call| call.is_write() || matches!(call, Call::Vault { .. }));
    calls
}

async fn crash((entry, change): (Entry, Change), call: Call, killed: Killed) -> bool {
    let mut side = Side::before(entry, change).await;
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

async fn at_each_call(entry: Entry, change: Change) {
    let calls = calls(entry, change).await;
    crash_everywhere(calls, move |call, killed| crash((entry, change), call, killed)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_publishes_to_a_secret_and_to_vault() {
    at_each_call(Entry::Owned, Change::Create).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_output_moves_from_a_secret_to_vault() {
    at_each_call(Entry::Owned, Change::ToVault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_output_moves_from_vault_to_a_secret() {
    at_each_call(Entry::Owned, Change::ToSecret).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_user_and_entry_are_deleted() {
    at_each_call(Entry::Owned, Change::Delete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_publishes_to_a_secret_and_adds_keys_to_an_entry() {
    at_each_call(Entry::Merged, Change::Create).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_output_moves_from_a_secret_to_keys_in_an_entry() {
    at_each_call(Entry::Merged, Change::ToVault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_output_moves_from_keys_in_an_entry_to_a_secret() {
    at_each_call(Entry::Merged, Change::ToSecret).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_user_and_keys_in_an_entry_are_deleted() {
    at_each_call(Entry::Merged, Change::Delete).await;
}
