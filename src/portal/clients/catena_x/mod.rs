//! The portal of Catena-X, which Cofinity-X runs too: one tolerant client for the versions 2.0 to 2.6 and later.

mod absence;
mod address;
mod answer;
mod client;
mod codes;
mod config;
mod create;
mod credential;
mod dataspace;
mod errors;
mod login;
mod permissions;
mod portal;
mod request;
mod scan;
mod version;
mod wire;

pub use config::CatenaXConfig;
pub use portal::CatenaXPortal;
#[cfg(test)]
pub(crate) use {
    absence::prove_absent,
    answer::Page,
    scan::{Filter, Pages, scan_pages, scan_pending},
};

#[cfg(test)]
mod tests;
