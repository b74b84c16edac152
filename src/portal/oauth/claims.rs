//! What an access token says of its bearer, read without checking its signature: it came over TLS from the issuer that
//! the Portal names, and it is the portal that decides by it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::domain::text::printable;
use crate::portal::bounds::{Gather, Gathered, NAME};
use crate::portal::{Permissions, TokenRoles};

/// The client whose roles are the portal's permissions.
const PERMISSIONS_OF: &str = "Cl2-CX-Portal";

/// The client whose roles are those of technical users.
pub(crate) const TECHNICAL_ROLES_OF: &str = "technical_roles_management";

/// The most roles of one client that a token may name.
const ROLES: usize = 512;

/// The most companies that a token may name.
const COMPANIES: usize = 64;

/// The claims that matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The business partner numbers, each once, in the order of the alphabet.
    pub(crate) companies: Vec<String>,
    /// A technical user's own client; a person's token has none.
    pub(crate) client_id: Option<String>,
    pub(crate) technical_roles: Vec<String>,
    pub(crate) permissions: Permissions,
}

#[derive(Deserialize)]
struct Payload {
    bpn: Option<Gathered<All>>,
    client_id: Option<Gathered<First>>,
    #[serde(default)]
    resource_access: Access,
}

/// The roles by client.
type Access = BTreeMap<String, Gathered<Roles>>;

/// The roles of one client, at most [`ROLES`].
#[derive(Default)]
struct Roles(Vec<String>);

impl Gather for Roles {
    fn text(&mut self, key: &str, text: &str) {
        if key == "roles" && self.0.len() < ROLES {
            self.0.push(printable(text, NAME));
        }
    }
}

fn roles(access: &Access, client: &str) -> Vec<String> {
    access.get(client).map(|Gathered(Roles(roles))| roles.clone()).unwrap_or_default()
}

/// A claim's text; of a multi-valued one (a mapper's setting) the first.
#[derive(Default)]
struct First(Option<String>);

impl Gather for First {
    fn text(&mut self, _: &str, text: &str) {
        self.0.get_or_insert_with(|| printable(text, NAME));
    }
}

/// All texts of a claim, which may hold one or several: the first [`COMPANIES`] of the alphabet.
#[derive(Default)]
struct All(BTreeSet<String>);

impl Gather for All {
    fn text(&mut self, _: &str, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.0.insert(printable(text, NAME));
        }
        if self.0.len() > COMPANIES {
            self.0.pop_last();
        }
    }
}

