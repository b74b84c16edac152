//! What the rows and properties are made of: observations, users, and a step in words.

pub(super) mod arbitrary;
pub(super) mod builders;
pub(super) mod users;
pub(super) mod words;
