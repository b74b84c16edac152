//! What the tests share: a simulated data space, and a check of it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use portal_simulator::{Caller, Company, CompanyRole, Config, Simulator, Version};
use serde_json::Value;
use technical_user_operator::check::{self, Pace};
use technical_user_operator::config::{Cli, Command};

pub(crate) const COMPANY: &str = "Acme";
pub(crate) const BPN: &str = "BPNL00000003CRHK";
pub(crate) const SECRET: &str = "s3cret-of-the-login";

/// All permissions that the operator knows of.
pub(crate) const ALL: [&str; 4] = [
    "view_tech_user_management",
    "add_tech_user_management",
    "delete_tech_user_management",
    "technical_roles_management",
];

/// A directory of its own, gone with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tuo-check-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub(crate) fn entries(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _already_gone = fs::remove_dir_all(&self.0);
    }
}

/// A portal with one company and the login `sa1` with these permissions.
pub(crate) fn config(version: Version, permissions: &[&'static str]) -> Config {
    with_caller(version, Caller::with_permissions("sa1", SECRET, permissions.iter().copied()).of(COMPANY))
}

/// The same with a login of this role.
pub(crate) fn config_of_role(version: Version, role: &str) -> Config {
    with_caller(version, Caller::with_role("sa1", SECRET, role).of(COMPANY))
}

pub(crate) fn with_caller(version: Version, caller: Caller) -> Config {
    let roles = [CompanyRole::ActiveParticipant, CompanyRole::AppProvider];
    Config::new(version).company(Company::new(COMPANY, BPN).roles(roles)).caller(caller)
}

pub(crate) async fn start(config: Config) -> Simulator {
    Simulator::start(config).await.unwrap()
}

pub(crate) async fn everything() -> Simulator {
    start(config(Version::V2_6, &ALL)).await
}

/// What a check said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: u8,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn has(&self, words: &str) -> &Self {
        assert!(self.text.contains(words), "no {words:?} in:\n{}", self.text);
        self
    }

    pub(crate) fn has_not(&self, words: &str) -> &Self {
        assert!(!self.text.contains(words), "{words:?} in:\n{}", self.text);
        self
    }

    pub(crate) fn is(&self, code: u8) -> &Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }

    /// The step has this label: `ok`, `note`, `MISS` or `FAIL`.
    pub(crate) fn step(&self, label: &str, name: &str) -> &Self {
        let is_it = |line: &str| {
            let mut words = line.split_whitespace();
            words.next() == Some(label) && words.next() == Some(name)
        };
        assert!(self.text.lines().any(is_it), "no {label} {name} in:\n{}", self.text);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// Waits so short that tests are quick.
pub(crate) fn quick() -> Pace {
    Pace { settle: Duration::from_millis(100), pause: Duration::from_millis(50), ..Pace::default() }
}

/// Checks with exactly these arguments.
pub(crate) async fn check_at(pace: Pace, arguments: &[&str]) -> Said {
    // The simulator is called by plain http, save where a test says otherwise.
    let flag = "--allow-insecure-http";
    let given = arguments.iter().any(|argument| argument.starts_with(flag));
    let flag = (!given).then_some(&flag);
    let arguments = ["tuo", "check"].iter().chain(flag).chain(arguments).map(OsString::from);
    let Command::Check(args) = Cli::from_arguments(arguments).unwrap().command else { panic!("no check") };
    let mut out = Vec::new();
    let code = check::run(*args, &mut out, pace).await;
    Said { code, text: String::from_utf8(out).unwrap() }
}

/// The addresses of a simulator, as arguments.
pub(crate) fn addresses(simulator: &Simulator) -> Vec<String> {
    let (url, token_url) = (simulator.portal_url().to_owned(), simulator.token_url());
    vec!["--url".to_owned(), url, "--token-url".to_owned(), token_url]
}

/// Checks a simulator with its login `sa1`, and checks that no secret was printed.
pub(crate) async fn check(simulator: &Simulator, more: &[&str]) -> Said {
    let scratch = Scratch::new();
    let secret = scratch.file("secret", SECRET);
    let mut arguments = addresses(simulator);
    arguments.extend(["--client-id", "sa1", "--client-secret-file", &secret].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let said = check_at(quick(), &arguments).await;
    shows_no_secret(simulator, &said);
    said
}

pub(crate) fn shows_no_secret(simulator: &Simulator, said: &Said) {
    for secret in simulator.secrets_handed_out() {
        said.has_not(&secret);
    }
    said.has_not("eyJ");
}
