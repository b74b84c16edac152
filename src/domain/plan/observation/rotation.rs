//! What is known of the rotation of the user or of its secret, and which users the status names. There is more than one only
//! while one replaces another.

use super::Observation;
use super::recorded::RecordedUser;

/// What is known of the rotation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The annotation `rotate` requests one that was not handled yet.
    pub requested: bool,
    /// It is time for a successor of the user that serves. No field of the spec asks for that yet.
    pub due: bool,
}

impl Observation {
    /// The users that the status names. The proof beside each is its own.
    pub fn recorded_users(&self) -> impl Iterator<Item = &RecordedUser> {
        self.recorded.user.iter()
    }
}
