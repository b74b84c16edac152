//! What the two kinds share that the operator checks periodically: Portal and Vault.

pub mod ca_bundle;
pub mod failure;
pub mod finalizer;
pub mod refused_logins;
pub mod schedule;
