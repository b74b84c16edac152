//! Objects that an earlier build stored: they are read, their users are kept, and no status is written again and again.
//!
//! `earlier/` has the definitions of that build; under them the statuses get what it wrote.

use std::collections::BTreeMap;

use kube::api::{DynamicObject, Patch, PatchParams};
use portal_simulator::role_names::{
    DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT,
};
use portal_simulator::{Endpoint, UserSeed, UserView, Version, WalletDelay};
use serde_json::{Value, json};

use crate::definitions::{definition, fields, install, plane};
use crate::support::{
    CREATING, World, create, existing, one_company, one_user, reason, recorded, stored_status, world,
};

const READY: &str = "ready";
const EXISTING: &str = "existing";
const PENDING: &str = "pending";
const INTERRUPTED: &str = "interrupted";
const KINDS: [&str; 2] = ["portals", "technicalusers"];

fn earlier(file: &str) -> Value {
    let path = format!("{}/tests/e2e/earlier/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn patch_status(world: &World, name: &str, change: &Value) {
    let patch = Patch::Merge(json!({ "status": change }));
    world.users_api().patch_status(name, &PatchParams::default(), &patch).await.unwrap();
}

async fn stored(world: &World, name: &str) -> Value {
    stored_status(&world.user(name).await.unwrap()).clone()
}

/// A resource in each state, with its users in the portal.
async fn resources(world: &World) {
    world.apply(&create(READY, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create(PENDING, &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    world.apply(&create(INTERRUPTED, &world.namespace, DATASPACE_DISCOVERY)).await;
    one_user(world, READY).await;
    one_user(world, INTERRUPTED).await;
    world.because(PENDING, "Pending").await;
    let by_hand = world.simulator.seed_user(UserSeed::new("One", "by hand")).unwrap();
    world.apply(&existing(EXISTING, &world.namespace, &json!({ "id": by_hand.id }))).await;
    world.ready(EXISTING).await;
}

/// The statuses in the form of the earlier build, with a field that no build has had since.
async fn write_as_the_earlier_build(world: &World) {
    for name in [READY, EXISTING] {
        let mut credential = stored(world, name).await["credential"].clone();
        credential["verifiedAt"] = credential["issuedAt"].clone();
        let mut conditions = stored(world, name).await["conditions"].clone();
        for condition in conditions.as_array_mut().unwrap() {
            condition["message"] = "the words of an earlier build".into();
        }
        let change = json!({ "credential": credential, "conditions": conditions, "fashion": "of its time" });
        patch_status(world, name, &change).await;
        assert_eq!(stored(world, name).await["credential"], credential);
    }
    patch_status(world, PENDING, &json!({ "fashion": "of its time" })).await;
    // Killed between the answer to the create and the write of its status.
    let nothing = json!({ "user": null, "portal": null, "credential": null, "outputs": null, "conditions": [],
                          "observedGeneration": null });
    patch_status(world, INTERRUPTED, &nothing).await;
    world.secrets_api().delete(INTERRUPTED, &kube::api::DeleteParams::default()).await.unwrap();
    let interrupted = world.user(INTERRUPTED).await.unwrap();
    assert!(interrupted.metadata.annotations.unwrap().contains_key(CREATING));
}

/// Which state each resource is in, and the status of the Portal, which gets annotations meanwhile.
async fn states(world: &World) -> BTreeMap<&'static str, Value> {
    let mut states = BTreeMap::from([("Portal", stored_status(&world.portal().await.unwrap()).clone())]);
    for name in [READY, EXISTING, PENDING, INTERRUPTED] {
        states.insert(name, json!(world.user(name).await.unwrap().metadata.resource_version));
    }
    states
}

#[tokio::test]
async fn what_an_earlier_build_stored_is_read_and_its_users_are_kept() {
    let (_turn, plane) = plane().await;
    let simulator = one_company(Version::Main).wallet_delay(WalletDelay::Never);
    let mut world = world().plane(plane).simulator(simulator).start().await;
    resources(&world).await;
    world.stop_operator().await;
    for kind in KINDS {
        let mut definition = earlier(kind);
        fields(&mut definition, "status").insert("fashion".into(), json!({ "type": "string" }));
        install(&world, &definition, |told| told.contains("fashion") || kind == "portals").await;
    }
    write_as_the_earlier_build(&world).await;
    for kind in KINDS {
        install(&world, &definition(kind), |told| kind == "portals" || told.contains("firstVerifiedAt"))
            .await;
    }
    let users = world.ours();
    let (before, writes) = (stored(&world, READY).await, world.portal_writes());
    assert!(before["credential"].get("verifiedAt").is_none() && before.get("fashion").is_none(), "{before}");

    world.start_operator();
    one_user(&world, INTERRUPTED).await;
    one_user(&world, READY).await;
    world.ready(EXISTING).await;
    world.because(PENDING, "Pending").await;
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes, "no user is created, changed or deleted");
    assert_eq!(world.count(Endpoint::Create), 3);
    let ids = |users: Vec<UserView>| users.into_iter().map(|user| user.id).collect::<Vec<_>>();
    assert_eq!(ids(world.ours()), ids(users));
    let mut after = stored(&world, READY).await;
    let output = after["outputs"][0].as_object_mut().unwrap();
    // Which credential an output holds is known since then; it is the one that the status has counted.
    assert_eq!(output.remove("credential").as_ref(), Some(&before["credential"]["generation"]));
    // Nobody knows which roles that build asked for: those of the spec, which it could not see change.
    let user = after["user"].as_object_mut().unwrap();
    assert_eq!(user.remove("requestedRoles"), Some(json!([DATASPACE_DISCOVERY])));
    assert!(before["user"].get("requestedRoles").is_none());
    for part in ["user", "portal", "credential", "outputs"] {
        assert_eq!(after[part], before[part], "{part}");
    }

    let calm = states(&world).await;
    world.two_sweeps().await;
    assert_eq!(states(&world).await, calm, "no status is written again");

    let other = json!({ "spec": { "user": { "create": { "roles": [SEMANTIC_MODEL_MANAGEMENT] } } } });
    world.patch_user(READY, &other).await;
    let replaced = |user: &DynamicObject| recorded(user).generation == Some(2) && reason(user) == "Ready";
    world.until(READY, "another user has the other role", replaced).await;
}
