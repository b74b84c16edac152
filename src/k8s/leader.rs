//! stub
/// stub
#[derive(Clone)]
pub struct Leadership;
impl Leadership {
    /// stub
    pub fn is_leader(&self) -> bool { true }
}
