//! What is checked in a Vault before anything is written there: the server, the login, the mount and the policy.

use std::sync::Arc;
use std::time::Duration;

use super::abandoned::Site;
use super::access::folder;
use super::blocker::blocker;
use super::login::jwt::audience;
use super::login::{self, Built};
use super::policy::{self, Use};
use super::view::server;
use super::wake_all;
use crate::api::portal::AccessFrom;
use crate::api::vault::{VaultAccessRule, VaultSpec};
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::vault::path::{Alias, EntryPath, Folder, Mount, PathError};
use crate::domain::vault::place::Server;
use crate::vault::{VaultClient, VaultError};

/// The alias of an entry that does not exist. The check reads only what the policy allows for it.
const PROBE: &str = "technicaluser.dev-probe";
/// For how long it counts that Vault refused a token for another audience.
const AUDIENCE_COUNTS_FOR: Duration = Duration::from_hours(1);
/// What a prefix names its namespaces by.
const PLACEHOLDER: &str = "{namespace}";

/// What a check finds.
pub struct Found {
    /// The version of the server, or why the Vault cannot be used.
    pub version: Result<String, Blocker>,
    /// Where entries can be removed that were left there: the login is accepted.
    pub site: Option<Site>,
}

/// A Vault that accepts the login.
struct LoggedIn {
    built: Built,
    mount: Mount,
    server: Server,
    version: String,
    /// What the policies of the login lack: outputs that need less are served all the same.
    narrow: Option<Blocker>,
}

/// Checks whether the Vault can be used.
pub async fn check(ctx: &Arc<Context>, key: &Key, (spec, state): (&VaultSpec, &str)) -> Found {
    match log_in(ctx, key, (spec, state)).await {
        Ok(accepted) => {
            let client = Arc::clone(&accepted.built.client);
            let (mount, server) = (accepted.mount.clone(), Some(accepted.server.clone()));
            Found {
                version: usable(ctx, key, spec, accepted).await,
                site: Some(Site { client, mount, server }),
            }
        }
        Err(blocker) => Found { version: Err(blocker), site: None },
    }
}

async fn log_in(
    ctx: &Arc<Context>,
    key: &Key,
    (spec, state): (&VaultSpec, &str),
) -> Result<LoggedIn, Blocker> {
    let invalid = |error: PathError| Blocker::lasting(Reason::InvalidResource, error.to_string());
    let mount = Mount::parse(&spec.mount).map_err(invalid)?;
    let places = places(spec, &key.namespace).map_err(invalid)?;
    let built = login::client(ctx, key, spec).await?;
    let health = built.client.health().await.map_err(|error| blocker(&error, spec, key))?;
    let server = server(&health, spec);
    if ctx.vault_memory.answered(key, state, &server) {
        wake_all(ctx, key);
    }
    if let Some(blocker) = ctx.vault_memory.refused_logins.of(key, &built.fingerprint) {
        return Err(blocker);
    }
    let narrow = match lacking(&built.client, &mount, &places).await {
        Ok(lacking) => (!lacking.is_empty()).then(|| too_narrow(&lacking)),
        Err(error @ VaultError::Forbidden { .. }) => Some(blocker(&error, spec, key)),
        Err(error) => {
            let blocker = blocker(&error, spec, key);
            if let VaultError::LoginRefused(_) = error {
                ctx.vault_memory.refused_logins.refused(key, &built.fingerprint, &blocker);
            }
            return Err(blocker);
        }
    };
    ctx.vault_memory.refused_logins.accepted(key);
    Ok(LoggedIn { built, mount, server, version: health.version, narrow })
}

/// The version of a Vault that accepts the login and can be used.
async fn usable(ctx: &Context, key: &Key, spec: &VaultSpec, accepted: LoggedIn) -> Result<String, Blocker> {
    let LoggedIn { built, version, narrow, .. } = accepted;
    check_audience(ctx, key, spec, &built).await?;
    // The last one: outputs are served in spite of it.
    narrow.map_or(Ok(version), Err)
}

