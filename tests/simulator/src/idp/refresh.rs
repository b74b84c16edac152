//! Offline sessions of people, with rotation of the refresh tokens and one reuse (portal contract, section 5.9).

use serde_json::json;
use uuid::Uuid;

use crate::idp::tokens::jwt;

/// An offline session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) human: Uuid,
    /// Every refresh token of the session with the number of the refresh that made it.
    tokens: Vec<(String, usize)>,
    /// The token that was used last, and how often.
    last_used: Option<(String, usize)>,
    refreshes: usize,
    dead: bool,
}

/// How often a refresh token may be used again.
const MAX_REUSE: usize = 1;

impl Session {
    pub(crate) fn new(human: Uuid, first: String) -> Self {
        Self { human, tokens: vec![(first, 0)], last_used: None, refreshes: 0, dead: false }
    }

    pub(crate) fn has(&self, token: &str) -> bool {
        self.tokens.iter().any(|(known, _)| known == token)
    }

    /// Uses a refresh token of this session: the next one, or why not.
    pub(crate) fn refresh(&mut self, token: &str, issuer: &str) -> Result<String, &'static str> {
        if self.dead {
            return Err("Session doesn't have required client");
        }
        let made = self.tokens.iter().find(|(known, _)| known == token).map_or(0, |(_, made)| *made);
        let uses = match &self.last_used {
            Some((last, uses)) if last == token => uses + 1,
            // An older token than the last refresh made is a theft or a very late repetition.
            Some(_) if made < self.refreshes => {
                self.dead = true;
                return Err("Stale token");
            }
            _ => 1,
        };
        if uses > MAX_REUSE + 1 {
            self.dead = true;
            return Err("Maximum allowed refresh token reuse exceeded");
        }
        self.last_used = Some((token.to_owned(), uses));
        self.refreshes += 1;
        let next = offline_token(self.human, issuer);
        self.tokens.push((next.clone(), self.refreshes));
        Ok(next)
    }
}

fn offline_token(human: Uuid, issuer: &str) -> String {
    jwt(
        "HS512",
        &json!({
            "iat": jiff::Timestamp::now().as_second(), "jti": crate::random::uuid(), "iss": issuer, "aud": issuer,
            "sub": human, "typ": "Offline", "azp": super::PORTAL_CLIENT,
            "scope": "openid email profile offline_access",
        }),
    )
}
