//! The only place where the Kubernetes types, the domain and the portals meet: one folder per kind.

pub mod audit;
pub mod backoff;
pub mod context;
pub mod dispatcher;
pub mod failure;
pub mod grace;
pub mod installation;
pub mod inventory;
pub mod kube_error;
pub mod logins;
pub mod marks;
pub mod merge;
pub mod namespaces;
pub mod objects;
pub mod portal;
pub mod proofs;
pub mod queue;
pub mod registry;
pub mod secrets;
pub mod since;
pub mod technical_user;
#[cfg(test)]
mod test_support;
