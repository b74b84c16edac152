//! Names the login Secret where the login is refused: in the Portal's own condition alone, as the conditions of resources in
//! other namespaces do not name it.

use crate::api::portal::{Auth, PortalSpec};
use crate::api::target::Target;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;

/// What the Portal's condition says, with the Secret that a refused login was read from.
pub fn named(blocker: Blocker, spec: Option<&PortalSpec>) -> Blocker {
    let target = spec.and_then(Target::of);
    match target.as_ref().and_then(|target| words(&target.auth)) {
        Some(words) if blocker.reason == Reason::LoginRefused => {
            Blocker { message: format!("{}. {words}", blocker.message), ..blocker }
        }
        _ => blocker,
    }
}

fn words(auth: &Auth) -> Option<String> {
    let (reference, keys) = match (&auth.client_credentials, &auth.refresh_token) {
        (Some(login), _) => (&login.secret_ref, "client-id and client-secret"),
        (None, Some(login)) => (&login.secret_ref, "refresh-token"),
        (None, None) => return None,
    };
    Some(format!("The login Secret is \"{}\", with the values {keys}", reference.name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(auth: &serde_json::Value) -> PortalSpec {
        let site = json!({
            "url": "https://portal.example.org",
            "tokenUrl": "https://idp.example.org/token",
            "auth": auth,
        });
        serde_json::from_value(json!({ "catenaX": site })).unwrap()
    }

    #[test]
    fn a_refused_login_names_its_secret_and_what_is_read_from_it() {
        let refused = || Blocker::lasting(Reason::LoginRefused, "refused");
        let login = json!({"secretRef": {"name": "portal-login"}});
        let of = |auth: &str| spec(&json!({ auth: login }));
        let message = |blocker, spec: &PortalSpec| named(blocker, Some(spec)).message;
        let words = message(refused(), &of("clientCredentials"));
        assert!(
            words.contains("\"portal-login\"") && words.contains("client-id and client-secret"),
            "{words}"
        );
        let words = message(refused(), &of("refreshToken"));
        assert!(words.contains("\"portal-login\"") && words.contains("refresh-token"), "{words}");
        let other = Blocker::lasting(Reason::Unreachable, "other");
        assert_eq!(message(other, &of("clientCredentials")), "other");
    }
}
