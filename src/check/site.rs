//! Which portal is meant: by a Portal manifest or by its addresses.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::report::Addresses;
use crate::api::GROUP;
use crate::api::portal::{PortalSpec, VARIANTS};
use crate::config::{CheckArgs, Target};
use crate::portal::BundleReport;
use crate::site::Site;

/// A portal to be checked.
#[derive(Debug)]
pub(super) struct CheckedSite {
    pub(super) site: Site,
    pub(super) ca_bundle: Option<String>,
    /// The manifest names certificates of the cluster, which the check cannot read.
    pub(super) ca_in_cluster: bool,
    /// The manifest says that nothing may be written.
    pub(super) suspended: bool,
    /// What the check does not read of the manifest, and which certificates it does not use.
    pub(super) notes: Vec<String>,
}

impl CheckedSite {
    /// What the report says of it.
    pub(super) fn addresses(&self) -> Addresses {
        let Site { url, token_url, company, .. } = self.site.clone();
        Addresses { url, token_url, bpn: company }
    }
}

/// The error is in words.
pub(super) fn of(args: &CheckArgs) -> Result<CheckedSite, String> {
    let ca_bundle = args.ca_file.as_deref().map(text).transpose()?;
    let mut checked = match args.target() {
        // Without a manifest the process's flag alone decides whether plain http may be used.
        Target::Addresses { url, token_url, bpn } => CheckedSite {
            site: Site::at(url.into(), token_url.into(), bpn),
            ca_bundle: None,
            ca_in_cluster: false,
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
    checked.notes.extend(unusable.map(|words| format!("certificates of --ca-file cannot be used: {words}")));
    checked.ca_bundle = ca_bundle;
    Ok(checked)
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

fn described(spec: &PortalSpec, args: &CheckArgs) -> Result<CheckedSite, String> {
    if let [one, other, ..] = spec.variants().as_slice() {
        return Err(format!("it names both {one} and {other}; name exactly one"));
    }
    let site = Site::of(spec).ok_or_else(|| format!("it names no known portal: set {VARIANTS}"))?;
    let mut notes = Vec::new();
    let (is_person, tried_person) = (site.logins.main.is_person(), args.refresh_token_file().is_some());
    if is_person != tried_person {
        notes.push(format!(
            "the manifest's auth is {}, but the login that was tried is {}",
            kind(is_person),
            kind(tried_person)
        ));
    }
    if site.logins.deletion.is_some() && args.delete_client_id.is_none() {
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
    Ok(CheckedSite { site, ca_bundle: None, ca_in_cluster, suspended: spec.suspend == Some(true), notes })
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
        assert_eq!(Site::of(&spec).unwrap().url, "https://p.example.org");
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
