//! What a measurement is started with.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What a profile is measured with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The number of users.
    pub users: usize,
    /// How long the portal takes for each call.
    pub delay: Duration,
    /// How many resources the operator reconciles at the same time; its default where there is none.
    pub workers: Option<u16>,
    /// The operator's program.
    pub operator: PathBuf,
    /// The interval at which the operator reads the portal's list in the profile `idle`.
    pub resync: &'static str,
    /// How many of these intervals it lasts.
    pub sweeps: usize,
    /// How long the portal is out of service in the profile `outage`.
    pub outage: Duration,
    /// Whether users are created before the operator can know of it. The operator waits a minute for each create whose outcome
    /// it does not know.
    pub sudden: bool,
    /// How many Secrets of others there are in the profile `foreign`.
    pub foreign: usize,
    /// What the wallet service takes to create a user in the profile `wallet`.
    pub wallet_delay: Duration,
}

impl Settings {
    /// Those of the environment.
    pub fn of_environment() -> Self {
        Self {
            users: number("N").unwrap_or(1000),
            delay: Duration::from_millis(number("DELAY").unwrap_or(20)),
            workers: number("WORKERS"),
            operator: variable("OPERATOR").map_or_else(built_with_the_tests, PathBuf::from),
            resync: "30s",
            sweeps: 3,
            outage: Duration::from_mins(1),
            sudden: true,
            foreign: 240,
            wallet_delay: Duration::from_secs(10),
        }
    }

    /// The number of users where the portal's own limits decide how long a profile takes.
    pub fn fewer_users(&self) -> usize {
        self.users.min(200)
    }
}

/// The operator that cargo built beside the tests.
pub fn built_with_the_tests() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_technical-user-operator"))
}

/// A variable of the environment; an empty one counts as none, as make passes what nobody has set.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A number of the environment.
pub fn number<T: FromStr>(name: &str) -> Option<T> {
    let value = variable(name)?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number that can be used: {value}")))
}
