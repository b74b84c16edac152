//! The running simulator.

use std::io;
use std::sync::Arc;

use crate::calls::{Call, Endpoint};
use crate::config::{Config, Tls};
use crate::core::{Core, Origins, Settings};
use crate::faults::{Fault, FaultId};
use crate::gates::{Gate, Stage};
use crate::http::Part;
use crate::idp::{IdpMoment, IdpTrouble, Troubled};
use crate::server::Host;
use crate::setup::{self, StartError};
use crate::state::State;
use crate::tls::Authority;
use crate::version::Version;
use crate::view::{UserView, View};
use crate::wallet;

/// A running simulator; dropping it stops everything.
pub struct Simulator {
    pub(crate) core: Arc<Core>,
    hosts: tokio::sync::Mutex<Vec<(Part, Host)>>,
    authorities: Vec<(Part, String)>,
}

impl Simulator {
    /// Starts to listen.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let settings = settings(&config);
        let (tls, one_port, address) = (config.tls, config.one_port, config.address);
        let tls_names = [config.tls_names.as_slice(), &[address.to_string()]].concat();
        let core = Core::new(setup::state(config)?, settings);
        let authorities = authorities(tls)?;
        let mut bound = Vec::new();
        let parts = if one_port.is_some() { &Part::ALL[..1] } else { &Part::ALL[..] };
        for part in parts {
            let authority = authorities.iter().find(|(of, _)| of == part);
            let acceptor = authority.map(|(_, authority)| authority.acceptor(&tls_names)).transpose()?;
            let serves = one_port.is_none().then_some(*part);
            let (host, listener) = Host::bind(serves, (address, one_port.unwrap_or(0)), acceptor).await?;
            bound.push((*part, host, listener));
        }
        let origin = |part: Part| {
            let own = bound.iter().find(|(of, ..)| *of == part).or(bound.first());
            own.map(|(_, host, _)| host.origin()).unwrap_or_default()
        };
        core.set_origins(Origins {
            portal: origin(Part::Portal),
            idp: origin(Part::Idp),
            wallet: origin(Part::Wallet),
        });
        let mut hosts = Vec::new();
        for (part, mut host, listener) in bound {
            host.serve(&core, listener);
            hosts.push((part, host));
        }
        let authorities =
            authorities.into_iter().map(|(part, authority)| (part, authority.pem.clone())).collect();
        Ok(Self { core, hosts: tokio::sync::Mutex::new(hosts), authorities })
    }

    /// Without hosts that listen.
    pub(crate) fn over(core: Arc<Core>) -> Self {
        Self { core, hosts: tokio::sync::Mutex::default(), authorities: Vec::new() }
    }

    /// Origin of the portal's host.
    #[must_use]
    pub fn portal_url(&self) -> &str {
        self.core.origin(Part::Portal)
    }

    /// Address of the Administration service.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/api/administration", self.portal_url())
    }

    /// Token endpoint of the identity provider.
    #[must_use]
    pub fn token_url(&self) -> String {
        self.core.token_url()
    }

    /// Origin of the wallet's host.
    #[must_use]
    pub fn wallet_url(&self) -> &str {
        self.core.origin(Part::Wallet)
    }

    /// Certificates of the authorities of all hosts; empty without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        let mut pems: Vec<&str> = self.authorities.iter().map(|(_, pem)| pem.as_str()).collect();
        pems.dedup();
        pems.concat()
    }

    /// Certificate of the authority of one host; `None` without TLS.
    #[must_use]
    pub fn ca_pem_of(&self, part: Part) -> Option<&str> {
        self.authorities.iter().find(|(of, _)| *of == part).map(|(_, pem)| pem.as_str())
    }

    /// Makes one host unreachable: its connections are cut and new ones refused. Without the identity provider the
    /// portal answers 502; what the wallet has to do waits.
    pub async fn stop(&self, part: Part) {
        self.set_reachable(part, false);
        for (_, host) in self.hosts.lock().await.iter_mut().filter(|(of, _)| *of == part) {
            host.stop().await;
        }
    }

    /// Makes a stopped host reachable again on its address.
    pub async fn restart(&self, part: Part) -> io::Result<()> {
        for (_, host) in self.hosts.lock().await.iter_mut().filter(|(of, _)| *of == part) {
            host.restart(&self.core).await?;
        }
        self.set_reachable(part, true);
        Ok(())
    }

    fn set_reachable(&self, part: Part, reachable: bool) {
        let url = wallet::reported_url(&self.core);
        self.core.change(|state| match part {
            Part::Portal => {}
            Part::Idp => state.idp.reachable = reachable,
            Part::Wallet => {
                state.wallet.reachable = reachable;
                wallet::run_due(state, &url);
            }
        });
    }

    /// [`Simulator::stop`] of the wallet's host.
    pub async fn stop_wallet(&self) {
        self.stop(Part::Wallet).await;
    }

    /// [`Simulator::restart`] of the wallet's host.
    pub async fn restart_wallet(&self) -> io::Result<()> {
        self.restart(Part::Wallet).await
    }

    /// From now on the portal is of this version.
    pub fn set_version(&self, version: Version) {
        self.change(|state| state.version = version);
    }

    /// Reads the state.
    pub fn view<T>(&self, f: impl FnOnce(&View<'_>) -> T) -> T {
        self.core.read(|state| f(&View(state)))
    }

    /// Waits, without polling, until the state is so. The condition runs under the state's lock: it must not call
    /// the simulator.
    pub async fn wait_for(&self, mut condition: impl FnMut(&View<'_>) -> bool) {
        self.core.wait_for(|state| condition(&View(state))).await;
    }

    /// Ends with the next change of the state, from this call on.
    pub fn changed(&self) -> impl Future<Output = ()> + '_ {
        self.core.changed()
    }

    /// The technical users of a company; see [`View::users`].
    #[must_use]
    pub fn users(&self, company: &str) -> Vec<UserView> {
        self.view(|view| view.users(company))
    }

    /// How often the users may have changed; see [`View::changes_of_users`].
    #[must_use]
    pub fn changes_of_users(&self) -> u64 {
        self.core.read(|state| View(state).changes_of_users())
    }

    /// Clients of the identity provider that the API never shows; see [`View::orphaned_clients`].
    #[must_use]
    pub fn orphaned_clients(&self) -> Vec<String> {
        self.core.read(|state| View(state).orphaned_clients())
    }

    /// All calls in the order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.view(|view| view.calls().to_vec())
    }

    /// The calls of one endpoint in the order of arrival.
    #[must_use]
    pub fn calls_of(&self, endpoint: Endpoint) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.endpoint == endpoint).collect()
    }

    /// How often the endpoint was called.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.view(|view| view.count(endpoint))
    }

    /// Every secret value ever handed out: of seeded callers and made users, access tokens and refresh tokens.
    #[must_use]
    pub fn secrets_handed_out(&self) -> Vec<String> {
        self.core.read(|state| state.secrets.iter().cloned().collect())
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) -> FaultId {
        self.change(|state| state.faults.inject(fault))
    }

    /// Removes one fault.
    pub fn remove_fault(&self, id: FaultId) {
        self.change(|state| state.faults.remove(id));
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.change(|state| state.faults.clear());
    }

    /// Holds all calls of an endpoint at a stage.
    #[must_use]
    pub fn gate(&self, endpoint: Endpoint, stage: Stage) -> Gate {
        self.gate_after(endpoint, stage, 0)
    }

    /// Lets this number of calls of an endpoint pass a stage, and holds the next ones there.
    #[must_use]
    pub fn gate_after(&self, endpoint: Endpoint, stage: Stage, calls: usize) -> Gate {
        let (gate, inner) = Gate::new(endpoint, stage, calls);
        self.change(|state| state.gates.push(inner));
        gate
    }

    /// Lets the portal meet trouble at the identity provider this number of times; `None`: until healed.
    pub fn trouble_idp(&self, trouble: IdpTrouble, moment: IdpMoment, times: Option<usize>) {
        self.change(|state| state.idp.troubles.push(Troubled { trouble, moment, times }));
    }

    /// Ends all trouble between portal and identity provider.
    pub fn heal_idp(&self) {
        self.change(|state| state.idp.troubles.clear());
    }

    pub(crate) fn change<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        self.core.change(f)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.core.end.cancel();
    }
}

pub(crate) fn settings(config: &Config) -> Settings {
    Settings {
        wallet_delay: config.wallet_delay,
        wallet_url_with_path: config.wallet_url_with_path,
        latency: config.latency,
        collation: config.collation,
        token_lifetime: config.token_lifetime,
        clock_skew: config.clock_skew,
    }
}

/// The authority of each host.
fn authorities(tls: Tls) -> Result<Vec<(Part, Arc<Authority>)>, StartError> {
    let mut authorities = Vec::new();
    match tls {
        Tls::Off => {}
        Tls::OneAuthority => {
            let authority = Arc::new(Authority::new("simulator CA")?);
            authorities.extend(Part::ALL.map(|part| (part, Arc::clone(&authority))));
        }
        Tls::AuthorityPerHost => {
            for part in Part::ALL {
                authorities.push((part, Arc::new(Authority::new(&format!("simulator CA of {part:?}"))?)));
            }
        }
    }
    Ok(authorities)
}
