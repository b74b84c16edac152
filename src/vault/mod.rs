//! A client for KV version 2 of HashiCorp Vault. Knows nothing of Kubernetes.
//!
//! OpenBao has the same API; nothing here was tried with it.
//!
//! [`VaultClient`] is one login at one server. It obtains a token when it needs one, renews it in time, and logs in again where
//! that is not possible. Entries are read and written in [`kv`](VaultClient::read), and what a person has to prepare (mount,
//! policy, unsealing) is found out by the calls of `sys`. No call follows a redirect, so that a token reaches no other server.
//! Errors are classes: they contain no text of a body but Vault's own words about a refusal, and those only where the request
//! contained no secret.

mod answer;
mod caller;
mod client;
mod config;
mod error;
mod fields;
mod kv;
mod login;
mod session;
mod sys;
#[cfg(test)]
mod tests;

pub use client::VaultClient;
pub use config::{Auth, JwtSource, NoJwt, VaultConfig, VaultConfigError};
pub use error::{LoginRefusal, VaultError};
pub use fields::Fields;
pub use kv::{Content, Entry, Metadata};
pub use sys::{Capabilities, Health};
