//! A portal, an identity provider and a wallet that want to do harm: each of their answers ends in an error or in bounded
//! text, and none leads the client to a request of its own.

mod bodies;
mod counts;
mod ids;
mod memory;
mod text;

use serde_json::{Value, json};
use technical_user_operator::portal::PortalError;

use crate::stub::{PERMISSIONS, Reply, Seen, Stub, jwt, messages, tokens};

/// A portal whose login works; `answer` answers all else.
async fn portal_that(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Stub {
    Stub::start(move |seen, _| match seen.what() {
        "token" => tokens(&jwt("sa1", &PERMISSIONS), 300),
        "errormessage" => messages(),
        _ => answer(seen),
    })
    .await
}

/// A page that claims to be all of `total` users.
fn page_of(total: u64, pages: u64, users: &[Value]) -> Value {
    json!({
        "meta": {"totalElements": total, "totalPages": pages, "page": 0, "contentSize": users.len()},
        "content": users,
    })
}

/// An entry of the list.
fn listed(id: &str, name: &str) -> Value {
    json!({"serviceAccountId": id, "clientId": "sa7", "name": name, "userType": "INTERNAL",
        "serviceAccountType": "OWN", "status": "ACTIVE", "isOwner": true})
}

/// The details of a user.
fn details(id: &str) -> Value {
    json!({"serviceAccountId": id, "clientId": "sa7", "name": "n", "description": "d", "roles": [],
        "companyServiceAccountTypeId": "OWN", "usertype": "INTERNAL", "status": "ACTIVE", "secret": "s"})
}

/// An object with one member more.
fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

fn is_bad(error: &PortalError) -> bool {
    matches!(error, PortalError::BadAnswer { .. } | PortalError::NotATokenEndpoint)
}
