//! The portal of Catena-X and of everybody who runs it (Cofinity-X): versions 2.0 to 2.6 and what came after, with one
//! tolerant client.

mod address;
mod answer;
mod client;
mod codes;
mod config;
mod create;
mod credential;
mod errors;
mod login;
mod portal;
mod request;
mod scan;
mod version;
mod wire;

pub use config::CatenaXConfig;
pub use portal::CatenaXPortal;
#[cfg(test)]
pub(crate) use {
    answer::Page,
    scan::{Pages, scan_pages},
};

#[cfg(test)]
mod tests;
