//! Conditions that a Portal has beside Ready and `CanDelete`, only while there is something to report.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Resource as _;

use crate::api::conditions::{
    CERTIFICATES_IGNORED, DATASPACE_DIFFERS, INSECURE_HTTP, TOKEN_URL_DIFFERS, Wanted,
};
use crate::api::portal::PortalSpec;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::portal::PlainHttp;
use crate::site::Site;

/// What to do about a server whose certificate is not trusted.
pub fn tls_hint(ctx: &Context, key: &Key) -> String {
    match ctx.portal_memory.bundles.of(key) {
        None => "if the certificate is of your own authority, name it in tls.caBundle".to_owned(),
        Some(report) => {
            let unused = report.unusable.map(|words| format!(" (not used: {words})")).unwrap_or_default();
            format!(
                "tls.caBundle holds {} usable certificates{unused}; if the server's certificate is of your own authority, that \
                 authority's certificate must be one of them",
                report.usable
            )
        }
    }
}

/// The conditions that there is a reason for.
pub fn wanted(ctx: &Context, key: &Key, spec: Option<&PortalSpec>) -> Vec<Wanted> {
    let plain_http = spec
        .and_then(Site::of)
        .is_some_and(|site| site.uses_plain_http())
        .then(|| insecure_http(ctx.connector.plain_http()));
    ignored_certificates(ctx, key).into_iter().chain(plain_http).collect()
}

fn insecure_http(permitted: PlainHttp) -> Wanted {
    let (status, reason, message) = match permitted {
        PlainHttp::PrivateAddresses => (
            true,
            Reason::InsecureHttpAllowed,
            "insecureHttp is set: logins, tokens and client secrets are sent unencrypted to the loopback and private addresses of \
             this Portal that begin with http. Use it for test systems only",
        ),
        PlainHttp::Refused => (
            false,
            Reason::InsecureHttpRefused,
            "insecureHttp is set and has no effect: the operator permits plain http only with the chart's value \
             allowInsecureHttp (--allow-insecure-http)",
        ),
    };
    Wanted {
        type_: INSECURE_HTTP,
        status: Some(status),
        reason: reason.as_str(),
        message: message.to_owned(),
    }
}

fn ignored_certificates(ctx: &Context, key: &Key) -> Option<Wanted> {
    let report = ctx.portal_memory.bundles.of(key)?;
    let words = report.unusable.filter(|_| report.usable > 0)?;
    Some(Wanted {
        type_: CERTIFICATES_IGNORED,
        status: Some(true),
        reason: Reason::UnusableCertificates.as_str(),
        message: format!(
            "tls.caBundle holds certificates that cannot be used: {words}. The other {} are trusted. Correct or remove those \
             that are named",
            report.usable
        ),
    })
}

/// Reports in log and Events what is new among these conditions.
pub fn announce(ctx: &Context, object: &StoredObject, old: &[Condition], new: &[Condition]) {
    let is_notice = |condition: &&Condition| {
        let types = [CERTIFICATES_IGNORED, INSECURE_HTTP, TOKEN_URL_DIFFERS, DATASPACE_DIFFERS];
        condition.status == "True" && types.contains(&condition.type_.as_str())
    };
    for notice in new.iter().filter(is_notice) {
        let is_known =
            |before: &Condition| (&before.type_, &before.message) == (&notice.type_, &notice.message);
        if old.iter().any(is_known) {
            continue;
        }
        let key = Key::of(object);
        tracing::warn!(portal = format!("{}/{}", key.namespace, key.name), "{}", notice.message);
        if let Some(reason) = Reason::parse(&notice.reason) {
            let reference = object.object_ref(&ctx.portals.api);
            ctx.events.warning(reference, reason.as_str(), "Reconcile", &notice.message);
        }
    }
}
