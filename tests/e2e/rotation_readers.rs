//! Programs that obtain tokens all the time, while credentials are rotated a hundred times by each strategy.

mod reader;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::DynamicObject;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Endpoint, Stage, Version, WalletDelay};
use serde_json::json;
use testbed::Vault;

use crate::rotation::retiring;
use crate::support::vault::{entry, prepared, with_outputs};
use crate::support::{
    ROTATE, State, States, World, condition, is_ready, one_company, recorded, secret_value, user_status,
    world,
};
use reader::{Attempt, Reader, Reads};

/// Resources that are rotated at once, and how often each of them is.
const NAMES: [&str; 5] = ["edc-1", "edc-2", "edc-3", "edc-4", "edc-5"];
const ROUNDS: i64 = 20;
/// How long a program may use what it has read.
const OVERLAP: Duration = Duration::from_secs(2);

/// A world with the resources, each of which is published in a Secret, and for a connector in another Secret and Vault.
async fn published(roles: [&str; 5], strategy: &str) -> (World, Vault) {
    let config = one_company(Version::Main).wallet_delay(WalletDelay::After(Duration::from_millis(300)));
    let world = world().simulator(config).start().await;
    let vault = prepared(&world).await;
    let dataspace = json!({"walletUrl": "https://wallet.example.org/api/sts"});
    world.patch_portal(&json!({"spec": {"resyncInterval": "1h", "dataspace": dataspace}})).await;
    for (name, role) in NAMES.into_iter().zip(roles) {
        let outputs = json!([
            {"secret": {}},
            {"secret": {"name": reader::variables(name), "format": "EdcEnv"}},
            entry(None),
        ]);
        let mut manifest = with_outputs(&world, name, role, &outputs);
        manifest["spec"]["rotation"] =
            json!({"strategy": strategy, "overlap": format!("{}s", OVERLAP.as_secs())});
        world.apply(&manifest).await;
    }
    for name in NAMES {
        world.ready(name).await;
    }
    (world, vault)
}

/// Two readers of each resource.
fn readers(vault: &Vault) -> Vec<Reader<'_>> {
    let both = |name| [Reader::new(name, Reads::Secret), Reader::new(name, Reads::Vault(vault))];
    NAMES.into_iter().flat_map(both).collect()
}

