//! The steps of a call: breaker, token, place in the limiter, the request, a second one after a 401, and for reads a few
//! more tries.

use std::sync::Arc;

use parking_lot::Mutex;

use super::address::Address;
use super::credential::TokenEndpoints;
use super::errors::FailedCall;
use super::request::{Bearer, Call};
use super::scan::Progress;
use crate::portal::absence::Order;
use crate::portal::caller::Caller;
use crate::portal::oauth::{AccessToken, TokenSource};
use crate::portal::observe::Operation;
use crate::portal::resilient::{CallPlace, Probe, RETRIES, Verdict, retry_pause};
use crate::portal::{Lane, PortalError};
use crate::transport::{Answer, endpoint};

/// The portal seen through one login. Clones share the login, and everything that all calls share.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) caller: Caller,
    pub(super) address: Address,
    /// The token endpoints of users for which the portal names none.
    pub(super) endpoints: TokenEndpoints,
    /// `host:port` of the portal.
    pub(super) endpoint: String,
    pub(super) login: Arc<TokenSource>,
    pub(super) delete_login: Option<Arc<TokenSource>>,
    pub(super) progress: Arc<Progress>,
    /// What the pages of the user list have shown of its order.
    pub(super) order: Arc<Mutex<Order>>,
    /// The companies that a token has to name; `None` where it is not bound to any.
    accepted: Option<Arc<[String]>>,
}

/// What a place in the limiter is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Any call but a create.
    Call(Lane),
    /// The probe of an open breaker.
    Probe(Lane),
    /// A create.
    Create,
}

/// How often a token is obtained again that ends during the wait for a place. Then the call fails.
const TOKENS_PER_PLACE: usize = 5;

impl Client {
    pub(super) fn new(
        caller: Caller,
        address: Address,
        endpoints: TokenEndpoints,
        login: TokenSource,
        delete_login: Option<TokenSource>,
    ) -> Self {
        let endpoint = endpoint(address.url());
        Self {
            caller,
            address,
            endpoints,
            endpoint,
            login: Arc::new(login),
            delete_login: delete_login.map(Arc::new),
            progress: Arc::default(),
            order: Arc::default(),
            accepted: None,
        }
    }

    /// The same portal and login, for tokens that name all of these companies.
    pub(super) fn bound_to(&self, companies: &[String]) -> Self {
        Self { progress: Arc::default(), accepted: Some(companies.into()), ..self.clone() }
    }

    /// Whether a call may be sent with this token of this login.
    fn check(&self, login: &TokenSource, token: &AccessToken, bearer: &Bearer) -> Result<(), PortalError> {
        let named = token.claims.as_ref().map(|claims| claims.companies.as_slice()).unwrap_or_default();
        let client = token.claims.as_ref().and_then(|claims| claims.client_id.as_ref());
        let is_right = match bearer {
            Bearer::Any => true,
            Bearer::Like { companies, client_id } => named == companies && client == client_id.as_ref(),
            Bearer::Of(client_id) => client == Some(client_id),
            Bearer::Accepted => match &self.accepted {
                None => true,
                Some(accepted) if accepted.is_empty() || named.is_empty() => {
                    // The deletion login need not name a company.
                    accepted.len() == named.len() || !std::ptr::eq(login, Arc::as_ptr(&self.login))
                }
                Some(accepted) => accepted.iter().all(|company| named.contains(company)),
            },
        };
        if is_right { Ok(()) } else { Err(PortalError::OtherCompany) }
    }

    /// A call that changes nothing: tried again where that may help.
    pub(super) async fn read(&self, call: &Call, lane: Lane) -> Result<Answer, PortalError> {
        self.read_by(&self.login, call, lane).await
    }

    /// As [`Self::read`], with a token of this login.
    pub(super) async fn read_by(
        &self,
        login: &TokenSource,
        call: &Call,
        lane: Lane,
    ) -> Result<Answer, PortalError> {
        let probe = self.caller.portal().breaker.admit()?;
        self.read_as(Some(login), call, lane, probe).await
    }

    /// As [`Self::read`], without a token.
    pub(super) async fn read_openly(&self, call: &Call, lane: Lane) -> Result<Answer, PortalError> {
        let probe = self.caller.portal().breaker.admit()?;
        self.read_as(None, call, lane, probe).await
    }

