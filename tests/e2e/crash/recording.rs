//! The calls of a run without a crash.

use std::collections::BTreeMap;

use portal_simulator::Endpoint;

use super::Call;
use crate::support::World;

/// The beginning of a recording.
pub struct Recording {
    requests: usize,
    calls: usize,
    entries: usize,
}

impl Recording {
    /// Records from now on.
    pub fn start(world: &World) -> Self {
        let entries = world.vault_proxy.as_ref().map_or(0, |proxy| proxy.requests().len());
        Self { requests: world.proxy.requests().len(), calls: world.simulator.calls().len(), entries }
    }

    /// The calls since then; those for the Portal itself are left out.
    pub fn calls(&self, world: &World) -> Vec<Call> {
        let mut found = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for request in &world.proxy.requests()[self.requests..] {
            let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
            if query.contains("watch=") || path.contains("/portals/") || path.ends_with("/portal-login") {
                continue;
            }
            let path = path.replace(&world.namespace, "{}");
            let dry_run = query.contains("dryRun=All");
            let nth = seen.entry(format!("{} {path} {dry_run}", request.method)).or_default();
            *nth += 1;
            found.push(Call::Apiserver { method: request.method.clone(), path, dry_run, nth: *nth });
        }
        found.extend(self.vault_calls(world));
        let mut seen: BTreeMap<Endpoint, usize> = BTreeMap::new();
        let made = world.simulator.calls();
        let mut made = &made[self.calls..];
        // The last token may be obtained by the test itself.
        if let [calls @ .., last] = made
            && last.endpoint == Endpoint::Token
        {
            made = calls;
        }
        for call in made {
            let skip = seen.entry(call.endpoint).or_default();
            found.push(Call::Portal { endpoint: call.endpoint, skip: *skip });
            *skip += 1;
        }
        found
    }

    /// The calls for entries in the Vault; its checks are left out.
    fn vault_calls(&self, world: &World) -> Vec<Call> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let requests = world.vault_proxy.iter().flat_map(testbed::ApiProxy::requests).skip(self.entries);
        let entries = requests.filter(|request| request.target.starts_with("/v1/secret/"));
        entries
            .map(|request| {
                let (method, path) = (request.method, request.target);
                let nth = seen.entry(format!("{method} {path}")).or_default();
                *nth += 1;
                Call::Vault { method, path, nth: *nth }
            })
            .collect()
    }
}
