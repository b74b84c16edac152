//! The kinds that the apiserver serves: those of Kubernetes that the operator uses, and those of the definitions.

use std::sync::Arc;

use serde_json::Value;

/// One kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub name: String,
    pub namespaced: bool,
    /// It has the status subresource.
    pub status: bool,
    /// A PUT to an absent name creates the object.
    pub created_by_put: bool,
    /// The schema of a custom resource.
    pub schema: Option<Value>,
}

impl Kind {
    fn built_in(group: &str, version: &str, plural: &str, kind: &str) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            plural: plural.into(),
            name: kind.into(),
            namespaced: true,
            status: false,
            created_by_put: false,
            schema: None,
        }
    }

    /// `secrets`, or `widgets.example.org`: its name in messages and in the store.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Secret`, or `Widget.example.org`: its name in the messages of a validation.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.name.clone() } else { format!("{}.{}", self.name, self.group) }
    }

    /// The `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether its objects count the changes of their specs.
    pub fn has_generation(&self) -> bool {
        self.is_custom() || self.group == "apps"
    }

    /// Whether it is a custom resource.
    pub fn is_custom(&self) -> bool {
        self.schema.is_some()
    }
}

/// All kinds.
#[derive(Debug, Clone)]
pub struct Kinds(Vec<Arc<Kind>>);

impl Default for Kinds {
    fn default() -> Self {
        let cluster = |kind: Kind| Kind { namespaced: false, ..kind };
        let with_status = |kind: Kind| Kind { status: true, ..kind };
        Self(
            [
                with_status(cluster(Kind::built_in("", "v1", "namespaces", "Namespace"))),
                Kind::built_in("", "v1", "secrets", "Secret"),
                Kind::built_in("", "v1", "configmaps", "ConfigMap"),
                with_status(Kind::built_in("", "v1", "resourcequotas", "ResourceQuota")),
                with_status(Kind::built_in("apps", "v1", "deployments", "Deployment")),
                with_status(Kind::built_in("apps", "v1", "statefulsets", "StatefulSet")),
                Kind {
                    created_by_put: true,
                    ..Kind::built_in("coordination.k8s.io", "v1", "leases", "Lease")
                },
                Kind::built_in("events.k8s.io", "v1", "events", "Event"),
                cluster(Kind::built_in(
                    "apiextensions.k8s.io",
                    "v1",
                    "customresourcedefinitions",
                    "CustomResourceDefinition",
                )),
            ]
            .map(Arc::new)
            .to_vec(),
        )
    }
}

impl Kinds {
    /// The kind of a path.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.0
            .iter()
            .find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
            .cloned()
    }

    /// The kinds of a group in one version.
    pub fn in_group<'a>(&'a self, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Arc<Kind>> {
        self.0.iter().filter(move |kind| kind.group == group && kind.version == version)
    }

    /// The versions of a group.
    pub fn versions(&self, group: &str) -> Vec<&str> {
        let mut versions: Vec<_> =
            self.0.iter().filter(|kind| kind.group == group).map(|kind| kind.version.as_str()).collect();
        versions.dedup();
        versions
    }

    /// These, and the kinds of some definitions.
    pub fn with<'a>(definitions: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut kinds = Self::default();
        definitions.into_iter().for_each(|definition| kinds.define(definition));
        kinds
    }

    /// Serves the kinds of a definition from now on.
    pub fn define(&mut self, definition: &Value) {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for version in spec["versions"].as_array().into_iter().flatten() {
            let kind = Kind {
                group: text(&spec["group"]),
                version: text(&version["name"]),
                plural: text(&spec["names"]["plural"]),
                name: text(&spec["names"]["kind"]),
                namespaced: spec["scope"] == "Namespaced",
                status: version["subresources"]["status"].is_object(),
                created_by_put: false,
                schema: Some(version["schema"]["openAPIV3Schema"].clone()),
            };
            self.0.retain(|known| known.resource() != kind.resource() || known.version != kind.version);
            self.0.push(Arc::new(kind));
        }
    }
}
