//! The only reader of arguments and environment.
//!
//! Bad usage ends in clap's exit code 2, or in 64 for `plan`, whose 2 has a meaning. Secrets are never arguments: they come from files or from the environment, and
//! live in memory as [`secrecy::SecretString`].

use std::ffi::{OsStr, OsString};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::portal::PlainHttp;
use crate::process::Random;

mod check;
mod labels;
mod listen;
mod plan;
mod preflight;
mod proxy;
mod unclaimed;

pub use check::{CheckArgs, Output, SecretError, Target, read_secret};
pub use labels::CommonLabels;
pub use listen::Listen;
pub use plan::{PlanArgs, ScopeArgs};
pub use preflight::PreflightArgs;
pub use proxy::proxies;
pub use unclaimed::{PlaceArgs, UnclaimedArgs, UnclaimedCommand};

/// Provisions technical users of a data space from Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "technical-user-operator", version, about)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator
    Run(Box<RunArgs>),
    /// Print the custom resource definitions as YAML
    Crds,
    /// Try a portal and its login from here, without Kubernetes
    Check(Box<CheckArgs>),
    /// Check whether the operator can work in the cluster: definitions, permissions, namespaces
    Preflight(Box<PreflightArgs>),
    /// Print what the operator would do for manifests or for the resources of the cluster, and change nothing
    Plan(Box<PlanArgs>),
    /// List, delete or take over users with the mark of the operator that no `TechnicalUser` has
    Unclaimed(Box<UnclaimedArgs>),
}

impl Cli {
    /// Reads this process's arguments and environment; on bad usage or `--help`, prints clap's message and exits.
    #[must_use]
    pub fn read() -> Self {
        Self::from_arguments(std::env::args_os()).unwrap_or_else(|error| {
            let command = std::env::args_os().nth(1);
            let code = exit_code(&error, command.as_deref());
            // There is nobody to report to that it cannot be printed.
            let _ = error.print();
            std::process::exit(code)
        })
    }

    /// Reads `arguments`, the program's name first, and the environment.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(arguments)?;
        if let Command::Check(check) = &cli.command {
            check.validate()?;
        }
        Ok(cli)
    }
}

/// The exit code for wrong arguments of `plan`, whose 2 says that something would be done: `EX_USAGE` of sysexits.h.
const USAGE_OF_PLAN: i32 = 64;

/// The exit code of what clap says about the arguments of a command.
fn exit_code(error: &clap::Error, command: Option<&OsStr>) -> i32 {
    let is_plan = command.is_some_and(|command| command == "plan");
    if error.use_stderr() && is_plan { USAGE_OF_PLAN } else { error.exit_code() }
}

/// Which installation of the operator this is.
#[derive(Debug, Clone, Args)]
pub struct InstallationArgs {
    /// Name under which this installation owns users in the portal: 1 to 20 of a-z, 0-9 and -.
    /// Keep it when the cluster is rebuilt; no two running installations of a company may share one
    #[arg(long, env = "TUO_INSTANCE", value_parser = instance)]
    pub instance: String,

    /// Namespace that the operator runs in
    #[arg(long, env = "POD_NAMESPACE", value_parser = namespace)]
    pub namespace: String,

    /// Namespaces to watch, comma separated, or * for all [default: the operator's own]
    #[arg(long, env = "TUO_WATCH_NAMESPACES", value_name = "NAMESPACES", value_parser = watch_namespaces)]
    watch_namespaces: Option<WatchNamespaces>,

    /// The operator has Roles in the watched namespaces and no `ClusterRole`: labels of namespaces are read one by one
    #[arg(
        long,
        env = "TUO_SCOPED_RBAC",
        value_name = "BOOL",
        num_args = 0..=1,
        default_value = "false",
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub scoped_rbac: bool,

    /// Hold a lease while active, so that several replicas can run
    #[arg(
        long,
        env = "TUO_LEADER_ELECTION",
        value_name = "BOOL",
        num_args = 0..=1,
        default_value = "false",
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub leader_election: bool,

    /// Name of that lease [default: technical-user-operator-INSTANCE]
    #[arg(long, env = "TUO_LEASE_NAME", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    lease_name: Option<String>,
}

impl InstallationArgs {
    /// The namespaces to watch.
    #[must_use]
    pub fn watch_namespaces(&self) -> WatchNamespaces {
        match &self.watch_namespaces {
            None => WatchNamespaces::Some(vec![self.namespace.clone()]),
            Some(WatchNamespaces::Some(names)) if names.is_empty() => {
                WatchNamespaces::Some(vec![self.namespace.clone()])
            }
            Some(watched) => watched.clone(),
        }
    }

