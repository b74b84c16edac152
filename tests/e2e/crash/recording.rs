//! The calls of a run without a crash.

use std::collections::BTreeMap;

use portal_simulator::Endpoint;

use super::Call;
use crate::support::World;

/// The beginning of a recording.
pub struct Recording {
    requests: usize,
    calls: usize,
}

impl Recording {
    /// Records from now on.
    pub fn start(world: &World) -> Self {
        Self { requests: world.proxy.requests().len(), calls: world.simulator.calls().len() }
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
}
