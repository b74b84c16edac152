//! stub
/// stub
#[derive(Clone)]
pub struct Leadership;
impl Leadership {
    /// stub
    #[must_use]
    pub fn is_leader(&self) -> bool {
        true
    }
}
