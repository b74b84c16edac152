//! The pure core: what a technical user is, and what the operator does with it. No I/O, no async, no Kubernetes, no HTTP.

pub mod access;
pub mod address;
pub mod attempt;
pub mod blocker;
pub mod dataspace;
pub mod digest;
pub mod format;
pub mod grace;
pub mod identity;
pub mod inventory;
pub mod ownership;
pub mod permissions;
pub mod plan;
pub mod reason;
pub mod roles;
#[cfg(test)]
pub(crate) mod test_support;
pub mod text;
pub mod token_url;
pub mod user;
pub mod vault;
pub mod windows;
