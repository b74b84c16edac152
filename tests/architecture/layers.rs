//! The table of layers, and what a source does against it. `src/lib.rs` has the same table for readers.

use std::collections::BTreeSet;

use crate::paths::paths;
use crate::source::Source;

/// A layer: a module below the crate's root.
pub struct Layer {
    /// The module's name.
    pub name: &'static str,
    /// What it must not name, its tests included.
    pub forbidden: &'static [&'static str],
}

const ENVIRONMENT: &str = "std::env";

/// All layers.
pub const LAYERS: &[Layer] = &[
    Layer {
        name: "domain",
        forbidden: &[
            "kube",
            "k8s_openapi",
            "reqwest",
            "tokio",
            "crate::api",
            "crate::portal",
            "crate::controller",
            "crate::vault",
            "crate::k8s",
            "crate::process",
        ],
    },
    Layer {
        name: "portal",
        forbidden: &["kube", "k8s_openapi", "crate::api", "crate::controller", "crate::k8s"],
    },
    Layer {
        name: "vault",
        forbidden: &[
            "kube",
            "k8s_openapi",
            "reqwest",
            "crate::api",
            "crate::portal",
            "crate::controller",
            "crate::k8s",
        ],
    },
    Layer {
        name: "transport",
        forbidden: &[
            "kube",
            "k8s_openapi",
            "crate::api",
            "crate::portal",
            "crate::vault",
            "crate::controller",
            "crate::k8s",
        ],
    },
    Layer { name: "api", forbidden: &["reqwest", "crate::portal", "crate::controller"] },
    Layer { name: "controller", forbidden: &["reqwest", "crate::portal::clients"] },
    Layer { name: "k8s", forbidden: &["crate::api", "crate::domain", "crate::portal", "crate::controller"] },
    Layer { name: "server", forbidden: OBSERVERS },
    Layer { name: "health", forbidden: OBSERVERS },
    Layer { name: "metrics", forbidden: OBSERVERS },
    Layer { name: "telemetry", forbidden: OBSERVERS },
    Layer { name: "process", forbidden: &["kube", "k8s_openapi", "reqwest"] },
    Layer { name: "observer", forbidden: &["crate::controller", "crate::api"] },
    Layer { name: "check", forbidden: &["crate::controller", "crate::portal::clients"] },
    Layer { name: "site", forbidden: &["kube", "k8s_openapi", "reqwest", "crate::controller", "crate::k8s"] },
    Layer { name: "preflight", forbidden: &["crate::controller", "crate::portal", "crate::domain"] },
    Layer { name: "app", forbidden: &["crate::portal::clients"] },
    Layer { name: "oneshot", forbidden: &["crate::portal::clients", "crate::app"] },
    Layer { name: "config", forbidden: &[] },
    Layer { name: "lib", forbidden: &[] },
    Layer { name: "main", forbidden: &[] },
];

/// What layers must not name that only watch and report.
const OBSERVERS: &[&str] = &["crate::controller", "crate::portal", "crate::api"];

/// The layer of a file, named by its path below `src`.
pub fn layer_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// What a source does against the table, each in words.
pub fn violations(source: &Source) -> BTreeSet<String> {
    let layer = layer_of(&source.file);
    let forbidden = LAYERS.iter().find(|known| known.name == layer).map_or(&[][..], |known| known.forbidden);
    let mut found = BTreeSet::new();
    for named in paths(source) {
        let path = named.parts.join("::");
        let environment =
            layer != "config" && !named.in_tests && (names(&path, ENVIRONMENT) || is_whole(&path, "std"));
        let hidden = is_whole(&path, "crate") && !forbidden.is_empty();
        if hidden || environment || forbidden.iter().any(|what| names(&path, what)) {
            found.insert(format!("src/{}:{}: {layer} must not name {path}", source.file, named.line));
        }
    }
    found
}

/// Whether a path names what is forbidden, something in it, or all that is beside it.
fn names(path: &str, what: &str) -> bool {
    let beside = what.rsplit_once("::").is_some_and(|(around, _)| path == format!("{around}::*"));
    beside || path == what || path.starts_with(&format!("{what}::"))
}

/// Whether a path is a whole crate or a glob of it: another name for it would hide what is named.
fn is_whole(path: &str, of: &str) -> bool {
    path == of || path == format!("{of}::*")
}

fn violations_of(file: &str, text: &str) -> BTreeSet<String> {
    violations(&Source::new(file, text))
}

