//! What every test stands on.

mod hands;
mod leaks;
mod manifests;
mod objects;
mod world;

pub use manifests::{PORTAL, create, create_from, existing, portal};
pub use objects::{condition, message, reason, secret_value, status};
pub use world::{World, WorldBuilder, one_company, world};
