//! The apiserver's own count of the requests it answered.

use std::collections::BTreeMap;

use crate::{ControlPlane, Error};

/// The metric that counts them.
const METRIC: &str = "apiserver_request_total";

/// The metric that counts them by the flow to which a client belongs.
const FLOWS: &str = "apiserver_flowcontrol_dispatched_requests_total";

/// The flow of all service accounts outside kube-system, where the controllers have theirs.
const SERVICE_ACCOUNTS: &str = "flow_schema=\"service-accounts\"";

/// What the apiserver reports about a group of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestLabels {
    /// `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH`, `APPLY` (server-side apply), `DELETE`, `DELETECOLLECTION`, …
    pub verb: String,
    /// The API group, empty for the core group.
    pub group: String,
    /// The version within the group.
    pub version: String,
    /// The resource, in the plural.
    pub resource: String,
    /// The subresource, or empty.
    pub subresource: String,
    /// `All` for a dry run, otherwise empty.
    pub dry_run: String,
    /// The status code of the answer.
    pub code: String,
    /// `resource`, `namespace` or `cluster`.
    pub scope: String,
}

impl RequestLabels {
    /// Whether it wants to change something. A dry run is a write by verb; see [`RequestLabels::is_dry_run`].
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "GET" | "LIST" | "WATCH" | "CONNECT" | "HEAD" | "OPTIONS")
    }

    /// Whether it was a dry run, which changes nothing.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        !self.dry_run.is_empty()
    }
}

/// How many requests the apiserver answered, by their labels. It counts those of all clients, its own controllers
/// included, so use a resource of which only the test knows, or count at an [`ApiProxy`](crate::ApiProxy).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestCounts(BTreeMap<RequestLabels, u64>);

impl RequestCounts {
    /// What was added since an earlier count; groups without additions are left out.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let added = |(labels, count): (&RequestLabels, &u64)| {
            let before = earlier.0.get(labels).copied().unwrap_or_default();
            (*count > before).then(|| (labels.clone(), count - before))
        };
        Self(self.0.iter().filter_map(added).collect())
    }

    /// The groups that a condition picks.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&RequestLabels) -> bool) -> Self {
        Self(self.0.iter().filter(|(labels, _)| keep(labels)).map(|(l, c)| (l.clone(), *c)).collect())
    }

    /// All requests together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The groups with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&RequestLabels, u64)> {
        self.0.iter().map(|(labels, count)| (labels, *count))
    }

    /// Reads the counts out of the metrics text.
    fn parse(text: &str) -> Self {
        let mut counts = BTreeMap::new();
        for line in text.lines() {
            let Some((labels, value)) =
                line.strip_prefix(METRIC).and_then(|rest| rest.strip_prefix('{')?.rsplit_once("} "))
            else {
                continue;
            };
            *counts.entry(parse_labels(labels)).or_default() += parse_count(value);
        }
        Self(counts)
    }
}

/// Reads the count of the requests by service accounts outside kube-system.
fn of_service_accounts(text: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(FLOWS) && line.contains(SERVICE_ACCOUNTS));
    lines.filter_map(|line| line.rsplit_once("} ")).map(|(_, value)| parse_count(value)).sum()
}

/// Counts are printed as floating point numbers, large ones with an exponent.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is whole and not negative"
)]
fn parse_count(value: &str) -> u64 {
    value.trim().parse::<f64>().unwrap_or_default() as u64
}

/// Reads `name="value",…`. None of the values of this metric can hold a quotation mark.
fn parse_labels(text: &str) -> RequestLabels {
    let mut labels = RequestLabels::default();
    for (name, value) in text.split("\",").filter_map(|pair| pair.split_once("=\"")) {
        let slot = match name {
            "verb" => &mut labels.verb,
            "group" => &mut labels.group,
            "version" => &mut labels.version,
            "resource" => &mut labels.resource,
            "subresource" => &mut labels.subresource,
            "dry_run" => &mut labels.dry_run,
            "code" => &mut labels.code,
            "scope" => &mut labels.scope,
            _ => continue,
        };
        value.trim_end_matches('"').clone_into(slot);
    }
    labels
}

impl ControlPlane {
    /// The apiserver's count of answered requests at this moment. It counts a request shortly after its answer, so
    /// wait for an expected number with [`eventually`](crate::eventually).
    pub async fn request_counts(&self) -> Result<RequestCounts, Error> {
        Ok(RequestCounts::parse(&self.metrics().await?))
    }

    /// How many requests of service accounts outside kube-system the apiserver accepted so far: of operators, and not of
    /// administrators and Kubernetes' own controllers.
    pub async fn requests_of_service_accounts(&self) -> Result<u64, Error> {
        Ok(of_service_accounts(&self.metrics().await?))
    }

    async fn metrics(&self) -> Result<String, Error> {
        let request = http::Request::get("/metrics")
            .body(Vec::new())
            .map_err(|error| Error::Argument(error.to_string()))?;
        let client = self.admin_client().await?;
        client.request_text(request).await.map_err(Error::kube("reading the apiserver's metrics"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP apiserver_request_total [STABLE] Counter of apiserver requests.
# TYPE apiserver_request_total counter
apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="POST",version="v1"} 3
apiserver_request_total{code="201",component="apiserver",dry_run="All",group="",resource="secrets",scope="resource",subresource="",verb="POST",version="v1"} 1e+02
apiserver_request_duration_seconds_count{verb="POST"} 7
apiserver_flowcontrol_dispatched_requests_total{flow_schema="service-accounts",priority_level="workload-low"} 12
apiserver_flowcontrol_dispatched_requests_total{flow_schema="kube-system-service-accounts",priority_level="workload-high"} 9
"#;

    #[test]
    fn counts_are_read_by_label() {
        let counts = RequestCounts::parse(TEXT);
        assert_eq!(counts.total(), 103);
        assert_eq!(counts.filter(RequestLabels::is_dry_run).total(), 100);
        assert_eq!(counts.filter(|labels| labels.code == "201" && labels.resource == "secrets").total(), 103);
    }

    #[test]
    fn requests_of_operators_are_distinguished_from_those_of_controllers() {
        assert_eq!(of_service_accounts(TEXT), 12);
    }

    #[test]
    fn a_difference_leaves_out_what_did_not_change() {
        let before = RequestCounts::parse(TEXT);
        let after = RequestCounts::parse(&TEXT.replace("} 3", "} 5"));
        let added = after.since(&before);
        assert_eq!(added.iter().count(), 1);
        assert_eq!(added.total(), 2);
    }
}
