//! Whether the cluster serves the kinds that this program was built for: version, subresources, every field.
//!
//! A field that the cluster does not know is dropped from what is written, without an error. So what is served is
//! compared with our own definitions, field by field, through discovery and the `OpenAPI` document of the group, which
//! every authenticated user may read. The document alone is not enough: it keeps a version that is not served any more.

use std::collections::BTreeMap;

use http::Request;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResourceList};
use kube::Client;
use serde_json::{Map, Value};

/// At most this many fields of a kind are named; the rest is counted.
const NAMED: usize = 5;

/// The differences between what the cluster serves and what this program needs, each in words. Without any, they fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fit {
    /// What is missing: the apiserver would drop what the operator writes there.
    pub lacking: Vec<String>,
    /// Fields that the cluster serves and this program does not know: a value in them has no effect.
    pub unknown: Vec<String>,
}

/// Compares what the cluster serves with `definitions`, by two calls.
pub async fn compare(client: &Client, wanted: &[CustomResourceDefinition]) -> Result<Fit, kube::Error> {
    let mut fit = Fit::default();
    for ((group, version), kinds) in by_version(wanted) {
        let Some(served) = get::<APIResourceList>(client, &format!("/apis/{group}/{version}")).await? else {
            let group_served = get::<APIGroup>(client, &format!("/apis/{group}")).await?;
            fit.lacking.push(absent(group, version, group_served.as_ref()));
            continue;
        };
        let document = get::<Value>(client, &format!("/openapi/v3/apis/{group}/{version}")).await?;
        let document = document.unwrap_or_default();
        for kind in kinds {
            kind.compare(&served, &document, &mut fit);
        }
    }
    Ok(fit)
}

/// `None` if the answer is 404.
async fn get<T: serde::de::DeserializeOwned>(client: &Client, path: &str) -> Result<Option<T>, kube::Error> {
    let request = Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
    match client.request(request).await {
        Ok(found) => Ok(Some(found)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

fn absent(group: &str, version: &str, served: Option<&APIGroup>) -> String {
    match served {
        None => format!("the custom resource definitions are absent: no kind of {group} is served"),
        Some(served) => {
            let versions: Vec<_> = served.versions.iter().map(|served| served.version.as_str()).collect();
            format!("version {version} of {group} is not served, only {}", versions.join(", "))
        }
    }
}

/// One version of one kind, as this program needs it.
struct Kind<'a> {
    group: &'a str,
    version: &'a str,
    name: &'a str,
    plural: &'a str,
    schema: Value,
    has_status: bool,
}

fn by_version(wanted: &[CustomResourceDefinition]) -> BTreeMap<(&str, &str), Vec<Kind<'_>>> {
    let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for definition in wanted {
        let spec = &definition.spec;
        for version in &spec.versions {
            let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
            kinds.entry((spec.group.as_str(), version.name.as_str())).or_default().push(Kind {
                group: &spec.group,
                version: &version.name,
                name: &spec.names.kind,
                plural: &spec.names.plural,
                schema: schema.and_then(|schema| serde_json::to_value(schema).ok()).unwrap_or_default(),
                has_status: version.subresources.as_ref().is_some_and(|sub| sub.status.is_some()),
            });
        }
    }
    kinds
}

impl Kind<'_> {
    fn compare(&self, served: &APIResourceList, document: &Value, fit: &mut Fit) {
        let Self { group, version, name: kind, plural, .. } = self;
        let knows = |name: &str| served.resources.iter().any(|resource| resource.name == name);
        if !knows(plural) {
            fit.lacking.push(format!(
                "kind {kind} is not served in version {version}: the definition {plural}.{group} is absent or has other versions"
            ));
            return;
        }
        if self.has_status && !knows(&format!("{plural}/status")) {
            fit.lacking.push(format!("kind {kind} lacks the subresource /status"));
        }
        let Some(schema) = self.schema_in(document) else {
            fit.lacking.push(format!("the apiserver does not publish the fields of kind {kind} yet"));
            return;
        };
        let mut fields = Fields::default();
        fields.compare("", &self.schema, schema);
        fields.lacking.sort();
        fields.unknown.sort();
        fit.lacking.extend(named(&fields.lacking).map(|fields| format!("kind {kind} lacks {fields}")));
        fit.unknown.extend(
            named(&fields.unknown)
                .map(|fields| format!("kind {kind} has {fields}, which this program does not know")),
        );
    }

    /// The kind's schema in the document, found by the mark that the apiserver sets on it.
    fn schema_in<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let is_it = |schema: &&Value| {
            let marks = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            marks.into_iter().flatten().any(|mark| {
                let says = |field: &str, value: &str| mark.get(field).and_then(Value::as_str) == Some(value);
                says("group", self.group) && says("version", self.version) && says("kind", self.name)
            })
        };
        document.get("components")?.get("schemas")?.as_object()?.values().find(is_it)
    }
}

#[derive(Default)]
struct Fields {
    lacking: Vec<String>,
    unknown: Vec<String>,
}

impl Fields {
    /// Compares two schemas below `path`. The fields of a missing field are not reported.
    fn compare(&mut self, path: &str, wanted: &Value, served: &Value) {
        let none = Map::new();
        let (wanted_fields, served_fields) =
            (properties(wanted).unwrap_or(&none), properties(served).unwrap_or(&none));
        // Each object has these; definitions need not name them.
        let common = |name: &str| path.is_empty() && ["apiVersion", "kind", "metadata"].contains(&name);
        for (name, field) in wanted_fields.iter().filter(|(name, _)| !common(name)) {
            let path = format!("{path}.{name}");
            match served_fields.get(name) {
                Some(served) => self.compare(&path, field, served),
                None if keeps_anything(served) => {}
                None => self.lacking.push(path),
            }
        }
        if !keeps_anything(wanted) {
            let unknown =
                served_fields.keys().filter(|name| !common(name) && !wanted_fields.contains_key(*name));
            self.unknown.extend(unknown.map(|name| format!("{path}.{name}")));
        }
        for (inner, suffix) in [("items", "[]"), ("additionalProperties", "[*]")] {
            if let (Some(wanted), Some(served)) = (wanted.get(inner), served.get(inner)) {
                self.compare(&format!("{path}{suffix}"), wanted, served);
            }
        }
    }
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn keeps_anything(schema: &Value) -> bool {
    schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
        || schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false))
}

/// The fields in words, `None` if there are none.
fn named(fields: &[String]) -> Option<String> {
    let shown: Vec<&str> = fields.iter().take(NAMED).map(String::as_str).collect();
    match (fields.len(), fields.len().saturating_sub(NAMED)) {
        (0, _) => None,
        (1, _) => Some(format!("the field {}", shown.join(", "))),
        (_, 0) => Some(format!("the fields {}", shown.join(", "))),
        (_, more) => Some(format!("the fields {} and {more} more", shown.join(", "))),
    }
}

#[cfg(test)]
mod tests;
