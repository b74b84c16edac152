//! What the chart tractusx-connector renders. The chart is in no registry, so its environment is recorded, with the values
//! that led to it; `rendered.json` says of which versions.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A container as far as its environment goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The Secrets of `envFrom`.
    pub env_from: Vec<String>,
    /// `env`.
    pub env: Vec<(String, String)>,
}

impl Container {
    /// The names to which the values of `env` refer, each as often as it occurs.
    pub fn references(&self) -> Vec<&str> {
        let after = self.env.iter().flat_map(|(_, value)| value.split("$(").skip(1));
        after.filter_map(|rest| rest.split_once(')')).map(|(name, _)| name).collect()
    }
}

/// A version of the chart.
pub struct Chart {
    /// The version.
    pub version: String,
    /// The values that it was rendered with.
    pub values: Value,
    deployments: Value,
}

impl Chart {
    /// The versions that are recorded.
    pub fn all() -> Vec<Self> {
        let recorded: Value = serde_json::from_str(include_str!("rendered.json")).unwrap();
        let charts = recorded["charts"].as_object().unwrap().iter();
        charts
            .map(|(version, chart)| Self {
                version: version.clone(),
                values: chart["values"].clone(),
                deployments: chart["deployments"].clone(),
            })
            .collect()
    }

    /// The version that begins with this.
    pub fn of(version: &str) -> Self {
        Self::all().into_iter().find(|chart| chart.version.starts_with(version)).unwrap()
    }

    /// The values without those that refer to a Secret: what a company has already, independent of who created its technical user.
    pub fn values_of_the_company(&self) -> Value {
        without_references(&self.values)
    }

    /// The containers that the chart renders from values, by their planes.
    ///
    /// A value may differ from the recorded one; the variables that had the recorded one then have it.
    ///
    /// # Errors
    ///
    /// Where the chart has no such value, or a recorded one that leads to a variable is missing.
    pub fn render(&self, values: &Value) -> Result<BTreeMap<&'static str, Container>, String> {
        let (recorded, given) = (leaves(&self.values), leaves(values));
        if let Some(unknown) = given.keys().find(|path| !recorded.contains_key(*path)) {
            return Err(format!("the chart {} has no value {unknown}", self.version));
        }
        let planes = ["controlplane", "dataplane"].into_iter();
        planes.map(|plane| Ok((plane, self.container(plane, values, &recorded, &given)?))).collect()
    }

    fn container(
        &self,
        plane: &str,
        values: &Value,
        recorded: &BTreeMap<String, Value>,
        given: &BTreeMap<String, Value>,
    ) -> Result<Container, String> {
        let deployment = &self.deployments[format!("c-tractusx-connector-{plane}")];
        let mut env = Vec::new();
        for (name, value) in deployment["env"].as_object().unwrap() {
            let from = recorded.iter().find(|(_, leaf)| *leaf == value);
            let value = match from {
                None => value,
                Some((path, _)) => {
                    given.get(path).ok_or_else(|| format!("{}: {path} is missing", self.version))?
                }
            };
            env.push((name.clone(), value.as_str().unwrap().to_owned()));
        }
        let secrets = values[plane]["envSecretNames"].as_array().into_iter().flatten();
        Ok(Container { env_from: secrets.map(|name| name.as_str().unwrap().to_owned()).collect(), env })
    }

    /// The containers that are recorded.
    pub fn recorded(&self) -> BTreeMap<&'static str, Container> {
        self.render(&self.values).unwrap()
    }
}

/// Each value that is no map and no list, by its path.
pub fn leaves(values: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    collect(values, "", &mut found);
    found
}

fn collect(value: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                collect(value, &below(key), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                collect(value, &below(&index.to_string()), found);
            }
        }
        leaf => {
            found.insert(path.to_owned(), leaf.clone());
        }
    }
}

/// Values over values, as Helm combines them: maps are combined, and all else is replaced.
pub fn merge(values: &mut Value, over: &Value) {
    match (values, over) {
        (Value::Object(values), Value::Object(over)) => {
            for (key, over) in over {
                merge(values.entry(key.clone()).or_insert(Value::Null), over);
            }
        }
        (values, over) => *values = over.clone(),
    }
}

fn without_references(value: &Value) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let is_reference = |value: &Value| value.as_str().is_some_and(|text| text.contains("$("));
    let kept = map.iter().filter(|(key, value)| *key != "envSecretNames" && !is_reference(value));
    let kept = kept.map(|(key, value)| (key.clone(), without_references(value)));
    Value::Object(kept.filter(|(_, value)| value != &Value::Object(Map::new())).collect())
}
