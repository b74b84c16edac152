//! Settings of `plan`.

use clap::Args;

use super::{Output, PlainHttpArgs, instance, namespace};

/// Which resources a person asks about, and where they are.
#[derive(Debug, Clone, Args)]
pub struct ScopeArgs {
    /// Files with manifests, or - for the standard input: `TechnicalUsers`, and Portals, Vaults, Secrets, `ConfigMaps` and Namespaces that
    /// come before those of the cluster [default: the `TechnicalUsers` of the cluster]
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub files: Vec<String>,

    /// The namespace of the resources, and of manifests that name none [default: that of the kubeconfig]
    #[arg(short, long, value_parser = namespace)]
    pub namespace: Option<String>,

    /// The resources of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,

    /// Use no cluster: everything is in the files
    #[arg(long, requires = "files", conflicts_with = "all_namespaces")]
    pub offline: bool,

    /// The instance of the operator
    #[arg(long, env = "TUO_INSTANCE", value_parser = instance)]
    pub instance: String,

    /// The namespace of the operator, where the Secret with its identity is
    #[arg(long, env = "POD_NAMESPACE", value_parser = namespace, required_unless_present = "offline")]
    pub operator_namespace: Option<String>,

    /// Whether plain http may be used.
    #[command(flatten)]
    pub plain_http: PlainHttpArgs,
}

/// Settings of `plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Which resources.
    #[command(flatten)]
    pub scope: ScopeArgs,

    /// Give up after this time
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout: u16,

    /// Form of the result on standard output
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}
