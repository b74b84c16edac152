//! What a failure of Vault means for its Vault resource.

use super::login::jwt::audience;
use crate::api::vault::VaultSpec;
use crate::controller::objects::Key;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::vault::{LoginRefusal, VaultError};

/// What a failure means.
pub(in crate::controller) fn blocker(error: &VaultError, spec: &VaultSpec, key: &Key) -> Blocker {
    let words = error.to_string();
    match error {
        VaultError::Unreachable { .. } => Blocker::passing(
            Reason::Unreachable,
            format!(
                "{words}; if the address is correct, DNS, an egress rule or a proxy setting may be missing"
            ),
        ),
        VaultError::Tls { .. } => Blocker::lasting(
            Reason::TlsFailed,
            format!("{words}; if the certificate is of your own authority, name it in tls.caBundle"),
        ),
        VaultError::NotVault { .. } => Blocker::lasting(
            Reason::NotVault,
            format!(
                "{words}: address is the origin of the server's API, such as https://vault.example.org:8200"
            ),
        ),
        VaultError::Sealed => Blocker::passing(Reason::VaultSealed, format!("{words}; unseal it")),
        VaultError::NotInitialized => {
            Blocker::lasting(Reason::VaultNotInitialized, format!("{words}; initialize and unseal it"))
        }
        VaultError::Standby => Blocker::passing(
            Reason::VaultStandby,
            format!("{words}; address must lead to the active server, such as by the Service of the chart"),
        ),
        VaultError::LoginRefused(why) => {
            Blocker::lasting(Reason::LoginRefused, format!("{words}. {}", what_to_do(*why, spec, key)))
        }
        VaultError::NoJwt(why) if why.denied => Blocker::lasting(
            Reason::TokenRequestDenied,
            format!(
                "{words}. spec.auth.kubernetes needs this right: set the chart's value vault.kubernetesAuth.enabled to true, or \
                 log in by appRole or tokenSecretRef"
            ),
        ),
        VaultError::NoJwt(_) => Blocker::passing(Reason::KubernetesError, words),
        VaultError::Forbidden { .. } => Blocker::lasting(
            Reason::PolicyTooNarrow,
            format!(
                "{words}. Add it to the policy in Vault, and check the mount: Vault gives the same answer if there is none"
            ),
        ),
        VaultError::NoMount { .. } => Blocker::lasting(
            Reason::MountNotFound,
            format!("{words}; enable KV version 2 there, or correct mount"),
        ),
        VaultError::NotKv2 { .. } => {
            Blocker::lasting(Reason::NotKvVersion2, format!("{words}; connectors read KV version 2 only"))
        }
        VaultError::Throttled { .. } => Blocker::passing(
            Reason::VaultThrottled,
            format!("{words}; a rate limit quota of Vault, or a proxy before it, limits the requests"),
        ),
        VaultError::CasMismatch | VaultError::BadAnswer { .. } | VaultError::Other { .. } => {
            Blocker::passing(Reason::VaultFailing, words)
        }
    }
}

/// What a person does about a refused login.
fn what_to_do(why: LoginRefusal, spec: &VaultSpec, key: &Key) -> String {
    if spec.auth.kubernetes.is_some() {
        return format!(
            "The role must be bound to the operator's ServiceAccount and its namespace, with audience={}",
            audience(key)
        );
    }
    let of_role = spec.auth.app_role.as_ref().map(|role| &role.secret_ref);
    let secret = spec.auth.token_secret_ref.as_ref().or(of_role).map_or("", |secret| secret.name.as_str());
    match why {
        LoginRefusal::NoMethod => "Enable the auth method in Vault, or correct auth.appRole.mount".to_owned(),
        _ => format!("Correct the Secret \"{secret}\", which the operator reads again automatically"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::text::sentence;
    use crate::vault::NoJwt;

    fn spec(auth: &serde_json::Value) -> VaultSpec {
        serde_json::from_value(json!({"address": "https://vault", "mount": "secret", "auth": auth})).unwrap()
    }

    #[test]
    fn each_failure_has_a_reason_and_says_who_acts() {
        let spec = spec(&json!({"tokenSecretRef": {"name": "vault-token"}}));
        let key = Key { namespace: "n".into(), name: "v".into() };
        let no_jwt = |denied| VaultError::NoJwt(NoJwt { reason: "busy".into(), denied });
        for (error, reason, stalled) in [
            (VaultError::Sealed, Reason::VaultSealed, false),
            (VaultError::NotInitialized, Reason::VaultNotInitialized, true),
            (VaultError::Standby, Reason::VaultStandby, false),
            (VaultError::NotVault { endpoint: "h:1".into() }, Reason::NotVault, true),
            (VaultError::NoMount { mount: "m".into() }, Reason::MountNotFound, true),
            (VaultError::NotKv2 { mount: "m".into(), found: "f".into() }, Reason::NotKvVersion2, true),
            (VaultError::Forbidden { call: "GET m/data/x".into() }, Reason::PolicyTooNarrow, true),
            (no_jwt(false), Reason::KubernetesError, false),
            (no_jwt(true), Reason::TokenRequestDenied, true),
            (VaultError::Other { status: 500, words: None }, Reason::VaultFailing, false),
            (VaultError::Throttled { retry_after: None }, Reason::VaultThrottled, false),
        ] {
            let found = blocker(&error, &spec, &key);
            assert_eq!((found.reason, found.stalled), (reason, stalled), "{error:?}");
            assert!(found.message.starts_with(&sentence(&error.to_string())), "{}", found.message);
        }
    }

    #[test]
    fn a_refused_login_names_what_to_correct() {
        let key = Key { namespace: "n".into(), name: "v".into() };
        let refused = |auth, why| blocker(&VaultError::LoginRefused(why), &spec(&auth), &key).message;
        let words = refused(json!({"tokenSecretRef": {"name": "vault-token"}}), LoginRefusal::Token);
        assert!(words.contains("\"vault-token\""), "{words}");
        let app_role = json!({"appRole": {"roleId": "r", "secretRef": {"name": "vault-id"}}});
        assert!(refused(app_role.clone(), LoginRefusal::AppRole).contains("\"vault-id\""));
        assert!(refused(app_role, LoginRefusal::NoMethod).contains("auth.appRole.mount"));
        let words = refused(json!({"kubernetes": {"role": "r"}}), LoginRefusal::Audience);
        assert!(words.contains("audience=technicaluser.dev/n/v"), "{words}");
    }
}
