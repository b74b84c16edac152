//! An access token and how long it may be used.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::Claims;

/// A token with less life than this is not used: it could end in transit.
pub(super) const LEAST_LIFE: Duration = Duration::from_secs(10);

/// A token is replaced this long before its end, or at four fifths of its life, whichever is later.
const SPARE_LIFE: Duration = Duration::from_secs(30);

/// A token of the operator's login.
pub(crate) struct AccessToken {
    pub(crate) secret: SecretString,
    /// What it says of the login; `None` where it is no JWT.
    pub(crate) claims: Option<Claims>,
    expires: Instant,
    replace_at: Instant,
}

impl AccessToken {
    /// `asked_at` is the time before the token was requested: its life begins no earlier.
    pub(super) fn new(secret: SecretString, asked_at: Instant, life: Duration) -> Self {
        let claims = Claims::of(&secret);
        let replace_after = life.mul_f64(0.8).max(life.saturating_sub(SPARE_LIFE));
        Self { secret, claims, expires: asked_at + life, replace_at: asked_at + replace_after }
    }

    /// What is left of its life.
    pub(crate) fn life(&self) -> Duration {
        self.expires.saturating_duration_since(Instant::now())
    }

    /// Whether it may still be sent.
    pub(crate) fn is_usable(&self) -> bool {
        self.life() >= LEAST_LIFE
    }

    /// Whether it is time for the next one.
    pub(super) fn is_old(&self) -> bool {
        Instant::now() >= self.replace_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_late_but_in_time() {
        for (life, old_after, unusable_after) in
            [(300, 270, 290), (60, 48, 50), (3600, 3570, 3590), (5, 4, 0)]
        {
            let token = AccessToken::new("x".into(), Instant::now(), Duration::from_secs(life));
            let start = Instant::now();
            let after = |seconds| start + Duration::from_secs(seconds);
            assert_eq!(token.replace_at, after(old_after), "{life}");
            assert_eq!(
                token.expires.checked_sub(LEAST_LIFE).unwrap_or(start).max(start),
                after(unusable_after)
            );
        }
    }
}
