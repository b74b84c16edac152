//! Settings of `preflight`.

use clap::Args;

use super::{InstallationArgs, Output};

/// Settings of `preflight`: those of `run` that say which installation it is.
#[derive(Debug, Clone, Args)]
pub struct PreflightArgs {
    /// Which installation.
    #[command(flatten)]
    pub installation: InstallationArgs,

    /// Check the permissions to restart workloads, too
    #[arg(
        long,
        env = "TUO_RESTART",
        value_name = "BOOL",
        num_args = 0..=1,
        default_value = "false",
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub restart: bool,

    /// Check the permission to request tokens of the own service account, too
    #[arg(
        long,
        env = "TUO_VAULT_KUBERNETES_AUTH",
        value_name = "BOOL",
        num_args = 0..=1,
        default_value = "false",
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub vault_kubernetes_auth: bool,

    /// Form of the result on standard output
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}
