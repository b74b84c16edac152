//! What the kinds share that the operator checks periodically, Portal and Vault: the way from an event to the status.

pub mod ca_bundle;
pub mod failure;
pub mod finalizer;
pub mod kind;
pub mod objects;
pub mod reconcile;
pub mod refused_logins;
pub mod schedule;
