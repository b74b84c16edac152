
pub mod client;
pub mod watch;