/// Whether Vault accepts no token for another audience. That was seen before, or is tried: a person may change the role at any time.
async fn check_audience(ctx: &Context, key: &Key, spec: &VaultSpec, built: &Built) -> Result<(), Blocker> {
    let memory = &ctx.vault_memory;
    let seen_before = memory.audience_checked_before(key, &built.fingerprint);
    if seen_before.is_some_and(|time| time < AUDIENCE_COUNTS_FOR) {
        return Ok(());
    }
    let Some(refused) = built.refused(ctx, key)? else { return Ok(()) };
    match audience_counts(&refused, spec, key).await {
        Ok(()) => memory.audience_checked(key, &built.fingerprint),
        // Without an answer, what was seen before counts. The next check tries it again.
        Err(blocker) if seen_before.is_some() && blocker.reason != Reason::AudienceNotChecked => {}
        Err(blocker) => {
            memory.audience_not_checked(key);
            return Err(blocker);
        }
    }
    Ok(())
}

/// The folders in which entries may be, as far as they are known before a resource has one: that of a rule with
/// `{namespace}` depends on the namespace.
fn places(spec: &VaultSpec, own: &str) -> Result<Vec<Folder>, PathError> {
    let Some(rules) = &spec.access else { return Ok(vec![Folder::default()]) };
    let is_known = |rule: &&VaultAccessRule| {
        rule.namespaces.from == AccessFrom::Same
            || rule.prefix.as_ref().is_some_and(|prefix| !prefix.contains(PLACEHOLDER))
    };
    rules.iter().filter(is_known).map(|rule| folder(rule.prefix.as_deref(), own)).collect()
}

/// What the policies of the login lack, in words, once the mount is known to be KV version 2.
async fn lacking(client: &VaultClient, mount: &Mount, places: &[Folder]) -> Result<Vec<String>, VaultError> {
    let Ok(alias) = Alias::parse(PROBE) else { return Ok(Vec::new()) };
    let probe = |folder| EntryPath::new(mount, folder, &alias);
    let probes: Vec<_> = places.iter().map(probe).collect();
    let anywhere = probe(&Folder::default());
    client.require_kv2(mount, probes.first().unwrap_or(&anywhere)).await?;
    let lacks = policy::lacking(client, &probes, Use::Own).await?;
    let place = |path: &str| path.strip_suffix(PROBE).unwrap_or(path).to_owned();
    Ok(lacks.iter().map(|(path, lacks)| format!("{} on {}*", lacks.join(", "), place(path))).collect())
}

/// Fails where the role accepts a token for another audience: then it accepts those of every Vault resource, and who can create
/// one in any namespace can log in here.
async fn audience_counts(refused: &VaultClient, spec: &VaultSpec, key: &Key) -> Result<(), Blocker> {
    match refused.log_in().await {
        Err(VaultError::LoginRefused(_)) => Ok(()),
        Err(error) => Err(blocker(&error, spec, key)),
        Ok(()) => Err(Blocker::lasting(
            Reason::AudienceNotChecked,
            format!(
                "The role accepts tokens of the operator's ServiceAccount for any audience, also those that are sent to other \
                 servers. Set audience={} on the role in Vault",
                audience(key)
            ),
        )),
    }
}

