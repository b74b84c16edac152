//! The wallet service: it creates and removes wallet users some time after the portal's answer, and has a token
//! endpoint of its own (portal contract, sections 2.8, 4.2, 4.6 and 6).

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::calls::Endpoint;
use crate::config::WalletDelay;
use crate::core::Core;
use crate::http::{Part, Reply, Request, field};
use crate::idp::{endpoint::credentials, tokens::jwt};
use crate::state::user::Step;
use crate::state::{State, Status, WalletCredential};
use crate::version::Version;

/// A service key at the wallet: the credential of one user.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) bpn: String,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Create,
    Delete,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    task: Task,
    user: Uuid,
    due: bool,
}

/// All that the wallet knows.
#[derive(Default)]
pub(crate) struct Wallet {
    pub(crate) keys: Vec<Key>,
    pub(crate) held: bool,
    pub(crate) reachable: bool,
    jobs: Vec<Job>,
}

/// What a backup has of it.
#[derive(Clone, Debug)]
pub(crate) struct Backup {
    keys: Vec<Key>,
    jobs: Vec<Job>,
}

impl Wallet {
    pub(crate) fn new() -> Self {
        Self { reachable: true, ..Self::default() }
    }

    pub(crate) fn back_up(&self) -> Backup {
        Backup { keys: self.keys.clone(), jobs: self.jobs.clone() }
    }

    /// The delays of the jobs are over.
    pub(crate) fn restore(&mut self, backup: Backup) {
        self.keys = backup.keys;
        self.jobs = backup.jobs.into_iter().map(|job| Job { due: true, ..job }).collect();
    }
}

/// The name by which the wallet knows a user: letters and digits only, lower case, 32 characters.
pub(crate) fn cut(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(32).collect()
}

/// Address that the wallet reports for its users.
pub(crate) fn reported_url(core: &Core) -> String {
    let origin = core.origin(Part::Wallet);
    if core.settings.wallet_url_with_path { format!("{origin}/oauth/token") } else { origin.to_owned() }
}

/// Puts a job into the queue, to be done after the configured delay.
pub(crate) fn schedule(core: &Arc<Core>, task: Task, user: Uuid) {
    core.change(|state| state.wallet.jobs.push(Job { task, user, due: false }));
    let WalletDelay::After(delay) = core.settings.wallet_delay else {
        return;
    };
    let core = Arc::clone(core);
    tokio::spawn(async move {
        tokio::select! {
            () = core.end.cancelled() => return,
            () = tokio::time::sleep(delay) => {}
        }
        let url = reported_url(&core);
        core.change(|state| {
            for job in &mut state.wallet.jobs {
                job.due |= job.task == task && job.user == user;
            }
            run_due(state, &url);
        });
    });
}

/// Makes every waiting job due and does it, whatever holds the wallet.
pub(crate) fn run_all(state: &mut State, url: &str) {
    for job in std::mem::take(&mut state.wallet.jobs) {
        run(state, job, url);
    }
}

/// Does the jobs that are due, unless the wallet is held or cannot be reached: then they wait.
pub(crate) fn run_due(state: &mut State, url: &str) {
    if state.wallet.held || !state.wallet.reachable {
        return;
    }
    let (due, waiting) = std::mem::take(&mut state.wallet.jobs).into_iter().partition(|job: &Job| job.due);
    state.wallet.jobs = waiting;
    let due: Vec<Job> = due;
    for job in due {
        run(state, job, url);
    }
}

fn run(state: &mut State, job: Job, url: &str) {
    let Some((bpn, name)) = wallet_name(state, job.user) else { return };
    match job.task {
        Task::Create => create(state, job.user, bpn, name, url),
        Task::Delete => delete(state, job.user, &bpn, &name),
    }
}

/// Business partner number and wallet name of a user.
pub(crate) fn wallet_name(state: &State, user: Uuid) -> Option<(String, String)> {
    let user = state.user(user)?;
    let bpn = state.company(user.company)?.bpn.clone().unwrap_or_default();
    Some((bpn, cut(&user.name)))
}

