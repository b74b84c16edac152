
pub mod client;
