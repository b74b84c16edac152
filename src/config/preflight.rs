//! Settings of `preflight`.

use clap::Args;

use super::{InstallationArgs, Output};

/// Settings of `preflight`: those of `run` that say which installation it is.
#[derive(Debug, Clone, Args)]
pub struct PreflightArgs {
    /// Which installation.
    #[command(flatten)]
    pub installation: InstallationArgs,

    /// Form of the result on standard output
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}