/// Does something while the readers obtain tokens.
async fn while_they_read<T>(world: &World, readers: &[Reader<'_>], work: impl Future<Output = T>) -> T {
    let all = futures::future::join_all(readers.iter().map(|reader| reader.run(world)));
    tokio::select! {
        _ = all => unreachable!("readers do not end"),
        done = work => done,
    }
}

async fn rotate_all(world: &World, round: i64) {
    for name in NAMES {
        world.patch_user(name, &json!({"metadata": {"annotations": {ROTATE: format!("now-{round}")}}})).await;
    }
}

/// Waits until each resource is Ready with the credential that a round leads to, and each reader has used that.
async fn have_rotated(world: &World, readers: &[Reader<'_>], round: i64) {
    let is_published = |user: &DynamicObject| {
        let status = user_status(user);
        is_ready(user)
            && status.credential.is_some_and(|credential| credential.generation == round + 1)
            && status.handled.is_some_and(|handled| handled.rotate == Some(format!("now-{round}")))
    };
    for name in NAMES {
        let user = world.until(name, "the next credential is published", is_published).await;
        let client_id = recorded(&user).client_id.unwrap();
        let secret = secret_value(&world.get_secret(name).await.unwrap(), "client-secret");
        for reader in readers.iter().filter(|reader| reader.name == name) {
            let what = format!("a reader of {name} obtains a token with credential {}", round + 1);
            world.eventually(&what, async || reader.has_used(&client_id, &secret)).await;
        }
    }
}

/// Waits until each reader has obtained one more token.
async fn each_obtains_one(world: &World, readers: &[Reader<'_>]) {
    for reader in readers {
        let before = reader.obtained();
        world.eventually("a reader obtains a token", async || reader.obtained() > before).await;
    }
}

fn refusals<'a>(readers: &'a [Reader<'_>]) -> Vec<(&'a Reader<'a>, Attempt)> {
    readers.iter().flat_map(|reader| reader.refused().into_iter().map(move |one| (reader, one))).collect()
}

#[tokio::test]
async fn a_reader_counts_no_refusal_while_a_hundred_users_are_replaced() {
    let mut roles = [DATASPACE_DISCOVERY; 5];
    roles[4] = IDENTITY_WALLET_MANAGEMENT;
    let (world, vault) = published(roles, "Replace").await;
    let states = States::of(world.users_api()).await;
    let readers = readers(&vault);
    while_they_read(&world, &readers, async {
        each_obtains_one(&world, &readers).await;
        for round in 1..=ROUNDS {
            let gate = world.simulator.gate(Endpoint::Create, Stage::Working);
            rotate_all(&world, round).await;
            gate.reached().await;
            each_obtains_one(&world, &readers).await;
            gate.release();
            have_rotated(&world, &readers, round).await;
        }
        for name in NAMES {
            world.until(name, "the former users are deleted", |user| retiring(user).is_empty()).await;
        }
        each_obtains_one(&world, &readers).await;
    })
    .await;

    let refused: Vec<_> =
        refusals(&readers).into_iter().filter(|(_, attempt)| attempt.used_for() < OVERLAP).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    for reader in &readers {
        assert_eq!(reader.credentials(), usize::try_from(ROUNDS).unwrap() + 1, "{reader:?}");
    }
    let rotations = NAMES.len() * usize::try_from(ROUNDS).unwrap();
    assert_eq!(world.count(Endpoint::Create), NAMES.len() + rotations);
    assert_eq!(world.count(Endpoint::Delete), rotations);
    for State { object, .. } in states.so_far(&world).await {
        assert_eq!(condition(&object, "Ready").unwrap().status, "True", "{object:#?}");
    }
    let obtained: usize = readers.iter().map(Reader::obtained).sum();
    println!("{obtained} tokens were obtained during {rotations} rotations, and no request was refused");
}

/// From the moment at which the request for a reset arrived at the portal until the next secret was published.
#[derive(Debug)]
struct Interval {
    reset: Instant,
    published: Instant,
}

impl Interval {
    /// Whether a request may have been refused because of the reset: it was not answered before, and the credential was not read
    /// after the publication.
    fn explains(&self, refused: &Attempt) -> bool {
        self.reset <= refused.answered && refused.read <= self.published
    }
}

/// The moments at which a watch showed something new of an object.
fn changes<K: ResourceExt>(states: &[State<K>], name: &str, value: impl Fn(&K) -> String) -> Vec<Instant> {
    let of_it = states.iter().filter(|state| state.object.name_any() == name);
    let mut values: Vec<(Instant, String)> = of_it.map(|state| (state.at, value(&state.object))).collect();
    values.dedup_by(|next, before| next.1 == before.1);
    values.into_iter().skip(1).map(|(at, _)| at).collect()
}

#[tokio::test]
async fn a_reader_is_refused_only_between_a_reset_and_the_publication_of_the_next_secret() {
    let (world, vault) = published([DATASPACE_DISCOVERY; 5], "InPlace").await;
    let (secrets, users) =
        (States::<Secret>::of(world.secrets_api()).await, States::of(world.users_api()).await);
    let readers = readers(&vault);
    while_they_read(&world, &readers, async {
        each_obtains_one(&world, &readers).await;
        for round in 1..=ROUNDS {
            rotate_all(&world, round).await;
            have_rotated(&world, &readers, round).await;
        }
    })
    .await;

    let (secrets, users) = (secrets.so_far(&world).await, users.so_far(&world).await);
    let client_secret = |secret: &Secret| secret_value(secret, "client-secret");
    // The status names a credential when all outputs have it, also the entry in Vault.
    let number = |user: &DynamicObject| {
        user_status(user).credential.map(|credential| credential.generation.to_string()).unwrap_or_default()
    };
    let mut intervals: BTreeMap<(&str, bool), Vec<Interval>> = BTreeMap::new();
    for name in NAMES {
        let id = recorded(&world.user(name).await.unwrap()).id;
        let resets = world.simulator.calls_of(Endpoint::Reset).into_iter();
        let resets: Vec<_> = resets.filter(|call| call.path.contains(&id)).map(|call| call.arrived).collect();
        for (from_vault, published) in
            [(false, changes(&secrets, name, client_secret)), (true, changes(&users, name, number))]
        {
            let rounds = usize::try_from(ROUNDS).unwrap();
            assert_eq!((resets.len(), published.len()), (rounds, rounds), "{name}");
            let both = resets.iter().zip(published);
            let of_name = both.map(|(&reset, published)| Interval { reset, published }).collect();
            intervals.insert((name, from_vault), of_name);
        }
    }
    let refused = refusals(&readers);
    for (reader, attempt) in &refused {
        let intervals = &intervals[&(reader.name, reader.reads_vault())];
        let explained = intervals.iter().any(|interval| interval.explains(attempt));
        assert!(explained, "{reader:?}: {attempt:?}");
    }
    for reader in &readers {
        assert_eq!(reader.credentials(), usize::try_from(ROUNDS).unwrap() + 1, "{reader:?}");
    }
    let longest = intervals.values().flatten().map(|interval| interval.published - interval.reset).max();
    let obtained: usize = readers.iter().map(Reader::obtained).sum();
    println!(
        "{obtained} tokens were obtained and {} requests refused; the longest time from a reset to the publication was {:?}",
        refused.len(),
        longest.unwrap()
    );
}
