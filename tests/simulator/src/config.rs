//! What a simulator is started with.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::state::order::Collation;
use crate::version::Version;

/// Everything a [`crate::Simulator`] is started with; see the builder methods.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) version: Version,
    pub(crate) companies: Vec<Company>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) wallet_delay: WalletDelay,
    pub(crate) wallet_url_with_path: bool,
    pub(crate) latency: bool,
    pub(crate) collation: Collation,
    pub(crate) tls: Tls,
    pub(crate) tls_names: Vec<String>,
    pub(crate) token_lifetime: Duration,
    pub(crate) clock_skew: Duration,
    pub(crate) one_port: Option<u16>,
    pub(crate) address: IpAddr,
}

/// When the wallet service creates or removes a wallet user (portal contract, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalletDelay {
    /// This time after the portal's answer.
    After(Duration),
    /// Only on request, by [`crate::Simulator::activate_wallet_users`].
    Never,
}

/// Whether the addresses are `https`, and who signed the certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP.
    Off,
    /// One certificate authority signs the certificates of all three hosts.
    OneAuthority,
    /// Each host has an authority of its own, so that a client can trust one and not the other.
    AuthorityPerHost,
}

impl Config {
    /// A portal of this version without companies and callers, plain HTTP, on free ports.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            companies: Vec::new(),
            callers: Vec::new(),
            wallet_delay: WalletDelay::After(Duration::from_millis(50)),
            wallet_url_with_path: false,
            latency: false,
            collation: Collation::default(),
            tls: Tls::Off,
            tls_names: Vec::new(),
            token_lifetime: Duration::from_mins(5),
            clock_skew: Duration::from_mins(5),
            one_port: None,
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Adds a company.
    #[must_use]
    pub fn company(mut self, company: Company) -> Self {
        self.companies.push(company);
        self
    }

    /// Adds a caller.
    #[must_use]
    pub fn caller(mut self, caller: Caller) -> Self {
        self.callers.push(caller);
        self
    }

    /// How long the wallet service takes (default 50 ms; the real one takes minutes).
    #[must_use]
    pub fn wallet_delay(mut self, delay: WalletDelay) -> Self {
        self.wallet_delay = delay;
        self
    }

    /// Whether the wallet service reports its token address with `/oauth/token` at its end. The real one
    /// reports the address without it (portal contract, section 6), which is the default.
    #[must_use]
    pub fn wallet_url_with_path(mut self, with_path: bool) -> Self {
        self.wallet_url_with_path = with_path;
        self
    }

    /// Whether calls cost the time measured at the real service (portal contract, section 14).
    #[must_use]
    pub fn latency(mut self, on: bool) -> Self {
        self.latency = on;
        self
    }

    /// How the database sorts the lists (portal contract, section 2.1).
    #[must_use]
    pub fn collation(mut self, collation: Collation) -> Self {
        self.collation = collation;
        self
    }

    /// Whether and how the addresses are `https`.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// More names of hosts for the certificates, besides localhost and 127.0.0.1.
    #[must_use]
    pub fn tls_names<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.tls_names = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// Life of an access token of the identity provider (default 300 s, as the real one).
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// For how long the portal still takes a token that has ended (default 300 s, as the real one).
    #[must_use]
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// Serves the three hosts on this one port (0: a free one) instead of one free port each.
    #[must_use]
    pub fn one_port(mut self, port: u16) -> Self {
        self.one_port = Some(port);
        self
    }

    /// Listens on this address of the machine instead of 127.0.0.1; certificates name it.
    #[must_use]
    pub fn listen_on(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = address.into();
        self
    }
}

/// A company of the portal.
#[derive(Clone, Debug)]
pub struct Company {
    pub(crate) name: String,
    pub(crate) bpn: Option<String>,
    pub(crate) roles: Vec<CompanyRole>,
    pub(crate) own_wallet: bool,
}

impl Company {
    /// A company with a business partner number and the role `ACTIVE_PARTICIPANT`.
    #[must_use]
    pub fn new(name: &str, bpn: &str) -> Self {
        Self {
            name: name.to_owned(),
            bpn: Some(bpn.to_owned()),
            roles: vec![CompanyRole::ActiveParticipant],
            own_wallet: false,
        }
    }

    /// Its roles, instead of `ACTIVE_PARTICIPANT` alone.
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = CompanyRole>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// Takes its business partner number away, as of a company whose registration is not finished.
    #[must_use]
    pub fn without_bpn(mut self) -> Self {
        self.bpn = None;
        self
    }

    /// The company brings its own wallet (portal contract, section 7, main).
    #[must_use]
    pub fn own_wallet(mut self) -> Self {
        self.own_wallet = true;
        self
    }
}

/// A role of a company; it decides which roles its technical users may have (portal contract, section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CompanyRole {
    /// Participant of the data space ("CX Participant").
    ActiveParticipant,
    /// Provider of apps.
    AppProvider,
    /// Provider of services.
    ServiceProvider,
    /// Operator of the data space.
    Operator,
    /// Provider of onboarding.
    OnboardingServiceProvider,
}

impl CompanyRole {
    /// Its name in the portal.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ActiveParticipant => "ACTIVE_PARTICIPANT",
            Self::AppProvider => "APP_PROVIDER",
            Self::ServiceProvider => "SERVICE_PROVIDER",
            Self::Operator => "OPERATOR",
            Self::OnboardingServiceProvider => "ONBOARDING_SERVICE_PROVIDER",
        }
    }
}

/// A caller of the portal: a client of the identity provider, or a person.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) company: Option<String>,
    pub(crate) rights: Rights,
    pub(crate) human: bool,
}

/// What a caller may do.
#[derive(Clone, Debug)]
pub(crate) enum Rights {
    /// What this technical-user role carries.
    Role(String),
    /// Exactly these client roles of `Cl2-CX-Portal`.
    Permissions(Vec<String>),
}

impl Caller {
    /// A technical user with this role. Without [`Caller::of`] the portal does not know it.
    #[must_use]
    pub fn with_role(client_id: &str, secret: &str, role: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            secret: secret.to_owned(),
            company: None,
            rights: Rights::Role(role.to_owned()),
            human: false,
        }
    }

    /// A caller with exactly these permissions. With none at all its tokens lack the portal's audience, so
    /// that the portal answers 401 (portal contract, section 5.1).
    #[must_use]
    pub fn with_permissions<'a>(
        client_id: &str,
        secret: &str,
        permissions: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            client_id: client_id.to_owned(),
            secret: secret.to_owned(),
            company: None,
            rights: Rights::Permissions(permissions.into_iter().map(str::to_owned).collect()),
            human: false,
        }
    }

    /// The company that the portal knows the caller in. A caller without one has valid tokens that the portal
    /// answers with 403.
    #[must_use]
    pub fn of(mut self, company: &str) -> Self {
        self.company = Some(company.to_owned());
        self
    }

    /// The caller is a person: it logs in at the public client `Cl2-CX-Portal` by refresh token, and the secret
    /// is the first refresh token (portal contract, sections 5.4 and 5.9).
    #[must_use]
    pub fn human(mut self) -> Self {
        self.human = true;
        self
    }
}
