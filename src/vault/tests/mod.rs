//! The client over a transport without a network: lost answers, tokens that grow old, servers that no test can start.

mod answers;
mod entries;
mod tokens;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{Auth, VaultClient, VaultConfig};
use crate::domain::vault::path::{Alias, EntryPath, Folder, Mount};
use crate::process::Process;
use crate::transport::in_memory::{InMemory, response};
use crate::transport::{HttpRequest, HttpResponse};

const LOGIN: &str = "/v1/auth/approle/login";
const RENEW: &str = "/v1/auth/token/renew-self";
const LOOK_UP: &str = "/v1/auth/token/lookup-self";
const DATA: &str = "/v1/secret/data/wallet";
const FORBIDDEN: &str = r#"{"errors":["1 error occurred:\n\t* permission denied\n\n"]}"#;

fn entry() -> EntryPath {
    let (mount, alias) = (Mount::parse("secret").unwrap(), Alias::parse("wallet").unwrap());
    EntryPath::new(&mount, &Folder::default(), &alias)
}

fn config() -> VaultConfig {
    VaultConfig {
        address: "https://vault.example.org:8200".into(),
        namespace: None,
        auth: Auth::AppRole {
            mount: Mount::parse("approle").unwrap(),
            role_id: "writer".into(),
            secret_id: "s3cret-id".into(),
        },
        ca_bundle: None,
        insecure_http: false,
    }
}

fn client(network: &InMemory) -> VaultClient {
    VaultClient::new(config(), network, Process::system()).unwrap()
}

fn issued(token: &str, seconds: u64, renewable: bool) -> HttpResponse {
    let auth = json!({"client_token": token, "lease_duration": seconds, "renewable": renewable});
    response(200, &[], &json!({ "auth": auth }).to_string())
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    response(status, &[], &body.to_string())
}

fn version(number: u64, data: &Value) -> HttpResponse {
    answer(200, &json!({"data": {"data": data, "metadata": {"version": number, "destroyed": false}}}))
}

/// Logs in as `t1`, `t2` and so on with tokens of this life, and answers the rest like this.
fn network(
    life: u64,
    renewable: bool,
    rest: impl Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static,
) -> InMemory {
    let logins = Mutex::new(0);
    InMemory::new(move |request| {
        if request.url.path() != LOGIN {
            return rest(request);
        }
        let mut logins = logins.lock();
        *logins += 1;
        Some(issued(&format!("t{logins}"), life, renewable))
    })
}

/// What has reached the server: method, path and token of each request.
fn seen(network: &InMemory) -> Vec<String> {
    let line = |seen: crate::transport::in_memory::Seen| {
        format!("{} {} {}", seen.method, seen.path, seen.bearer.unwrap_or_default()).trim_end().to_owned()
    };
    network.seen().into_iter().map(line).collect()
}
