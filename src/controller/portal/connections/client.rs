//! The client of a Portal, and what the portal was seen to accept of it.

use std::sync::Arc;

use crate::controller::portal::inventory::Inventory;
use crate::domain::identity::Pin;
use crate::portal::Portal;

/// The client of a Portal. It is kept as long as its fingerprint is the same, whether or not a check of the portal
/// succeeds: it has the current tokens, what is known of a refresh token, the breaker and the limiter.
#[derive(Clone)]
pub struct Client {
    /// What it was built from.
    pub fingerprint: String,
    /// The client itself.
    pub portal: Arc<dyn Portal>,
    /// The same client, bound to the companies of the last login that was accepted.
    pub bound: Option<Bound>,
    /// The companies that its token named when the login was last accepted.
    pub companies: Vec<String>,
    /// The companies and the client ID of the last login that the portal was seen to accept.
    pub confirmed: Option<(Vec<String>, Option<String>)>,
    /// The client ID of the deletion login, once the portal was seen to accept it.
    pub confirmed_deletion_login: Option<String>,
    /// The user list, of the portal and company that it was last seen to lead to.
    pub inventory: Option<(Pin, Arc<Inventory>)>,
}

/// A client that is bound to companies: it continues only with tokens of these companies.
#[derive(Clone)]
pub struct Bound {
    /// The companies.
    pub companies: Vec<String>,
    /// The client that is bound to them.
    pub portal: Arc<dyn Portal>,
}

impl Client {
    /// A client that the portal has not seen yet.
    pub fn new(fingerprint: &str, portal: &Arc<dyn Portal>) -> Self {
        Self {
            fingerprint: fingerprint.to_owned(),
            portal: Arc::clone(portal),
            bound: None,
            companies: Vec::new(),
            confirmed: None,
            confirmed_deletion_login: None,
            inventory: None,
        }
    }

    /// Whether it is this one, as it is bound now.
    pub fn is_bound_as(&self, portal: &Arc<dyn Portal>) -> bool {
        self.bound.as_ref().is_some_and(|bound| Arc::ptr_eq(&bound.portal, portal))
    }
}
