//! What is known of the rotation of the user or of its secret.

/// What is known of the rotation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotation {
    /// The annotation `rotate` requests one that was not handled yet.
    pub requested: bool,
}
