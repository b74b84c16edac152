//! Entries of a Vault: their paths, and where those of an output are.

pub mod path;
pub mod place;
