//! What every test stands on.

mod builder;
mod installation;
pub mod leaks;
mod logins;
mod manifests;
mod objects;
mod outcome;
mod portal_side;
mod probes;
mod rights;
mod site;
mod sweeps;
mod waits;
mod world;

pub use builder::{WorldBuilder, world};
pub use logins::one_company;
pub use manifests::{PORTAL, create, create_from, existing, portal};
pub use objects::{condition, message, reason, secret_value, status};
pub use outcome::{CREATING, FINALIZER, connected, one_user};
pub use site::Site;
pub use world::{World, stop_during};
