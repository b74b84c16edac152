//! Format `EdcHelmValues`: values for the chart of a connector, as Flux reads them from a Secret.

use super::edc;
use super::entry::{Entry, Named, Reader};
use super::error::{FormatError, Value};
use super::values::{Content, Values};
use super::yaml::{Node, document};

const FILE: &str = "values.yaml";

/// The versions of the chart that have the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Up to 0.12: `iatp`.
    V0_12,
    /// From 0.13: `dcp`.
    #[default]
    V0_13,
}

/// The format.
pub(super) const ENTRY: Entry = Entry {
    name: "EdcHelmValues",
    keys: &[FILE],
    optional: &[],
    needs: &[Value::SecretAlias, Value::WalletUrl, Value::Did, Value::Bpn],
    uses: |_| vec![Value::SecretAlias, Value::WalletUrl, Value::Did, Value::BdrsUrl, Value::TrustedIssuers],
    named: Named::Renamed,
    has_secret: false,
    reader: Reader {
        who: "the chart tractusx-connector, by `valuesFrom` of Flux's HelmRelease",
        change: "by an upgrade of the release; at once with the label `reconcile.fluxcd.io/watch: Enabled`",
        needs_restart: false,
    },
    render: |values, options| helm_values(values, options.dialect),
    read_back: None,
};

fn helm_values(values: &Values, dialect: Dialect) -> Result<Content, FormatError> {
    use Node::{List, Map, Text};
    let (did, bpn) = (values.need(Value::Did)?, values.need(Value::Bpn)?);
    let wallet = Map(vec![("url", Text(values.need(Value::WalletUrl)?))]);
    let client =
        vec![("id", Text(values.credential.client_id.as_str())), ("secret_alias", Text(edc::alias(values)?))];
    let oauth = vec![("token_url", Text(values.credential.token_url.as_str())), ("client", Map(client))];
    let (block, wallet_name) = match dialect {
        Dialect::V0_12 => ("iatp", "dim"),
        Dialect::V0_13 => ("dcp", "div"),
    };
    let mut protocol = vec![("sts", Map(vec![("oauth", Map(oauth)), (wallet_name, wallet)]))];
    let issuers = &values.surroundings.trusted_issuers;
    if !issuers.is_empty() {
        protocol.push(("trustedIssuers", List(issuers.iter().map(String::as_str).collect())));
    }
    let participant = match dialect {
        Dialect::V0_12 => {
            protocol.push(("id", Text(did)));
            vec![("id", Text(bpn))]
        }
        Dialect::V0_13 => vec![("id", Text(did)), ("bpnl", Text(bpn))],
    };
    let mut chart = vec![(block, Map(protocol)), ("participant", Map(participant))];
    if let Some(url) = &values.surroundings.bdrs_url {
        let server = Map(vec![("server", Map(vec![("url", Text(url))]))]);
        chart.push(("controlplane", Map(vec![("bdrs", server)])));
    }
    Ok(Content::from([(FILE.to_owned(), document(&chart))]))
}
