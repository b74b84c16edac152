//! Format `EdcEnv`: the variables of a connector that reads its client secret from Vault.

use super::edc;
use super::entry::{Entry, Named, Reader};

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "EdcEnv",
    keys: &edc::VARIABLES,
    optional: &[],
    needs: edc::NEEDS,
    uses: |_| edc::NEEDS.to_vec(),
    named: Named::Renamed,
    has_secret: false,
    reader: Reader {
        who: "tractusx-connector 0.9 to 0.13, by `envSecretNames` and `$(NAME)` in its values",
        change: "after a restart of control plane and data plane; the client secret comes from Vault without one",
        needs_restart: true,
    },
    render: |values, _| edc::environment(values),
    read_back: None,
};
