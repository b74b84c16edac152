//! Two resources that name one place in a Vault before either of them has written there.

use std::sync::Arc;

use serde_json::json;

use super::super::vault_entry::vaults::Vaults;
use super::vault_entries::VaultEntries;
use crate::api::technical_user::Output as Spec;
use crate::controller::objects::Key;
use crate::controller::technical_user::outputs::Resource;
use crate::controller::technical_user::outputs::of_entry;
use crate::controller::test_support::apiserver::{context, technical_user, watch_users};
use crate::controller::test_support::vault::Entry;
use crate::domain::identity::Owner;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;

/// Two Vault resources of one server, or of two, and two `TechnicalUser`s.
async fn two_vaults(servers: [&str; 2]) -> VaultEntries {
    let mut place = VaultEntries::new().await;
    let mut ctx = context(place.apiserver.client());
    place.vault.serve_named(&mut ctx, "connector", &["vault", "other"]);
    let _woken = watch_users(&mut ctx, ["edc", "second"].map(|name| technical_user(name, &json!({}))));
    place.resource.ctx = Arc::new(ctx);
    for (vault, server) in ["vault", "other"].into_iter().zip(servers) {
        place.answers(vault, server);
    }
    place
}

/// Whether a resource may write the entry `shared`.
async fn proof(place: &VaultEntries, resource: &str, vault: &str, policy: &str) -> Result<(), Reason> {
    let output = json!({"vaultRef": {"name": vault}, "path": "shared", "creationPolicy": policy});
    let spec: Spec = serde_json::from_value(json!({ "vault": output })).unwrap();
    let ctx = Arc::clone(&place.resource.ctx);
    let key = Key { namespace: "connector".into(), name: resource.into() };
    let owner = Owner { name: resource.into(), ..place.resource.owner.clone() };
    let mut resource = Resource { ctx, key, owner, ..place.resource.clone() };
    let vaults = Vaults::of(&resource.ctx, &resource.key, Some(std::slice::from_ref(&spec)), &[]).await;
    resource.stores.vaults = vaults.unwrap();
    let mut output = of_entry(&resource, &spec).unwrap();
    let proof = output.prove_writable(&OutputState::Absent, 1).await.unwrap();
    proof.map(drop).map_err(|blocker| blocker.reason)
}

#[tokio::test]
async fn the_second_of_two_gets_no_user_whichever_vault_resource_it_names() {
    for (policy, refused) in [("Owner", Reason::OutputNotOurs), ("Merge", Reason::KeyTaken)] {
        for (vault, servers, second) in [
            ("vault", ["cluster-1", "cluster-2"], Err(refused)),
            ("other", ["cluster-1", "cluster-1"], Err(refused)),
            ("other", ["cluster-1", "cluster-2"], Ok(())),
        ] {
            let place = two_vaults(servers).await;
            if policy == "Merge" {
                let data = json!({"theirs": "x"});
                place.vault.put("shared", Entry { version: 1, data, ..Entry::default() });
            }
            assert_eq!(proof(&place, "edc", "vault", policy).await, Ok(()));
            assert_eq!(proof(&place, "second", vault, policy).await, second, "{policy} {servers:?}");
            assert_eq!(proof(&place, "edc", "vault", policy).await, Ok(()), "it has the place");
        }
    }
}