#[test]
fn bad_snippets_are_found() {
    for (file, source) in [
        ("domain/x.rs", "use kube::Api;"),
        ("domain/x.rs", "fn f() -> k8s_openapi::X {}"),
        ("domain/x.rs", "use std::{fmt, time}; use tokio::{sync, time as t};"),
        ("domain/x.rs", "use r#reqwest::Client;"),
        ("domain/x.rs", "pub use crate::{domain::user, api::{keys}};"),
        ("domain/x.rs", "use super::super::portal::Portal;"),
        ("domain/mod.rs", "use super::k8s;"),
        ("domain/plan/tests/x.rs", "use crate::controller::X;"),
        ("domain/x.rs", "#[cfg(test)] mod tests { #[tokio::test] async fn f() {} }"),
        ("domain/x.rs", "use crate::*;"),
        ("domain/x.rs", "use crate as root; fn f() { root::api::x() }"),
        ("portal/x.rs", "use crate::api::Portal;"),
        ("vault/x.rs", "use crate::api::Portal;"),
        ("vault/x.rs", "use k8s_openapi::api::core::v1::Secret;"),
        ("transport/x.rs", "use crate::portal::PortalError;"),
        ("portal/clients/catena_x/x.rs", "extern crate kube;"),
        ("api/x.rs", "use reqwest;"),
        ("api/x.rs", "use crate::controller::context::Context;"),
        ("controller/x.rs", "use crate::portal::{Portal, clients::catena_x::CatenaX};"),
        ("controller/x.rs", "use reqwest::Client;"),
        ("k8s/x.rs", "use crate::domain::user::UserId;"),
        ("server.rs", "use crate::api::Portal;"),
        ("health.rs", "use crate::portal::Portal;"),
        ("metrics.rs", "use crate::controller::X;"),
        ("telemetry.rs", "use super::controller::X;"),
        ("observer.rs", "use crate::controller::X;"),
        ("check.rs", "use crate::controller::X;"),
        ("check/x.rs", "use crate::controller::X;"),
        ("check/x.rs", "use crate::portal::clients::catena_x::Client;"),
        ("app.rs", "use crate::portal::clients::catena_x::Client;"),
        ("app.rs", "use std::env;"),
        ("main.rs", "fn main() { std::env::var(\"X\"); }"),
        ("controller/x.rs", "use std::{env, fs};"),
        ("controller/x.rs", "use std as s; fn f() { s::env::var(\"X\"); }"),
        ("controller/x.rs", "#[cfg(test)] mod tests {} use std::env::var;"),
        // By another name, by its whole path, and in a macro.
        ("controller/x.rs", "use crate::portal as p; fn f(x: p::clients::catena_x::Client) {}"),
        ("controller/x.rs", "use crate::portal; mod tests { use super::*; use portal::{self, clients::*}; }"),
        ("controller/x.rs", "use crate::portal::*; fn f(x: clients::catena_x::Client) {}"),
        ("controller/x.rs", "fn f() { <crate::portal::clients::catena_x::Client as Portal>::list() }"),
        ("controller/x.rs", "fn f() { tokio::select! { x = crate::portal::clients::catena_x::f() => {} } }"),
        ("domain/x.rs", "fn f() -> impl ::kube::Resource {}"),
        ("domain/x.rs", "#[derive(kube::CustomResource)] struct S;"),
        ("domain/x.rs", "#[serde(with = \"crate::api::time\")] struct S;"),
        ("domain/x.rs", "macro_rules! m { () => { use $crate::{domain, api}; } }"),
        ("domain/x.rs", "fn f() { assert!(matches!(x, Some(crate::portal::PortalError::Gone))) }"),
        ("domain/x.rs", "fn f() { use super::super as top; top::portal::x() }"),
        ("app.rs", "use std::{self as s}; fn f() { println!(\"{:?}\", s::env::args()) }"),
    ] {
        assert!(!violations_of(file, source).is_empty(), "{file}: {source}");
    }
}

#[test]
fn good_snippets_pass() {
    for (file, source) in [
        ("domain/x.rs", "//! See [`crate::api`].\n/// use kube::Api;\nuse crate::domain::user::UserId;"),
        ("domain/x.rs", "use super::user; const A: &str = \"kube::Api\"; mod tests { use super::*; }"),
        ("portal/x.rs", "use reqwest::Client; use crate::domain::user::UserId; use super::catena_x;"),
        ("api/x.rs", "/// A reason of [`crate::portal::X`].\nuse kube::CustomResource;"),
        ("controller/x.rs", "use crate::portal::Portal; use crate::api::keys; use kube::Api;"),
        ("config.rs", "fn f() { std::env::args_os(); }"),
        ("config/check.rs", "use std::env;"),
        ("portal/x.rs", "#[cfg(test)] mod tests { fn f() { std::env::var(\"X\"); } }"),
        ("portal/x/tests.rs", "use std::env;"),
        ("server.rs", "use std::env_like; use crate::metrics::Metrics;"),
        ("app.rs", "use crate::portal::Clients; use crate::api;"),
        ("controller/x.rs", "use crate::portal::{self, Portal}; fn f(x: portal::PortalError) {}"),
        ("domain/x.rs", "use crate::domain::plan as p; fn f() { panic!(\"kube::Api {}\", p::x()) }"),
    ] {
        assert_eq!(violations_of(file, source), BTreeSet::new(), "{file}: {source}");
    }
}
