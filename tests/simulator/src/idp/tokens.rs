//! Access tokens (portal contract, sections 5.5 and 5.9).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::idp::{Human, IdpClient, PORTAL_CLIENT, TokenScopes};

/// What the portal reads from an access token that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Claim `client_id`, of a technical user.
    pub(crate) client_id: Option<String>,
    /// Claim `preferred_username` of a person.
    pub(crate) human: Option<Uuid>,
    pub(crate) permissions: Vec<String>,
    pub(crate) portal_audience: bool,
    pub(crate) ends: Instant,
}

/// A fresh token with its life in seconds, which is now and then one less than configured.
pub(crate) struct Issued {
    pub(crate) text: String,
    pub(crate) expires_in: u64,
    pub(crate) token: Token,
}

/// A token of a client's service account.
pub(crate) fn for_client(
    client: &IdpClient,
    scopes: TokenScopes,
    issuer: &str,
    lifetime: Duration,
) -> Issued {
    let portal_audience = !client.permissions.is_empty();
    let mut audience = client.other_audiences.clone();
    audience.extend(["Cl23-CX-Policy-Hub", "account"].map(str::to_owned));
    let mut access = json!({});
    if scopes.account {
        let roles = ["manage-account", "manage-account-links", "view-profile"].map(str::to_owned);
        insert(&mut access, "account", &roles);
    }
    if scopes.technical_roles && !client.roles.is_empty() {
        audience.push("technical_roles_management".to_owned());
        insert(&mut access, "technical_roles_management", &client.roles);
    }
    if portal_audience {
        audience.push(PORTAL_CLIENT.to_owned());
        insert(&mut access, PORTAL_CLIENT, &client.permissions);
    }
    let access = Some(access).filter(|access| access.as_object().is_some_and(|clients| !clients.is_empty()));
    let name = format!("service-account-{}", client.client_id);
    let claims = json!({
        "azp": client.client_id, "client_id": client.client_id, "preferred_username": name,
        "bpn": client.bpn_claim.clone().unwrap_or_else(|| json!(client.bpn)),
        "resource_access": access, "scope": "email profile",
        "clientHost": "127.0.0.1", "clientAddress": "127.0.0.1", "email_verified": false,
    });
    issue(claims, audience, issuer, lifetime, |ends| Token {
        client_id: Some(client.client_id.clone()),
        human: None,
        permissions: client.permissions.clone(),
        portal_audience,
        ends,
    })
}

/// A token of a person.
pub(crate) fn for_human(human: &Human, bpn: Option<&str>, issuer: &str, lifetime: Duration) -> Issued {
    let portal_audience = !human.permissions.is_empty();
    let mut access = json!({"account": {"roles": ["manage-account", "view-profile"]}});
    let mut audience = vec!["account".to_owned()];
    if portal_audience {
        audience.push(PORTAL_CLIENT.to_owned());
        insert(&mut access, PORTAL_CLIENT, &human.permissions);
    }
    let claims = json!({
        "azp": PORTAL_CLIENT, "preferred_username": human.id, "bpn": bpn, "name": human.name,
        "resource_access": access, "scope": "openid email profile offline_access", "email_verified": true,
    });
    issue(claims, audience, issuer, lifetime, |ends| Token {
        client_id: None,
        human: Some(human.id),
        permissions: human.permissions.clone(),
        portal_audience,
        ends,
    })
}

fn insert(access: &mut Value, client: &str, roles: &[String]) {
    if let Some(map) = access.as_object_mut() {
        map.insert(client.to_owned(), json!({"roles": roles}));
    }
}

fn issue(
    mut claims: Value,
    mut audience: Vec<String>,
    issuer: &str,
    lifetime: Duration,
    token: impl FnOnce(Instant) -> Token,
) -> Issued {
    // The real one gives the audience in no fixed order, and 299 as often as not.
    fastrand::shuffle(&mut audience);
    let expires_in = lifetime.as_secs().saturating_sub(fastrand::u64(0..=1)).max(1);
    let now = jiff::Timestamp::now().as_second();
    if let Some(map) = claims.as_object_mut() {
        map.retain(|_, value| !value.is_null());
        let ends = now.saturating_add_unsigned(expires_in);
        for (key, value) in [
            ("exp", json!(ends)),
            ("iat", json!(now)),
            ("jti", json!(format!("trrtcc:{}", crate::random::uuid()))),
            ("iss", json!(issuer)),
            ("aud", json!(audience)),
            ("sub", json!(crate::random::uuid())),
            ("typ", json!("Bearer")),
            ("acr", json!("1")),
            (
                "realm_access",
                json!({"roles": ["default-roles-catena-x realm", "offline_access", "uma_authorization"]}),
            ),
        ] {
            map.insert(key.to_owned(), value);
        }
    }
    let text = jwt("RS256", &claims);
    Issued { text, expires_in, token: token(Instant::now() + lifetime) }
}

/// Three base64url parts; the signature is no real one, the simulator knows its tokens by heart.
pub(crate) fn jwt(algorithm: &str, claims: &Value) -> String {
    let header = json!({"alg": algorithm, "typ": "JWT", "kid": URL_SAFE_NO_PAD.encode(crate::random::uuid().as_bytes())});
    let signature: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(256).collect();
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string()),
        URL_SAFE_NO_PAD.encode(signature)
    )
}