fn too_narrow(lacking: &[String]) -> Blocker {
    Blocker::lasting(
        Reason::PolicyTooNarrow,
        format!(
            "The policies of the login lack these capabilities: {}. Add them to the policy in Vault",
            lacking.join("; ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::objects::part;
    use crate::controller::test_support::apiserver::{Apiserver, context};
    use crate::controller::test_support::vault::Vault;

    /// What a check finds of a Vault whose role gives this policy to tokens of this audience, or of any.
    async fn reason(policy: &str, audience: Option<&str>) -> Option<Reason> {
        let (vault, key) = (Vault::default(), Key { namespace: "ops".into(), name: "vault".into() });
        vault.accept_service_account(policy, audience);
        let mut ctx = context(Apiserver::default().client());
        vault.serve_with(&mut ctx, &key.namespace, &json!({"auth": {"kubernetes": {"role": "operator"}}}));
        let spec: VaultSpec = part(&ctx.vaults.get(&key).unwrap(), "spec").unwrap();
        check(&Arc::new(ctx), &key, (&spec, "state")).await.version.err().map(|blocker| blocker.reason)
    }

    /// Outputs are served in spite of what a policy lacks.
    #[tokio::test]
    async fn the_audience_is_checked_before_the_policy() {
        let few = r#"path "secret/*" { capabilities = ["read", "update", "patch"] }"#;
        let none = r#"path "other/*" { capabilities = ["read"] }"#;
        let audience = Some("technicaluser.dev/ops/vault");
        assert_eq!(reason(ALL, audience).await, None);
        for policy in [few, none] {
            assert_eq!(reason(policy, audience).await, Some(Reason::PolicyTooNarrow), "{policy}");
        }
        for policy in [ALL, few, none] {
            assert_eq!(reason(policy, None).await, Some(Reason::AudienceNotChecked), "{policy}");
        }
    }

    const ALL: &str = r#"path "secret/*" { capabilities = ["create", "read", "update", "patch", "delete"] }"#;

    /// A person removes the audience from the role, and puts it back.
    #[tokio::test(start_paused = true)]
    async fn a_role_that_is_widened_later_is_reported_within_an_hour() {
        let (vault, key) = (Vault::default(), Key { namespace: "ops".into(), name: "vault".into() });
        let audience = Some("technicaluser.dev/ops/vault");
        vault.accept_service_account(ALL, audience);
        let mut ctx = context(Apiserver::default().client());
        vault.serve_with(&mut ctx, &key.namespace, &json!({"auth": {"kubernetes": {"role": "operator"}}}));
        let spec: VaultSpec = part(&ctx.vaults.get(&key).unwrap(), "spec").unwrap();
        let ctx = Arc::new(ctx);
        let reason =
            async || check(&ctx, &key, (&spec, "state")).await.version.err().map(|blocker| blocker.reason);
        let minutes = async |minutes| tokio::time::advance(Duration::from_mins(minutes)).await;
        assert_eq!(reason().await, None);
        let logins = vault.logins();
        minutes(59).await;
        assert_eq!((reason().await, vault.logins()), (None, logins), "it is not tried at each check");
        vault.require_audience(None);
        minutes(1).await;
        assert_eq!(reason().await, Some(Reason::AudienceNotChecked));
        minutes(1).await;
        assert_eq!(reason().await, Some(Reason::AudienceNotChecked), "until it is repaired");
        vault.require_audience(audience);
        assert_eq!(reason().await, None);

        // Without an answer, what was seen before counts.
        minutes(60).await;
        vault.fail_logins(true);
        assert_eq!(reason().await, None);
        vault.require_audience(None);
        vault.fail_logins(false);
        assert_eq!(reason().await, Some(Reason::AudienceNotChecked), "the next check tries it again");
        vault.fail_logins(true);
        let unknown = reason().await;
        assert!(
            unknown.is_some_and(|reason| reason != Reason::AudienceNotChecked),
            "nothing counts: {unknown:?}"
        );
    }

    #[test]
    fn the_folders_are_checked_that_do_not_depend_on_a_resource() {
        let found = |access: serde_json::Value| {
            let mut spec = json!({
                "address": "https://vault", "mount": "secret", "auth": {"tokenSecretRef": {"name": "t"}},
            });
            if !access.is_null() {
                spec["access"] = access;
            }
            let spec = serde_json::from_value(spec).unwrap();
            places(&spec, "own").map(|found| found.iter().map(|folder| folder.as_str().to_owned()).collect())
        };
        let expect = |paths: &[&str]| Ok(paths.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(found(json!(null)), expect(&[""]));
        assert_eq!(found(json!([])), expect(&[]));
        let rules = json!([
            {"namespaces": {"from": "Same"}},
            {"namespaces": {"from": "Same"}, "prefix": "teams/{namespace}"},
            {"namespaces": {"from": "All"}, "prefix": "all/{namespace}"},
            {"namespaces": {"from": "All"}, "prefix": "shared"},
        ]);
        assert_eq!(found(rules), expect(&["", "teams/own", "shared"]));
        let rules = json!([{"namespaces": {"from": "Same"}, "prefix": "a/../b"}]);
        assert_eq!(found(rules), Err(PathError::Dots));
    }
}
