//! Settings of `unclaimed`.

use clap::{Args, Subcommand};

use super::{Output, PlainHttpArgs, ScopeArgs, instance, namespace, resource};

/// Settings of `unclaimed`.
#[derive(Debug, Clone, Args)]
pub struct UnclaimedArgs {
    /// What is done.
    #[command(subcommand)]
    pub command: UnclaimedCommand,
}

/// What is done with users that no `TechnicalUser` has.
#[derive(Debug, Clone, Subcommand)]
pub enum UnclaimedCommand {
    /// List the users with the mark of the operator that no `TechnicalUser` has
    List {
        /// Where.
        #[command(flatten)]
        place: PlaceArgs,

        /// Form of the result on standard output
        #[arg(short, long, value_name = "FORMAT", default_value = "text")]
        output: Output,
    },
    /// Delete one of these users in the portal
    Delete {
        /// Where.
        #[command(flatten)]
        place: PlaceArgs,

        /// The id of the user in the portal, or its exact name
        #[arg(long, value_name = "ID_OR_NAME")]
        user: String,

        /// Delete it without asking
        #[arg(long)]
        yes: bool,

        /// Delete it although its mark is of another cluster or another installation, which may be running
        #[arg(long)]
        other_cluster: bool,
    },
    /// Print the `TechnicalUser` that takes one of these users over, or create it
    Adopt {
        /// Where.
        #[command(flatten)]
        place: PlaceArgs,

        /// The id of the user in the portal, or its exact name
        #[arg(long, value_name = "ID_OR_NAME")]
        user: String,

        /// Namespace and name of the `TechnicalUser` that takes it over, which does not exist yet
        #[arg(long, value_name = "NAMESPACE/NAME", value_parser = resource)]
        into: (String, String),

        /// Create the `TechnicalUser`
        #[arg(long)]
        apply: bool,
    },
}

/// Which Portal of which operator.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// The name of the Portal
    #[arg(long, value_name = "NAME")]
    pub portal: String,

    /// The namespace of the Portal [default: that of the kubeconfig]
    #[arg(short, long, value_parser = namespace)]
    namespace: Option<String>,

    /// The instance of the operator
    #[arg(long, env = "TUO_INSTANCE", value_parser = instance)]
    instance: String,

    /// The namespace of the operator, where the Secret with its identity is
    #[arg(long, env = "POD_NAMESPACE", value_parser = namespace)]
    operator_namespace: String,

    /// Give up after this time, which does not include the time until a person confirms
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout: u16,

    /// Whether plain http may be used.
    #[command(flatten)]
    plain_http: PlainHttpArgs,
}

impl PlaceArgs {
    /// All resources of the cluster: each of them may have the user.
    #[must_use]
    pub fn scope(&self) -> ScopeArgs {
        ScopeArgs {
            files: Vec::new(),
            namespace: self.namespace.clone(),
            all_namespaces: true,
            offline: false,
            instance: self.instance.clone(),
            operator_namespace: Some(self.operator_namespace.clone()),
            plain_http: self.plain_http,
        }
    }
}
