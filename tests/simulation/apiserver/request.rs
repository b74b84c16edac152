//! What a request asks for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::{Method, header, request};
use serde_json::Value;

use super::kinds::{Kind, Kinds};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
}

impl Verb {
    /// Its name in RBAC.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// A request for objects of one kind.
#[derive(Debug, Clone)]
pub struct Call {
    /// The user that sends it.
    pub caller: String,
    pub verb: Verb,
    pub kind: Arc<Kind>,
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// It goes to the status subresource.
    pub status: bool,
    pub query: BTreeMap<String, String>,
    /// Of an object only its metadata are requested.
    pub metadata_only: bool,
    pub body: Value,
}

impl Call {
    /// Reads a request. `None` where no kind is served at its path.
    pub fn read(caller: &str, kinds: &Kinds, head: &request::Parts, body: Value) -> Option<Self> {
        let segments: Vec<&str> = head.uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() && rest != ["status"] => {
                (Some((*namespace).to_owned()), rest)
            }
            rest => (None, rest),
        };
        let (plural, name, status) = match rest {
            [plural] => (*plural, None, false),
            [plural, name] => (*plural, Some((*name).to_owned()), false),
            [plural, name, "status"] => (*plural, Some((*name).to_owned()), true),
            _ => return None,
        };
        let query = query(head.uri.query().unwrap_or_default());
        let watches = query.get("watch").is_some_and(|watch| watch == "true");
        let verb = match head.method {
            Method::GET if name.is_some() => Verb::Get,
            Method::GET if watches => Verb::Watch,
            Method::GET => Verb::List,
            Method::POST if name.is_none() => Verb::Create,
            Method::PUT if name.is_some() => Verb::Update,
            Method::PATCH if name.is_some() => Verb::Patch,
            Method::DELETE if name.is_some() => Verb::Delete,
            _ => return None,
        };
        let kind = kinds.find(group, version, plural).filter(|kind| kind.status || !status)?;
        let accepts = head.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        let metadata_only = accepts.is_some_and(|accept| accept.contains("as=PartialObjectMetadata"));
        let caller = caller.to_owned();
        Some(Self { caller, verb, kind, namespace, name, status, query, metadata_only, body })
    }

    /// Whether nothing may be written.
    pub fn is_dry_run(&self) -> bool {
        self.query.get("dryRun").is_some_and(|dry_run| dry_run == "All")
    }

    /// The name in the path, or in the body of a create.
    pub fn object_name(&self) -> String {
        let in_body = || self.body["metadata"]["name"].as_str().map(str::to_owned);
        self.name.clone().or_else(in_body).unwrap_or_default()
    }

    /// The namespace in the path, empty for objects of the cluster.
    pub fn namespace_name(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// A number in the query.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.query.get(name)?.parse().ok()
    }
}

/// The call as a line of a log, without its body.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = if self.status { "/status" } else { "" };
        let dry_run = if self.is_dry_run() { " (dry run)" } else { "" };
        let resource = self.kind.resource();
        write!(f, "{} {} {resource}{status}", self.caller, self.verb.name())?;
        // The name of an event holds the time of the real clock.
        let name = if self.kind.plural == "events" { String::new() } else { self.object_name() };
        write!(f, " {}/{name}{dry_run}", self.namespace_name())
    }
}

fn query(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}
