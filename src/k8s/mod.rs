//! What the operator needs of Kubernetes that is free of its own kinds: client, caches, leader election, events.

pub mod client;
pub mod events;
pub mod leader;
pub mod watch;
