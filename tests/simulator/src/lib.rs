//! A simulator of the data-space portal, its identity provider and the wallet service.
//!
//! It answers over HTTP exactly as the real services do, in each of their versions, with their bugs; the source of
//! every rule is the portal contract, whose sections the comments name. It shares no type with the operator, so
//! that a misunderstanding in the operator cannot hide in both.
//!
//! It is built on `hyper` itself and not on a router: the real service's routing (letter case, wrong methods,
//! content types) and the cutting of connections are part of what it plays.

mod auth;
mod backup;
mod binding;
mod calls;
mod config;
mod core;
mod endpoints;
mod errors;
mod faults;
mod gates;
mod http;
mod idp;
mod in_memory;
mod latency;
mod messages;
mod people;
mod pipeline;
mod random;
mod role_changes;
pub mod role_names;
mod route;
pub mod seed;
mod server;
mod setup;
mod simulator;
mod state;
mod tls;
mod user_seed;
mod version;
mod view;
mod wallet;

pub use crate::backup::Backup;
pub use crate::calls::{Answer, Call, Endpoint};
pub use crate::config::{Caller, Company, CompanyRole, Config, Tls, WalletDelay};
pub use crate::faults::{Action, Canned, CannedBody, Fault, FaultId};
pub use crate::gates::{Gate, Stage};
pub use crate::http::Part;
pub use crate::idp::{IdpMoment, IdpTrouble, TokenScopes};
pub use crate::people::Change;
pub use crate::setup::{SetupError, StartError};
pub use crate::simulator::Simulator;
pub use crate::state::connector::ConnectorStatus;
pub use crate::state::order::Collation;
pub use crate::state::roles::RoleDef;
pub use crate::state::user::{Kind, Ownership, Status};
pub use crate::tls::TlsError;
pub use crate::user_seed::{OfferSeed, UserSeed};
pub use crate::version::{UnknownVersion, Version};
pub use crate::view::{ConnectorView, UserView, View};
