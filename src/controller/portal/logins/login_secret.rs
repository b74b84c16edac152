//! Names the login Secret where the login is refused: in the Portal's own condition alone, as the conditions of resources in
//! other namespaces do not name it.

use crate::api::portal::PortalSpec;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::site::{LoginForm, LoginSecret, Site};

/// What the Portal's condition says, with the Secret that a refused login was read from.
pub fn named(blocker: Blocker, spec: Option<&PortalSpec>) -> Blocker {
    let secret = spec.and_then(Site::of).and_then(|site| site.logins.main.secret);
    match secret {
        Some(secret) if blocker.reason == Reason::LoginRefused => {
            Blocker { message: format!("{}. {}", blocker.message, words(&secret)), ..blocker }
        }
        _ => blocker,
    }
}

fn words(secret: &LoginSecret) -> String {
    let keys = match secret.form {
        LoginForm::ClientCredentials { client_id, client_secret } => {
            format!("{client_id} and {client_secret}")
        }
        LoginForm::RefreshToken { token, .. } => token.to_owned(),
    };
    format!("The login Secret is \"{}\", with the values {keys}", secret.name)
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
        let other = Blocker::lasting(Reason::Unreachable, "Other");
        assert_eq!(message(other, &of("clientCredentials")), "Other");
    }
}
