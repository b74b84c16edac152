//! The only place where the Kubernetes types, the domain and the portals meet: one folder per kind.

pub mod access;
pub mod audit;
pub mod checked;
pub mod context;
pub mod installation;
pub mod kube_error;
pub mod marks;
pub mod namespaces;
pub mod objects;
pub mod once;
pub mod portal;
pub mod queue;
pub mod secrets;
pub mod secrets_by_owner;
pub mod status;
pub mod technical_user;
#[cfg(test)]
mod test_support;
pub mod users;
pub mod vault;
pub mod writes;
