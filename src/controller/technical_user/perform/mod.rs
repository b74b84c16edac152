//! Carries the steps of the plan out, and puts what came of them into the observation.

mod attempt;
mod basis;
mod create;
mod delete;
mod publish;
pub(in crate::controller::technical_user) mod read;
mod restart;
mod retained;
mod rotate_secret;
mod rotation;
pub(in crate::controller::technical_user) mod write;

pub(in crate::controller) use delete::{send as send_deletion, why_refused as why_not_deleted};
