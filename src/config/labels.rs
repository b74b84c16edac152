//! Labels for everything that the operator creates in the cluster.

use std::collections::BTreeMap;
use std::str::FromStr;

/// Labels for everything that the operator creates in the cluster. Written as `key=value,key=value`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommonLabels(BTreeMap<String, String>);

/// The longest name and value of a label.
const LABEL_CHARACTERS: usize = 63;
/// The longest prefix of a label's key.
const PREFIX_CHARACTERS: usize = 253;

impl CommonLabels {
    /// The labels.
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl FromStr for CommonLabels {
    type Err = String;

    /// An empty text has no labels.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut labels = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (key, value) =
                entry.split_once('=').ok_or_else(|| format!("{entry:?} is not of the form key=value"))?;
            let (key, value) = (key.trim(), value.trim());
            if !is_key(key) {
                return Err(format!("{key:?} is not the key of a label"));
            }
            if !value.is_empty() && !is_name(value) {
                return Err(format!(
                    "{value:?}, the value of the label {key}, has more than 63 characters, or others than letters, digits, \
                     -, _ and . with a letter or digit at both ends"
                ));
            }
            if let Some(why) = reserved(key) {
                return Err(format!("the label {key} cannot be a common label: {why}"));
            }
            if labels.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(format!("the label {key} is given twice"));
            }
        }
        Ok(Self(labels))
    }
}

/// Why a label cannot be on everything that the operator creates.
fn reserved(key: &str) -> Option<&'static str> {
    let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
    match key {
        "app.kubernetes.io/managed-by" => Some("it names who manages an object, here the operator itself"),
        "app.kubernetes.io/instance" | "argocd.argoproj.io/instance" => Some(
            "Argo CD treats each object with it as its own, and deletes those that are not in the repository, even the identity \
             of the installation",
        ),
        _ if prefix == "technicaluser.dev" || prefix.ends_with(".technicaluser.dev") => {
            Some("labels of technicaluser.dev belong to the operator")
        }
        _ if prefix == "kapp.k14s.io" => Some(
            "kapp treats each object with it as its own, and deletes those that are not in its manifests",
        ),
        _ => None,
    }
}

fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

/// A DNS subdomain (RFC 1123).
fn is_subdomain(text: &str) -> bool {
    let is_label = |label: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.chars().all(fits) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= PREFIX_CHARACTERS && text.split('.').all(is_label)
}

/// A value that is not empty, or the part of a key after its prefix.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    (1..=LABEL_CHARACTERS).contains(&text.len())
        && text.chars().all(fits)
        && text.starts_with(edge)
        && text.ends_with(edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        text.parse::<CommonLabels>().map(|labels| labels.0.into_iter().collect())
    }

    #[test]
    fn labels_are_keys_with_values() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read(""), Ok(Vec::new()));
        assert_eq!(
            read("team=connector, example.org/cost.center=A_1-b,empty=,"),
            Ok(vec![pair("empty", ""), pair("example.org/cost.center", "A_1-b"), pair("team", "connector")])
        );
    }

    #[test]
    fn what_the_apiserver_would_refuse_is_refused_with_its_name() {
        let long = "a".repeat(64);
        for (text, named) in [
            ("team", "\"team\""),
            ("=x", "\"\""),
            ("-a=x", "\"-a\""),
            ("/a=x", "\"/a\""),
            ("Example.org/a=x", "\"Example.org/a\""),
            ("a/b/c=x", "\"a/b/c\""),
            (&format!("{long}=x"), long.as_str()),
            ("a=-x", "the label a"),
            ("a=b c", "\"b c\""),
            ("a=b=c", "\"b=c\""),
            (&format!("a={long}"), "the label a"),
            ("a=1,a=2", "the label a"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn labels_by_which_others_know_their_own_are_refused() {
        for key in [
            "technicaluser.dev/instance",
            "x.technicaluser.dev/a",
            "app.kubernetes.io/managed-by",
            "app.kubernetes.io/instance",
            "argocd.argoproj.io/instance",
            "kapp.k14s.io/app",
        ] {
            assert!(read(&format!("{key}=x")).unwrap_err().contains(key), "{key}");
        }
        assert!(read("app.kubernetes.io/part-of=x").is_ok());
    }
}
