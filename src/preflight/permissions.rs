//! Every permission that the operator uses. The chart's Roles grant the same; a test compares the two.

use std::fmt;

/// A rule: group, resource, verbs.
type Rule = (&'static str, &'static str, &'static [&'static str]);

/// The operator's own kinds.
const OWN_KINDS: [Rule; 7] = [
    ("technicaluser.dev", "technicalusers", &["get", "list", "watch", "patch"]),
    ("technicaluser.dev", "technicalusers/status", &["patch"]),
    ("technicaluser.dev", "technicalusers/finalizers", &["update"]),
    ("technicaluser.dev", "portals", &["get", "list", "watch", "patch"]),
    ("technicaluser.dev", "portals/status", &["patch"]),
    ("technicaluser.dev", "vaults", &["get", "list", "watch", "patch"]),
    ("technicaluser.dev", "vaults/status", &["patch"]),
];

/// The labels of all namespaces.
const ALL_NAMESPACES: Rule = ("", "namespaces", &["get", "list", "watch"]);

/// The labels of one namespace.
const ONE_NAMESPACE: Rule = ("", "namespaces", &["get"]);

/// Other kinds, in each namespace that is watched.
const WATCHED: [Rule; 4] = [
    ("", "secrets", &["get", "list", "watch", "create", "patch", "delete"]),
    ("", "configmaps", &["get"]),
    ("", "resourcequotas", &["list"]),
    ("events.k8s.io", "events", &["create", "patch"]),
];

/// Workloads, in each namespace that is watched, where the operator may restart them.
const RESTART: [Rule; 3] = [
    ("apps", "deployments", &["get", "patch"]),
    ("apps", "statefulsets", &["get", "patch"]),
    ("apps", "daemonsets", &["get", "patch"]),
];

/// One verb on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The API group, empty for the core.
    pub group: &'static str,
    /// The resource, with its subresource behind a slash.
    pub resource: &'static str,
    /// The only object that it is for.
    pub name: Option<String>,
    /// The verb.
    pub verb: &'static str,
}

impl fmt::Display for Permission {
    /// As `group/resource[name] verb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map(|name| format!("[{name}]")).unwrap_or_default();
        write!(f, "{}/{}{name} {}", self.group, self.resource, self.verb)
    }
}

impl Permission {
    /// The resource as people write it, such as `portals.technicaluser.dev`.
    #[must_use]
    pub fn what(&self) -> String {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((self.resource, ""));
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let subresource = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
        let name = self.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        format!("{resource}{group}{subresource}{name}")
    }
}

fn each((group, resource, verbs): Rule, name: Option<&str>) -> impl Iterator<Item = Permission> {
    let name = name.map(str::to_owned);
    verbs.iter().map(move |verb| Permission { group, resource, name: name.clone(), verb })
}

fn all(rules: impl IntoIterator<Item = Rule>) -> Vec<Permission> {
    rules.into_iter().flat_map(|rule| each(rule, None)).collect()
}

/// What the operator does in the whole cluster, whichever namespaces it watches. Nothing where it has Roles only.
#[must_use]
pub fn cluster() -> Vec<Permission> {
    all(OWN_KINDS.into_iter().chain([ALL_NAMESPACES]))
}

/// What it does in each namespace that it watches, in addition to [`cluster`].
#[must_use]
pub fn watched() -> Vec<Permission> {
    all(WATCHED)
}

/// What it does in each namespace that it watches, where it has Roles only.
#[must_use]
pub fn watched_with_roles_only() -> Vec<Permission> {
    all(OWN_KINDS.into_iter().chain([ONE_NAMESPACE]).chain(WATCHED))
}

/// What it does in each namespace that it watches to restart workloads.
#[must_use]
pub fn restart() -> Vec<Permission> {
    all(RESTART)
}

/// What it does in its own namespace, watched or not; `object` names its Secret, `account` its `ServiceAccount`
/// where it requests tokens of that, and `lease` its Lease.
#[must_use]
pub fn own(object: &str, account: Option<&str>, lease: Option<&str>) -> Vec<Permission> {
    let leases = "coordination.k8s.io";
    let mut all: Vec<_> = each(("", "secrets", &["get"]), Some(object)).collect();
    all.extend(each(("", "secrets", &["create"]), None));
    if account.is_some() {
        all.extend(each(("", "serviceaccounts/token", &["create"]), account));
    }
    if lease.is_some() {
        all.extend(each((leases, "leases", &["get", "update"]), lease));
        all.extend(each((leases, "leases", &["create"]), None));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_written_in_two_ways() {
        let own = own("mine", None, Some("lease"));
        let written = |index: usize| (own[index].to_string(), own[index].what());
        assert_eq!(written(0), ("/secrets[mine] get".into(), "secrets mine".into()));
        assert_eq!(
            written(3),
            ("coordination.k8s.io/leases[lease] update".into(), "leases.coordination.k8s.io lease".into())
        );
        let status = &cluster()[4];
        assert_eq!(status.what(), "technicalusers.technicaluser.dev/status");
    }
}
