//! What all kinds need for their statuses: how long a state lasts before it is `Stalled`, the condition of a reconcile that
//! failed, and the patch that changes no more than what differs.

pub mod failure;
pub mod grace;
pub mod merge_patch;
pub mod since;
