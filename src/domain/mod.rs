//! The pure heart: what a technical user is and what to do about it. No I/O, no async, no Kubernetes, no HTTP.

pub mod token_url;
pub mod user;
