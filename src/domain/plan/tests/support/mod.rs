//! The parts of rows and properties: observations, users, and a step in words.

pub(super) mod arbitrary;
pub(super) mod builders;
pub(super) mod outputs;
pub(super) mod portal;
pub(super) mod users;
pub(super) mod words;