    async fn read_as(
        &self,
        login: Option<&TokenSource>,
        call: &Call,
        lane: Lane,
        mut probe: Option<Probe>,
    ) -> Result<Answer, PortalError> {
        let (mut repetition, mut token_is_new) = (0, false);
        loop {
            let probing = probe.is_some();
            let purpose = if probing { Purpose::Probe(lane) } else { Purpose::Call(lane) };
            // Where there is no token, the next call is the probe: that says nothing about the portal.
            let (token, place) = self.ready(login, purpose, &call.bearer).await?;
            let result = call.send(&self.caller, token.as_deref(), &self.endpoint).await;
            drop(place);
            let verdict = result.as_ref().map_or_else(|failure| failure.verdict, |_| Verdict::Alive);
            match probe.take() {
                Some(probe) => probe.settle(verdict),
                None => self.caller.portal().breaker.record(verdict),
            }
            let failure = match result {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if let (Some(login), Some(token)) = (login, token)
                && wants_new_token(login, &token, &failure, token_is_new).await
            {
                token_is_new = true;
            } else if failure.repeatable
                && repetition < RETRIES
                && !probing
                && self.caller.portal().breaker.check().is_ok()
            {
                tokio::time::sleep(retry_pause(repetition, &self.caller.process.random)).await;
                repetition += 1;
            } else {
                return Err(failure.error);
            }
        }
    }

    /// A call that changes something: sent once, and once more only where the portal refused its token.
    pub(super) async fn write(&self, login: &TokenSource, call: &Call) -> Result<Answer, PortalError> {
        self.admit_write().await?;
        let mut token_is_new = false;
        loop {
            let purpose = Purpose::Call(Lane::Interactive);
            let (token, place) = self.ready(Some(login), purpose, &call.bearer).await?;
            let result = call.send(&self.caller, token.as_deref(), &self.endpoint).await;
            drop(place);
            let failure = match result {
                Ok(answer) => {
                    self.caller.portal().breaker.record(Verdict::Alive);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            self.caller.portal().breaker.record(failure.verdict);
            let Some(token) = token else { return Err(failure.error) };
            if !wants_new_token(login, &token, &failure, token_is_new).await {
                return Err(failure.error);
            }
            token_is_new = true;
        }
    }

    /// Permits a call that changes something. It is never itself the probe of an open breaker: a read is sent first.
    pub(super) async fn admit_write(&self) -> Result<(), PortalError> {
        let Some(probe) = self.caller.portal().breaker.admit()? else { return Ok(()) };
        let call = Call::get(Operation::List, self.address.page(0, 1)).by(Bearer::Any);
        let result = self.read_as(Some(&self.login), &call, Lane::Interactive, Some(probe)).await;
        match (self.caller.portal().breaker.check(), result) {
            // The portal answered, even if with a refusal.
            (Ok(()), _) => Ok(()),
            (Err(_), Err(error)) => Err(error),
            (Err(open), Ok(_)) => Err(open),
        }
    }

    /// A token (where a login is used) and a place, both good for a request now. The token comes first: no place of the portal
    /// is held while the identity provider is asked.
    pub(super) async fn ready(
        &self,
        login: Option<&TokenSource>,
        purpose: Purpose,
        bearer: &Bearer,
    ) -> Result<(Option<Arc<AccessToken>>, CallPlace), PortalError> {
        for _ in 0..TOKENS_PER_PLACE {
            let token = match login {
                Some(login) => {
                    let token = login.token().await?;
                    self.check(login, &token, bearer)?;
                    Some(token)
                }
                None => None,
            };
            let place = match purpose {
                Purpose::Call(lane) | Purpose::Probe(lane) => {
                    self.caller.portal().limiter.enter(lane).await?
                }
                Purpose::Create => self.caller.portal().limiter.enter_to_create().await?,
            };
            if !matches!(purpose, Purpose::Probe(_))
                && let Err(open) = self.caller.portal().breaker.check()
            {
                place.refund();
                return Err(open);
            }
            if token.as_ref().is_none_or(|token| token.is_usable()) {
                return Ok((token, place));
            }
            // The token expired in the queue.
            place.refund();
        }
        Err(PortalError::BadAnswer { reason: "the token expires before the call can be sent" })
    }
}

/// Whether the call should be sent again with a new token: after the first 401.
async fn wants_new_token(
    login: &TokenSource,
    token: &Arc<AccessToken>,
    failure: &FailedCall,
    token_is_new: bool,
) -> bool {
    if failure.error != PortalError::Unauthorized {
        return false;
    }
    if token_is_new {
        login.settle();
        return false;
    }
    login.discard(token).await
}
