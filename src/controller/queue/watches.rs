//! What the watches report: it fills the caches and wakes the objects that a change concerns.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource as _;
use kube::api::PartialObjectMeta;
use tokio_util::sync::CancellationToken;

use super::checked;
use crate::api::{TechnicalUser, keys};
use crate::controller::checked::kind::CheckedKind;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::technical_user;
use crate::controller::users::CachedUser;
use crate::domain::identity::Owner;
use crate::k8s::stored::{PackedObject, StoredObject};
use crate::k8s::watch::{Entry as _, Touched};

/// The events of one watch.
pub type Events<K> = BoxStream<'static, Touched<K>>;

/// What the watches deliver.
pub struct Watches {
    /// `TechnicalUser`s.
    pub users: Events<CachedUser>,
    /// The kinds that the operator checks.
    pub checked: Vec<(&'static dyn CheckedKind, Events<StoredObject>)>,
    /// Metadata of our Secrets.
    pub secrets: Events<PackedObject>,
    /// Metadata of all namespaces, where they may be watched.
    pub namespaces: Events<PartialObjectMeta<Namespace>>,
}

/// Drives the watches: fills the caches and wakes the objects that a change concerns. Ends with `stop`.
pub async fn watch(ctx: Arc<Context>, watches: Watches, stop: CancellationToken) {
    let users = watches.users.for_each(|touched| {
        let key = touched.object.key();
        if touched.deleted {
            ctx.forget_user(&key);
            technical_user::pass_turn_on(&ctx, &key);
        } else {
            ctx.wake(&key);
        }
        std::future::ready(())
    });
    let checked = watches.checked.into_iter().map(|(kind, events)| checked::watch(&ctx, kind, events));
    let checked = join_all(checked);
    let secrets = watches.secrets.for_each(|touched| {
        let instance = &ctx.installation.instance;
        let metadata = touched.object.metadata();
        ctx.secrets_by_owner.saw(&metadata, instance, touched.deleted);
        if let Some(key) = owner_of(&metadata, instance) {
            ctx.wake(&key);
        }
        std::future::ready(())
    });
    let namespaces = watches.namespaces.for_each(|touched| {
        if ctx.namespaces.saw(&touched) {
            let users = ctx.caches.users.all();
            for user in users.iter().filter(|user| user.namespace() == touched.object.name()) {
                ctx.wake(&user.key());
            }
        }
        std::future::ready(())
    });
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        _ = async { tokio::join!(users, checked, secrets, namespaces) } => {}
    }
}

/// For which of our resources a Secret was written: by its mark, or by its ownerReference where the mark was removed.
fn owner_of(secret: &ObjectMeta, instance: &str) -> Option<Key> {
    let namespace = secret.namespace.clone()?;
    let mark = secret.annotations.as_ref().and_then(|annotations| annotations.get(keys::OWNER));
    if let Some(owner) = mark.and_then(|mark| Owner::parse(mark)) {
        let here = owner.instance == instance && owner.namespace == namespace;
        return here.then_some(Key { namespace, name: owner.name });
    }
    let kind = TechnicalUser::kind(&());
    let owner = secret.owner_references.iter().flatten().find(|owner| owner.kind == kind)?;
    Some(Key { namespace, name: owner.name.clone() })
}