fn payload(token: &SecretString) -> Option<Payload> {
    let payload = token.expose_secret().split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// The roles that a technical user's token shows; `None` where it is no JWT.
pub(super) fn token_roles(token: &SecretString) -> Option<TokenRoles> {
    let access = payload(token)?.resource_access;
    let mut technical = roles(&access, TECHNICAL_ROLES_OF);
    technical.sort();
    let mut clients: Vec<(&String, Vec<String>)> =
        access.keys().map(|client| (client, roles(&access, client))).collect();
    clients.sort();
    let mut hasher = DefaultHasher::new();
    for (client, roles) in &mut clients {
        roles.sort();
        (client, roles).hash(&mut hasher);
    }
    Some(TokenRoles { technical, digest: hasher.finish() })
}

impl Claims {
    /// `None` where the token is no JWT.
    pub(super) fn of(token: &SecretString) -> Option<Self> {
        let payload = payload(token)?;
        let permissions = roles(&payload.resource_access, PERMISSIONS_OF);
        let has = |name: &str| permissions.iter().any(|permission| permission == name);
        Some(Self {
            companies: payload
                .bpn
                .map(|Gathered(All(texts))| texts.into_iter().collect())
                .unwrap_or_default(),
            client_id: payload
                .client_id
                .and_then(|Gathered(First(text))| text)
                .filter(|text| !text.is_empty()),
            technical_roles: roles(&payload.resource_access, TECHNICAL_ROLES_OF),
            permissions: Permissions {
                view: has("view_tech_user_management"),
                create: has("add_tech_user_management"),
                delete: has("delete_tech_user_management"),
                roles: has("technical_roles_management"),
                dataspace: has("view_company_data"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use crate::portal::test_support::json::a_body;

    use super::*;

    fn claims(payload: &str) -> Option<Claims> {
        Claims::of(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload)).into())
    }

    #[test]
    fn a_technical_users_token_names_the_user() {
        let claims = claims(
            r#"{"bpn":"BPNL00000003CRHK","client_id":"sa12","azp":"sa12","resource_access":{
                "technical_roles_management":{"roles":["Connector Management"]},
                "Cl2-CX-Portal":{"roles":["view_tech_user_management","add_tech_user_management"]}}}"#,
        )
        .unwrap();
        assert_eq!(claims.companies, ["BPNL00000003CRHK"]);
        assert_eq!(claims.client_id.as_deref(), Some("sa12"));
        assert_eq!(claims.technical_roles, ["Connector Management"]);
        assert_eq!(claims.permissions, Permissions { view: true, create: true, ..Permissions::default() });
    }

    #[test]
    fn a_persons_token_has_no_client_and_a_bpn_may_be_a_list() {
        let claims = claims(r#"{"bpn":["BPNL1"],"azp":"Cl2-CX-Portal"}"#).unwrap();
        assert_eq!(claims, Claims { companies: vec!["BPNL1".into()], ..Claims::default() });
    }

    #[test]
    fn several_companies_are_the_same_in_any_order() {
        for claim in [r#"["B","A"]"#, r#"["A","B","A",""," B "]"#, r#"["A",null,7,"B"]"#] {
            assert_eq!(claims(&format!(r#"{{"bpn":{claim}}}"#)).unwrap().companies, ["A", "B"], "{claim}");
        }
        for claim in ["null", r#""""#, "[]", "7", "{}"] {
            assert!(claims(&format!(r#"{{"bpn":{claim}}}"#)).unwrap().companies.is_empty(), "{claim}");
        }
        let many: Vec<String> = (0..1000).map(|number| format!("\"C{number:03}\"")).collect();
        let companies = claims(&format!(r#"{{"bpn":[{}]}}"#, many.join(","))).unwrap().companies;
        assert_eq!((companies.len(), companies[63].as_str()), (64, "C063"));
    }

    #[test]
    fn the_roles_of_a_token_are_compared_whatever_their_order() {
        let shown = |payload: &str| {
            token_roles(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload)).into()).unwrap()
        };
        let one = shown(
            r#"{"resource_access":{"technical_roles_management":{"roles":["b","a"]},"Cl2-CX-Portal":{"roles":["x","y"]}}}"#,
        );
        assert_eq!(one.technical, ["a", "b"]);
        let same = shown(
            r#"{"jti":"other","resource_access":{"Cl2-CX-Portal":{"roles":["y","x"]},"technical_roles_management":{"roles":["a","b"]}}}"#,
        );
        assert_eq!(one, same);
        for other in [
            r#"{"resource_access":{"technical_roles_management":{"roles":["a"]},"Cl2-CX-Portal":{"roles":["x","y"]}}}"#,
            r#"{"resource_access":{"technical_roles_management":{"roles":["a","b"]},"Cl2-CX-Portal":{"roles":["x"]}}}"#,
            r#"{"resource_access":{"technical_roles_management":{"roles":["a","b"]}}}"#,
            r#"{"resource_access":{"account":{"roles":["view-profile"]}}}"#,
        ] {
            assert_ne!(one.digest, shown(other).digest, "{other}");
        }
        assert!(shown("{}").technical.is_empty(), "its last role was removed");
        assert_eq!(token_roles(&"opaque".into()), None);
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        for token in ["", "opaque", "a.b.c", "e30.bm8.x", "e30.W10.x"] {
            assert_eq!(Claims::of(&token.into()), None, "{token}");
        }
    }

    proptest! {
        #[test]
        fn any_token_can_be_read(
            token in any::<String>(),
            body in a_body(&["bpn", "client_id", "resource_access", "roles", "technical_roles_management", "Cl2-CX-Portal"]),
        ) {
            let jwt = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(body));
            for token in [token, jwt] {
                let token = SecretString::from(token);
                let claims = Claims::of(&token);
                prop_assert_eq!(claims.is_some(), token_roles(&token).is_some());
                let Some(claims) = claims else { continue };
                prop_assert!(claims.companies.len() <= COMPANIES && claims.technical_roles.len() <= ROLES);
            }
        }

        #[test]
        fn any_claim_is_read_back(
            company in "[A-Z0-9]{1,16}", client in "[!-~]{1,20}", roles in vec("[a-zA-Z ]{1,20}", 0..8),
        ) {
            let payload = serde_json::json!({
                "bpn": company, "client_id": client, "resource_access": {TECHNICAL_ROLES_OF: {"roles": roles}},
            });
            let claims = claims(&payload.to_string()).unwrap();
            prop_assert_eq!(claims.companies, [company]);
            prop_assert_eq!(claims.client_id, Some(client));
            prop_assert_eq!(claims.technical_roles, roles);
        }
    }
}