fn create(state: &mut State, id: Uuid, bpn: String, name: String, url: &str) {
    let taken = state.wallet.keys.iter().any(|key| key.bpn == bpn && key.name == name);
    let Some(user) = state.user_mut(id) else { return };
    let Some((_, step @ Step::AwaitCreated)) = &mut user.process else { return };
    // The wallet finds the other user's key under this name: the creation fails and it is reported nowhere.
    if taken {
        *step = Step::CreateFailed;
        return;
    }
    let key = new_key(bpn, name);
    activate(state, id, &key.client_id, &key.secret, url);
    state.wallet.keys.push(key);
}

/// A fresh key of the shape that SAP gives.
pub(crate) fn new_key(bpn: String, name: String) -> Key {
    let instance = fastrand::u32(100_000..999_999);
    let client_id = format!("sb-{}!b{instance}|{name}!b{}", crate::random::uuid(), fastrand::u32(1000..9999));
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(40).collect();
    let (head, tail) = random.split_at(20);
    Key { bpn, name, client_id, secret: format!("{}${head}!b|{tail}==", crate::random::uuid()) }
}

/// What the callback of the wallet service does.
pub(crate) fn activate(state: &mut State, id: Uuid, client_id: &str, secret: &str, url: &str) {
    if let Some(user) = state.user_mut(id) {
        user.status = Status::Active;
        user.client_id = Some(client_id.to_owned());
        user.wallet = Some(WalletCredential { secret: secret.to_owned(), url: url.to_owned() });
        user.revision += 1;
        if let Some((_, step)) = &mut user.process {
            *step = Step::Created;
        }
    }
    state.note_secret(secret);
}

fn delete(state: &mut State, id: Uuid, bpn: &str, name: &str) {
    // Found by name: of two users of one name, the key of the first is deleted.
    if let Some(index) = state.wallet.keys.iter().position(|key| key.bpn == bpn && key.name == name) {
        state.wallet.keys.remove(index);
    }
    deleted(state, id);
}

/// What the callback after a removal does: up to 2.6 it waits for the wrong step, so that the user stays
/// `PENDING_DELETION` for ever (portal contract, section 0, fact 8).
pub(crate) fn deleted(state: &mut State, id: Uuid) {
    let fixed = state.version >= Version::Main;
    if let Some(user) = state.user_mut(id).filter(|_| fixed) {
        user.status = Status::Deleted;
        if let Some((_, step)) = &mut user.process {
            *step = Step::Deleted;
        }
    }
}

/// Which endpoint a request to the wallet is for.
pub(crate) fn classify(request: &Request) -> Endpoint {
    if request.path == "/oauth/token" { Endpoint::WalletToken } else { Endpoint::Other }
}

/// Answers a request to the wallet.
pub(crate) fn handle(core: &Core, request: &Request) -> Reply {
    if request.path != "/oauth/token" {
        return error(StatusCode::NOT_FOUND, "not_found", "Not Found");
    }
    if request.method != Method::POST {
        return error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Request method not supported");
    }
    let form = request.form().unwrap_or_default();
    if field(&form, "grant_type") != Some("client_credentials") {
        return error(StatusCode::BAD_REQUEST, "invalid_request", "Missing or unsupported grant type");
    }
    let Some((id, Some(secret))) = credentials(request, &form) else {
        return error(StatusCode::UNAUTHORIZED, "unauthorized", "Bad credentials");
    };
    core.change(|state| {
        if !state.wallet.keys.iter().any(|key| key.client_id == id && key.secret == secret) {
            return error(StatusCode::UNAUTHORIZED, "unauthorized", "Bad credentials");
        }
        let claims = json!({"client_id": id, "azp": id, "jti": crate::random::uuid(), "zid": crate::random::uuid(),
            "iss": format!("{}/oauth/token", core.origin(Part::Wallet)), "scope": ["uaa.resource"]});
        let token = jwt("RS256", &claims);
        state.note_secret(&token);
        Reply::ok(&json!({"access_token": token, "token_type": "bearer", "expires_in": 43199,
            "scope": "uaa.resource", "jti": crate::random::uuid()}))
    })
}

fn error(status: StatusCode, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "error_description": description}))
}
