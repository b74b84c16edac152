//! Conditions that a Portal has beside Ready and CanDelete, only while there is something to report.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Resource as _;
use kube::api::DynamicObject;

use crate::api::conditions::{CERTIFICATES_IGNORED, Wanted};
use crate::controller::context::Context;
use crate::controller::objects::portals;
use crate::controller::registry::PortalKey;
use crate::domain::reason::Reason;
use crate::portal::BundleReport;

/// What was last found in the CA bundle of each Portal.
#[derive(Debug, Default)]
pub struct Bundles(Mutex<HashMap<PortalKey, BundleReport>>);

impl Bundles {
    fn all(&self) -> MutexGuard<'_, HashMap<PortalKey, BundleReport>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bundle was read; `None` where the Portal has none, or where it cannot be read.
    pub fn read(&self, key: &PortalKey, report: Option<BundleReport>) {
        match report {
            Some(report) => self.all().insert(key.clone(), report),
            None => self.all().remove(key),
        };
    }

    /// What was found in a Portal's bundle.
    #[must_use]
    pub fn of(&self, key: &PortalKey) -> Option<BundleReport> {
        self.all().get(key).cloned()
    }
}

/// What to do about a server whose certificate is not trusted.
pub(super) fn tls_hint(ctx: &Context, key: &PortalKey) -> String {
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
pub(super) fn wanted(ctx: &Context, key: &PortalKey) -> Vec<Wanted> {
    ignored_certificates(ctx, key).into_iter().collect()
}

fn ignored_certificates(ctx: &Context, key: &PortalKey) -> Option<Wanted> {
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
pub(super) fn announce(ctx: &Context, object: &DynamicObject, old: &[Condition], new: &[Condition]) {
    for notice in new.iter().filter(|condition| condition.type_ == CERTIFICATES_IGNORED) {
        let is_known = |before: &Condition| before.type_ == notice.type_ && before.message == notice.message;
        if old.iter().any(is_known) {
            continue;
        }
        let key = super::key_of(object);
        tracing::warn!(portal = format!("{}/{}", key.namespace, key.name), "{}", notice.message);
        if let Some(reason) = Reason::ALL.iter().find(|reason| reason.as_str() == notice.reason) {
            let reference = object.object_ref(&portals());
            ctx.events.warning(reference, reason.as_str(), "Reconcile", &notice.message);
        }
    }
}
