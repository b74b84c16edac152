//! What the watches report: it fills the caches and wakes the objects that a change concerns.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Resource as _;
use kube::api::{DynamicObject, PartialObjectMeta};
use tokio_util::sync::CancellationToken;

use super::checked;
use crate::api::{TechnicalUser, keys};
use crate::controller::checked::kind::CheckedKind;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::technical_user;
use crate::domain::identity::Owner;
use crate::k8s::watch::Touched;

/// The events of one watch.
pub type Events<K> = BoxStream<'static, Touched<K>>;

/// What the watches deliver.
pub struct Watches {
    /// `TechnicalUser`s.
    pub users: Events<DynamicObject>,
    /// The kinds that the operator checks.
    pub checked: Vec<(&'static dyn CheckedKind, Events<DynamicObject>)>,
    /// Metadata of our Secrets.
    pub secrets: Events<PartialObjectMeta<Secret>>,
    /// Metadata of all namespaces, where they may be watched.
    pub namespaces: Events<PartialObjectMeta<Namespace>>,
}

/// Drives the watches: fills the caches and wakes the objects that a change concerns. Ends with `stop`.
pub async fn watch(ctx: Arc<Context>, watches: Watches, stop: CancellationToken) {
    let users = watches.users.for_each(|touched| {
        let key = Key::of(&touched.object);
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
        ctx.secrets_by_owner.saw(&touched.object.metadata, instance, touched.deleted);
        if let Some(key) = owner_of(&touched.object, instance) {
            ctx.wake(&key);
        }
        std::future::ready(())
    });
    let namespaces = watches.namespaces.for_each(|touched| {
        if ctx.namespaces.saw(&touched) {
            let name = &touched.reference.name;
            let users = ctx.caches.all_users();
            for user in users.iter().filter(|user| user.metadata.namespace.as_ref() == Some(name)) {
                ctx.wake(&Key::of(user));
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
fn owner_of(secret: &PartialObjectMeta<Secret>, instance: &str) -> Option<Key> {
    let namespace = secret.metadata.namespace.clone()?;
    let mark = secret.metadata.annotations.as_ref().and_then(|annotations| annotations.get(keys::OWNER));
    if let Some(owner) = mark.and_then(|mark| Owner::parse(mark)) {
        let here = owner.instance == instance && owner.namespace == namespace;
        return here.then_some(Key { namespace, name: owner.name });
    }
    let kind = TechnicalUser::kind(&());
    let owner = secret.metadata.owner_references.iter().flatten().find(|owner| owner.kind == kind)?;
    Some(Key { namespace, name: owner.name.clone() })
}
