//! Which portal is meant: by a Portal manifest or by its addresses.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::report::Addresses;
use crate::api::GROUP;
use crate::api::portal::{Auth, PortalSpec};
use crate::api::target;
use crate::config::{CheckArgs, Target};
use crate::portal::{BundleReport, Limits};

/// A portal to be checked.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a manifest, each read by itself")]
pub(super) struct Site {
    pub(super) target: Addresses,
    /// The token endpoint of wallet users, where the manifest names it.
    pub(super) wallet_token_url: Option<String>,
    pub(super) limits: Limits,
    pub(super) ca_bundle: Option<String>,
    /// The manifest names certificates of the cluster, which the check cannot read.
    pub(super) ca_in_cluster: bool,
    /// The manifest asks for plain http. Without a manifest the process's flag alone decides.
    pub(super) insecure_http: bool,
    /// The manifest names a login for deletion.
    pub(super) deletion_login: bool,
    /// The manifest says that nothing may be written.
    pub(super) suspended: bool,
    /// What the check does not read of the manifest, and which certificates it does not use.
    pub(super) notes: Vec<String>,
}

/// The error is in words.
pub(super) fn of(args: &CheckArgs) -> Result<Site, String> {
    let ca_bundle = args.ca_file.as_deref().map(text).transpose()?;
    let mut site = match args.target() {
        Target::Addresses { url, token_url, bpn } => Site {
            target: Addresses { url: trimmed(url.as_str()), token_url: token_url.into(), bpn },
            wallet_token_url: None,
            limits: Limits::default(),
            ca_bundle: None,
            ca_in_cluster: false,
            insecure_http: true,
            deletion_login: false,
            suspended: false,
            notes: Vec::new(),
        },
        Target::Manifest(path) => {
            let spec = spec(&text(&path)?).map_err(|why| format!("{}: {why}", path.display()))?;
            described(&spec, args).map_err(|why| format!("{}: {why}", path.display()))?
        }
    };
    let report = ca_bundle.as_deref().map(BundleReport::of).filter(|report| report.usable > 0);
    let unusable = report.and_then(|report| report.unusable);
    site.notes.extend(unusable.map(|words| format!("certificates of --ca-file cannot be used: {words}")));
    site.ca_bundle = ca_bundle;
    Ok(site)
}

fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').trim_end_matches("/api/administration").to_owned()
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// The spec of the one Portal among the documents of a file.
fn spec(text: &str) -> Result<PortalSpec, String> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|_| "it cannot be read as YAML".to_owned())?;
    let group = format!("{GROUP}/");
    let is_portal = |document: &&Value| {
        let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
        text("kind") == "Portal" && text("apiVersion").starts_with(&group)
    };
    let portals: Vec<&Value> = documents.iter().filter(is_portal).collect();
    match portals.as_slice() {
        [portal] => parsed(portal.get("spec").unwrap_or(&Value::Null))
            .map_err(|why| format!("its spec is wrong: {why}")),
        [] => Err(format!("it holds no Portal (apiVersion {GROUP}/v1alpha1, kind Portal)")),
        several => Err(format!("it holds {} Portals; name a file with exactly one", several.len())),
    }
}

fn parsed<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

fn described(spec: &PortalSpec, args: &CheckArgs) -> Result<Site, String> {
    if spec.catena_x.is_some() && spec.cofinity_x.is_some() {
        return Err("it names both catenaX and cofinityX; name exactly one".to_owned());
    }
    let target = target::Target::of(spec)
        .ok_or("it names no known portal: set catenaX, or cofinityX (with tokenUrl for PreProduction)")?;
    let limits = spec.limits.as_ref();
    let mut notes = Vec::new();
    if is_person(&target.auth) != args.refresh_token_file().is_some() {
        notes.push(format!(
            "the manifest's auth is {}, but the login that was tried is {}",
            kind(is_person(&target.auth)),
            kind(args.refresh_token_file().is_some())
        ));
    }
    if target.delete_auth.is_some() && args.delete_client_id.is_none() {
        notes.push(
            "the manifest names a deleteAuth, which was not tried: pass --delete-client-id and --delete-client-secret-file"
                .to_owned(),
        );
    }
    let ca_in_cluster = spec.tls.is_some() && args.ca_file.is_none();
    if ca_in_cluster {
        notes.push(
            "the manifest names certificates that are in the cluster: pass them with --ca-file to use them"
                .to_owned(),
        );
    }
    Ok(Site {
        target: Addresses { url: target.url, token_url: target.token_url, bpn: target.bpn },
        wallet_token_url: target.wallet_token_url,
        limits: Limits::given(
            limits.and_then(|l| l.requests_per_second),
            limits.and_then(|l| l.burst),
            limits.and_then(|l| l.concurrency),
        ),
        ca_bundle: None,
        ca_in_cluster,
        insecure_http: target.insecure_http,
        deletion_login: target.delete_auth.is_some(),
        suspended: spec.suspend == Some(true),
        notes,
    })
}

fn is_person(auth: &Auth) -> bool {
    auth.client_credentials.is_none() && auth.refresh_token.is_some()
}

fn kind(person: bool) -> &'static str {
    if person { "refreshToken" } else { "clientCredentials" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTAL: &str = "apiVersion: technicaluser.dev/v1alpha1\nkind: Portal\nmetadata: {name: p}\nspec:\n  catenaX:\n    \
        url: https://p.example.org/api/administration\n    tokenUrl: https://idp.example.org/token\n    \
        auth: {clientCredentials: {secretRef: {name: login}}}\n";

    #[test]
    fn the_one_portal_of_a_file_is_found() {
        let file = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\n---\n{PORTAL}");
        let spec = spec(&file).unwrap();
        assert_eq!(target::Target::of(&spec).unwrap().url, "https://p.example.org");
    }

    #[test]
    fn a_file_without_exactly_one_portal_is_reported() {
        for (file, words) in [
            ("kind: Portal\napiVersion: v1\n", "holds no Portal"),
            ("", "holds no Portal"),
            ("a: [", "cannot be read as YAML"),
            (&format!("{PORTAL}---\n{PORTAL}"), "holds 2 Portals"),
            (&PORTAL.replace("auth:", "oath:"), "its spec is wrong: missing field `auth`"),
        ] {
            let error = spec(file).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
