//! The servers of one Portal, each with a limiter and a circuit breaker of its own.

use std::sync::Arc;

use parking_lot::Mutex;
use url::{Origin, Url};

use super::ServerKind;
use super::observe::CallObserver;
use super::resilient::{Limits, Server};
use crate::process::Process;

/// The most wallets that are remembered while nothing is sent to them. The portal names them, so it must not decide how many there
/// are.
const IDLE_WALLETS: usize = 16;

/// The portal, its identity provider, and the wallets of its users.
///
/// Two token endpoints of one origin (scheme, host and port) are one server: the realms of an identity provider, and the wallets of
/// all users at one provider. The portal is a server apart from all of them, also from one of the same origin. There, an ingress
/// sends the paths to different services: the portal's backend and the identity provider. They are loaded, and fail, one without
/// the other. Where the ingress itself fails, both breakers see it.
pub(crate) struct Servers {
    portal: Arc<Server>,
    identity_provider: (Origin, Arc<Server>),
    /// Those used last are at the end.
    wallets: Mutex<Vec<(Origin, Arc<Server>)>>,
    blueprint: Blueprint,
}

/// What a server is created with.
struct Blueprint {
    limits: Limits,
    observer: Arc<dyn CallObserver>,
    process: Process,
}

impl Servers {
    /// The servers of a portal whose login gets its tokens at `token_url`. The limits hold for each of them.
    pub(crate) fn new(
        token_url: &Url,
        limits: Limits,
        observer: Arc<dyn CallObserver>,
        process: Process,
    ) -> Self {
        let blueprint = Blueprint { limits, observer, process };
        Self {
            portal: blueprint.server(ServerKind::Portal),
            identity_provider: (token_url.origin(), blueprint.server(ServerKind::IdentityProvider)),
            wallets: Mutex::default(),
            blueprint,
        }
    }

    /// The portal.
    pub(crate) const fn portal(&self) -> &Arc<Server> {
        &self.portal
    }

    /// The server of a token endpoint.
    pub(crate) fn of_token_url(&self, url: &Url) -> Arc<Server> {
        let origin = url.origin();
        let (of_the_login, identity_provider) = &self.identity_provider;
        if origin == *of_the_login { Arc::clone(identity_provider) } else { self.wallet(origin) }
    }

    fn wallet(&self, origin: Origin) -> Arc<Server> {
        let mut wallets = self.wallets.lock();
        let known = wallets.iter().position(|(known, _)| *known == origin);
        let server = match known {
            Some(at) => wallets.remove(at).1,
            None => self.blueprint.server(ServerKind::Wallet),
        };
        wallets.push((origin, Arc::clone(&server)));
        drop_idle(&mut wallets);
        server
    }
}

/// Forgets the servers that nothing was sent to for the longest time. One in use is kept: another one in its place would permit
/// more requests at the same time.
fn drop_idle(wallets: &mut Vec<(Origin, Arc<Server>)>) {
    let is_idle = |server: &Arc<Server>| Arc::strong_count(server) == 1;
    let idle = wallets.iter().filter(|(_, server)| is_idle(server)).count();
    let mut left = idle.saturating_sub(IDLE_WALLETS);
    wallets.retain(|(_, server)| {
        let goes = left > 0 && is_idle(server);
        left -= usize::from(goes);
        !goes
    });
}

impl Blueprint {
    fn server(&self, kind: ServerKind) -> Arc<Server> {
        Arc::new(Server::new(kind, self.limits, &self.observer, &self.process))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::observe::NoObserver;

    fn servers() -> Servers {
        let token_url = url("https://idp.example.org/realms/central/token");
        Servers::new(&token_url, Limits::default(), Arc::new(NoObserver), Process::system())
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn kept(servers: &Servers) -> usize {
        servers.wallets.lock().len()
    }

    #[test]
    fn endpoints_of_one_origin_are_one_server() {
        let servers = servers();
        let of = |text: &str| servers.of_token_url(&url(text));
        for (one, other, same) in [
            ("https://w.example.org/a/token", "https://W.example.org:443/b/token?zone=1", true),
            ("https://w.example.org/token", "https://w.example.org:8443/token", false),
            ("https://w.example.org/token", "http://w.example.org/token", false),
            ("https://w.example.org/token", "https://v.example.org/token", false),
        ] {
            assert_eq!(Arc::ptr_eq(&of(one), &of(other)), same, "{one} {other}");
            assert_eq!(of(one).kind, ServerKind::Wallet);
        }
        let realm = of("https://idp.example.org/realms/other/token");
        assert_eq!(realm.kind, ServerKind::IdentityProvider);
        assert!(Arc::ptr_eq(&realm, &of("https://idp.example.org/realms/central/token")));
        assert_eq!(kept(&servers), 4);
    }

    #[test]
    fn a_portal_that_names_ever_more_wallets_fills_no_memory() {
        let servers = servers();
        let wallet =
            |number: usize| servers.of_token_url(&url(&format!("https://w{number}.example.org/token")));
        let in_use: Vec<_> = (0..20).map(wallet).collect();
        for number in 100..1100 {
            drop(wallet(number));
        }
        assert_eq!(kept(&servers), in_use.len() + IDLE_WALLETS + 1, "and the one that was returned last");
        for (number, server) in in_use.iter().enumerate() {
            assert!(Arc::ptr_eq(server, &wallet(number)), "one that is in use is the same for all");
        }
        drop(in_use);
        drop(wallet(0));
        assert_eq!(kept(&servers), IDLE_WALLETS + 1);
    }
}
