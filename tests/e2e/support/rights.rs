//! What the roles of the chart grant, and what the requests of an operator needed.

use std::collections::BTreeSet;

use serde_json::Value;
use testbed::RecordedRequest;

use super::world::World;

/// A right: what, in a namespace or everywhere (empty), on one object or on all (empty).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    namespace: String,
    /// As `group/resource verb`.
    what: String,
    name: String,
}

impl Right {
    /// Whether it is one on objects of this API group.
    pub fn is_of_group(&self, group: &str) -> bool {
        self.what.split('/').next() == Some(group)
    }

    /// Whether what a request needed is covered by this right.
    fn covers(&self, needed: &Self) -> bool {
        self.what == needed.what
            && (self.namespace.is_empty() || self.namespace == needed.namespace)
            && (self.name.is_empty() || self.name == needed.name)
    }

    /// Never seen as a request: the admission plugin `OwnerReferencesPermissionEnforcement` asks for it, for
    /// `blockOwnerDeletion` on our Secrets.
    fn is_asked_for_by_admission(&self) -> bool {
        self.what == "technicaluser.dev/technicalusers/finalizers update"
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What a Role or a `ClusterRole` grants.
fn granted_by(role: &Value) -> Vec<Right> {
    let namespace = role["metadata"]["namespace"].as_str().unwrap_or_default();
    let mut granted = Vec::new();
    for rule in role["rules"].as_array().unwrap() {
        let mut names = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push(String::new());
        }
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    granted.extend(names.iter().map(|name| Right {
                        namespace: namespace.to_owned(),
                        what: format!("{group}/{resource} {verb}"),
                        name: name.clone(),
                    }));
                }
            }
        }
    }
    granted
}

/// What the Roles of the namespaces and the release's `ClusterRole`, if there is one, grant.
async fn granted(world: &World) -> BTreeSet<Right> {
    let everything = ["get", "roles,clusterroles", "--all-namespaces", "-o", "json"];
    let answer = world.plane.kubectl(&everything).await.unwrap().success().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let cluster_role = format!("technical-user-operator:{}", world.namespace);
    let of_release = |role: &&Value| {
        let place = role["metadata"]["namespace"].as_str();
        place.map_or(role["metadata"]["name"] == cluster_role, |place| {
            place == world.namespace || world.neighbours.iter().any(|neighbour| place == neighbour)
        })
    };
    answer["items"].as_array().unwrap().iter().filter(of_release).flat_map(granted_by).collect()
}

/// What a request needed.
fn needed(request: &RecordedRequest) -> Vec<Right> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        // Every authenticated user may read what there is.
        _ => return Vec::new(),
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        // RBAC takes the name of a namespace for its own namespace, too.
        ["namespaces", namespace] => (*namespace, rest),
        _ => ("", rest),
    };
    let (resource, name) = match rest {
        [resource] => ((*resource).to_owned(), ""),
        [resource, name] => ((*resource).to_owned(), *name),
        [resource, name, subresource] => (format!("{resource}/{subresource}"), *name),
        _ => return Vec::new(),
    };
    let watch = query.split('&').any(|parameter| parameter == "watch=true");
    let verbs: &[&str] = match request.method.as_str() {
        "GET" if !name.is_empty() => &["get"],
        "GET" if watch => &["watch"],
        "GET" => &["list"],
        "POST" => &["create"],
        "PUT" => &["update"],
        // A server-side apply that creates needs both.
        "PATCH" if request.apiserver_code == Some(201) => &["patch", "create"],
        "PATCH" => &["patch"],
        _ => &["delete"],
    };
    let right = |verb: &&str| Right {
        namespace: namespace.to_owned(),
        what: format!("{group}/{resource} {verb}"),
        name: name.to_owned(),
    };
    verbs.iter().map(right).collect()
}

impl World {
    /// The rights that the chart grants, and that no request of an operator needed so far: in that namespace, for that object.
    pub async fn unused_rights(&self) -> Vec<Right> {
        let needed: BTreeSet<_> = self.proxy.requests().iter().flat_map(needed).collect();
        let unused = |right: &Right| !needed.iter().any(|needed| right.covers(needed));
        let granted = granted(self).await;
        granted.into_iter().filter(|right| unused(right) && !right.is_asked_for_by_admission()).collect()
    }
}
