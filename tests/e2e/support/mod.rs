//! What every test stands on.

mod hands;
mod leaks;
mod manifests;
mod objects;
mod outcome;
mod probes;
mod rights;
mod site;
mod world;

pub use manifests::{PORTAL, create, create_from, existing, portal};
pub use objects::{condition, message, reason, secret_value, status};
pub use outcome::{CREATING, FINALIZER, connected, one_user, sweeps};
pub use site::Site;
pub use world::{World, WorldBuilder, one_company, world};