    /// The name of the lease.
    #[must_use]
    pub fn lease_name(&self) -> String {
        self.lease_name.clone().unwrap_or_else(|| format!("technical-user-operator-{}", self.instance))
    }

    /// The name of the Secret with the installation's identity.
    #[must_use]
    pub fn own_object(&self) -> String {
        format!("technical-user-operator-{}", self.instance)
    }
}

/// Settings of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Which installation.
    #[command(flatten)]
    pub installation: InstallationArgs,

    /// Who this process is, in events and in the lease [default: a random name]
    #[arg(
        long,
        env = "POD_NAME",
        value_name = "NAME",
        default_value_t = random_name(),
        hide_default_value = true,
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    pub pod_name: String,

    /// Where to serve probes and metrics: a port of all addresses, IPv6 (where the machine has it) and IPv4, or one IP
    /// address with a port. Port 0 takes any free one, which the log reports
    #[arg(long, env = "TUO_LISTEN", value_name = "[ADDRESS]:PORT", default_value = ":8080")]
    pub listen: Listen,

    /// Labels of everything that the operator creates in the cluster, Events aside, as key=value,key=value
    #[arg(
        long,
        env = "TUO_COMMON_LABELS",
        value_name = "LABELS",
        default_value = "",
        hide_default_value = true
    )]
    pub common_labels: CommonLabels,

    /// How many resources are reconciled at the same time, at most half of them (and at least two) of one Portal;
    /// one that waits for a portal for more than a second is not counted
    #[arg(long, env = "TUO_CONCURRENCY", value_name = "COUNT", default_value_t = 32,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,

    /// Whether plain http may be used.
    #[command(flatten)]
    pub plain_http: PlainHttpArgs,

    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Whether plain http may be used.
#[derive(Debug, Clone, Copy, Args)]
pub struct PlainHttpArgs {
    /// Allow plain http to loopback and private addresses, for test systems only: logins, tokens and client secrets are
    /// then sent unencrypted. A Portal requests it with insecureHttp
    #[arg(
        long,
        env = "TUO_ALLOW_INSECURE_HTTP",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    allow_insecure_http: bool,
}

impl PlainHttpArgs {
    /// The setting.
    #[must_use]
    pub fn setting(self) -> PlainHttp {
        if self.allow_insecure_http { PlainHttp::PrivateAddresses } else { PlainHttp::Refused }
    }
}

/// How to log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Form of the log on standard error
    #[arg(long = "log-format", env = "TUO_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub format: LogFormat,

    /// What to log: tracing's filter syntax
    #[arg(long = "log-filter", env = "TUO_LOG", value_name = "FILTER", default_value = "info")]
    pub filter: String,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which namespaces are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchNamespaces {
    /// The whole cluster.
    All,
    /// These, each once, in the order given; at least one.
    Some(Vec<String>),
}

fn instance(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    // It becomes the value of a label and the end of names, which a dash must not end.
    let edges = !text.starts_with('-') && !text.ends_with('-');
    if (1..=20).contains(&text.len()) && text.chars().all(fits) && edges {
        return Ok(text.to_owned());
    }
    Err("it names this installation in the portal, in 1 to 20 of a-z, 0-9 and -, no dash at the ends".into())
}

/// A DNS label (RFC 1123), as the apiserver requires of namespaces.
fn namespace(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edges = !text.starts_with('-') && !text.ends_with('-');
    if (1..=63).contains(&text.len()) && text.chars().all(fits) && edges {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is not the name of a namespace: use a-z, 0-9 and -, no dash at the ends, at most 63 characters"
    ))
}

/// Namespace and name of a resource.
fn resource(text: &str) -> Result<(String, String), String> {
    let (of, name) = text.split_once('/').ok_or("give it as NAMESPACE/NAME")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if name.is_empty() || name.len() > 253 || !name.chars().all(fits) {
        return Err(format!("{name:?} is not the name of a resource: use a-z, 0-9, - and ."));
    }
    Ok((namespace(of)?, name.to_owned()))
}

/// An empty text is an unset one, and yields no names.
fn watch_namespaces(text: &str) -> Result<WatchNamespaces, String> {
    let names: Vec<_> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names == ["*"] {
        return Ok(WatchNamespaces::All);
    }
    if names.contains(&"*") {
        return Err("* stands for all namespaces: give it without another name".into());
    }
    let mut watched = Vec::new();
    for name in names {
        let name = namespace(name)?;
        if !watched.contains(&name) {
            watched.push(name);
        }
    }
    Ok(WatchNamespaces::Some(watched))
}

fn random_name() -> String {
    format!("technical-user-operator-{}", Random::system().uuid().simple())
}

#[cfg(test)]
mod tests;
