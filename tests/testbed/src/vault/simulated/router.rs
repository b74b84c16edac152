//! The way of a call: the seal, the token, its policies, and then what is mounted at the path.

use serde_json::Value;
use tokio::time::Instant;

use super::kv::Kv;
use super::policies::{Capability, Permitted};
use super::{Answer, Engine, EntryChange, Method, Request, Role, State, errors, missing};

const DENIED: &str = "1 error occurred:\n\t* permission denied\n\n";
const INVALID_TOKEN: &str = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";

impl State {
    pub(super) fn answer(&mut self, request: &Request<'_>) -> Answer {
        if request.path == "sys/health" {
            return self.health();
        }
        if self.sealed {
            return errors(503, "Vault is sealed");
        }
        if self.role == Role::RedirectingStandby {
            return (307, Value::Null);
        }
        self.tokens.expire();
        if let Some(mount) = request.path.strip_prefix("auth/").and_then(|path| path.strip_suffix("/login")) {
            return self.log_in(mount, request.body);
        }
        let Some(policies) = self.tokens.policies(request.token) else { return errors(403, INVALID_TOKEN) };
        let permitted = Permitted::of(&policies, &self.policies);
        if !permitted.allows(request.path, self.capability(request)) && !is_of_ui(request.path) {
            return errors(403, DENIED);
        }
        self.route(request, &permitted)
    }

    fn route(&mut self, request: &Request<'_>, permitted: &Permitted) -> Answer {
        if let Some(path) = request.path.strip_prefix("sys/") {
            return self.system(request, path, permitted);
        }
        if let Some(path) = request.path.strip_prefix("auth/token/") {
            return self.token_call(request, path);
        }
        if let Some(path) = request.path.strip_prefix("auth/") {
            return self.method_call(request, path);
        }
        let Some((mount, path)) = self.engine_of(request.path) else { return no_route(request.path) };
        if !matches!(self.engines.get(&mount), Some(Engine::Kv2(_))) {
            return missing();
        }
        let entry = path.split_once('/').map_or_else(String::new, |(_, name)| format!("{mount}/{name}"));
        let change = |kv: &mut Kv, _: &str| kv.answer(request.method, path, request.body);
        self.change_entry(&entry, change).unwrap_or_else(missing)
    }

    /// Does something with the mount of an entry, and records how it changes the entry. `path` has the mount and what follows it.
    pub(super) fn change_entry<T>(
        &mut self,
        path: &str,
        change: impl FnOnce(&mut Kv, &str) -> T,
    ) -> Option<T> {
        let (mount, name) = self.engine_of(path)?;
        let Some(Engine::Kv2(kv)) = self.engines.get_mut(&mount) else { return None };
        let before = kv.view(name);
        let done = change(kv, name);
        let after = kv.view(name);
        if after != before {
            self.changes.push(EntryChange { at: Instant::now(), path: path.to_owned(), entry: after });
        }
        Some(done)
    }

    /// The capability that a call needs.
    fn capability(&self, request: &Request<'_>) -> Capability {
        match request.method {
            "GET" => Capability::Read,
            "LIST" => Capability::List,
            "DELETE" => Capability::Delete,
            "PATCH" => Capability::Patch,
            _ if self.creates(request.path) => Capability::Create,
            _ => Capability::Update,
        }
    }

    /// Whether a POST to a path creates an entry, with data or only with metadata.
    fn creates(&self, path: &str) -> bool {
        let Some((mount, below)) = self.engine_of(path) else { return false };
        let Some(Engine::Kv2(kv)) = self.engines.get(&mount) else { return false };
        let name = below.strip_prefix("data/").or_else(|| below.strip_prefix("metadata/"));
        name.is_some_and(|name| !kv.has(name))
    }

    /// The mount of a path, and what follows it.
    pub(super) fn engine_of<'a>(&self, path: &'a str) -> Option<(String, &'a str)> {
        let below = |mount: &String| {
            let rest = path.strip_prefix(mount.as_str())?.strip_prefix('/')?;
            Some((mount.clone(), rest))
        };
        self.engines.keys().filter_map(below).max_by_key(|(mount, _)| mount.len())
    }

    fn log_in(&mut self, mount: &str, body: &Value) -> Answer {
        match self.methods.get_mut(mount) {
            Some(Method::AppRole(method)) => method.log_in(body, &mut self.tokens, mount),
            Some(Method::Kubernetes(method)) => method.log_in(body, &mut self.tokens, mount),
            // The same as for a path that is not there and one that is forbidden.
            Some(Method::Token) | None => errors(403, "permission denied"),
        }
    }

    fn method_call(&mut self, request: &Request<'_>, path: &str) -> Answer {
        let below =
            |mount: &String| Some((mount.clone(), path.strip_prefix(mount.as_str())?.strip_prefix('/')?));
        let Some((mount, rest)) = self.methods.keys().find_map(below) else { return no_route(request.path) };
        match self.methods.get_mut(&mount) {
            Some(Method::AppRole(method)) => method.call(request, rest),
            Some(Method::Kubernetes(method)) => method.call(request, rest),
            Some(Method::Token) | None => no_route(request.path),
        }
    }
}

/// What the web page asks for, which each token may: it decides by the mount.
fn is_of_ui(path: &str) -> bool {
    path.starts_with("sys/internal/ui/mounts/")
}

fn no_route(path: &str) -> Answer {
    errors(404, &format!("no handler for route \"{path}\". route entry not found."))
}
