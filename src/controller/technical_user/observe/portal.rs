//! The Portal: its connection, and what it grants to a namespace.

use std::sync::Arc;

use crate::api::portal::{AccessFrom, PortalSpec, WhenUndeletable};
use crate::api::technical_user::TechnicalUserStatus;
use crate::api::{ROLE_AGAIN, keys};
use crate::controller::access::serves;
use crate::controller::audit::Audited;
use crate::controller::context::Context;
use crate::controller::objects::{Key, annotation, is_deleting};
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::portal::logins::operator_logins::LoginPlace;
use crate::controller::technical_user::failure::Failure;
use crate::domain::access::{Grant, Grants};
use crate::domain::address;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Hint;
use crate::domain::plan::PortalFacts;
use crate::domain::reason::Reason;
use crate::domain::user::UserId;
use crate::k8s::stored::StoredObject;

/// The facts of the Portal, where it can be used.
pub(super) fn facts(
    ctx: &Context,
    (key, object, spec): (&Key, Option<&StoredObject>, Option<&PortalSpec>),
    connection: Option<&Connection>,
    usable: Result<(), Blocker>,
    (grants, discloses): (Grants, bool),
) -> Result<PortalFacts, Blocker> {
    usable?;
    let (Some(connection), Some(object), Some(spec)) = (connection, object, spec) else {
        return Err(Blocker::passing(Reason::PortalNotReady, format!("Portal {key} cannot be read")));
    };
    Ok(portal_facts(ctx, connection, object, spec, grants, discloses))
}

/// The connection as this resource uses it: its writes are logged.
pub(super) fn audited(connection: Connection, key: &Key, status: &TechnicalUserStatus) -> Connection {
    let recorded =
        status.user.as_ref().and_then(|user| Some((UserId::new(&user.id), user.client_id.clone()?)));
    Connection {
        portal: Arc::new(Audited::new(Arc::clone(&connection.portal), key.clone(), recorded)),
        ..connection
    }
}

/// The connection, and whether it can be used for this. Cleaning up may use the last login that worked.
pub(super) fn connection(
    ctx: &Context,
    key: &Key,
    object: Option<&StoredObject>,
    cleanup: bool,
    discloses: bool,
) -> (Option<Connection>, Result<(), Blocker>) {
    if object.is_none() && ctx.hides(&ctx.portals.api, &key.namespace) {
        let words = format!(
            "Portal {key} cannot be seen: this operator may not list Portals in namespace {}; {ROLE_AGAIN}",
            key.namespace
        );
        return (None, Err(Blocker::passing(Reason::PortalNotReady, words)));
    }
    if object.is_none() {
        return (
            None,
            Err(Blocker::lasting(
                Reason::PortalNotFound,
                format!("There is no Portal {key} in the namespaces that this operator watches"),
            )),
        );
    }
    match ctx.connections.get(key) {
        Some(ConnectionState::Up(connected)) => (Some(connected), Ok(())),
        Some(ConnectionState::Down(_, Some(connected))) if cleanup => (Some(connected), Ok(())),
        Some(ConnectionState::Down(blocker, connected)) => {
            let ending = if cleanup && ctx.namespaces.is_ending(&key.namespace) {
                format!(
                    ". Namespace {} is being deleted, so a login Secret that was deleted with it cannot be created again. To \
                     do: delete the user in the portal, then annotate this resource with technicaluser.dev/release=true",
                    key.namespace
                )
            } else {
                String::new()
            };
            let why = format!("{}{ending}", not_ready(key, &blocker, discloses));
            (connected, Err(Blocker::passing(Reason::PortalNotReady, why)))
        }
        None => {
            (None, Err(Blocker::passing(Reason::PortalNotReady, format!("Portal {key} is being connected"))))
        }
    }
}

/// The Portal's own words name hosts, Secrets and companies: a namespace without access gets the reason alone.
fn not_ready(key: &Key, blocker: &Blocker, discloses: bool) -> String {
    let reason = blocker.reason.as_str();
    if discloses {
        format!("Portal {key} is not ready ({reason}): {}", blocker.message)
    } else {
        format!("Portal {key} is not ready ({reason}), and its access does not serve this namespace")
    }
}

/// A user that is there already may be the login of any Portal, and no login is ever published: as long as there may be
/// Portals that this process cannot list, or whose login was not read yet, no such user is published for the first time.
pub(in crate::controller) fn every_login_is_known(ctx: &Context) -> Result<(), Blocker> {
    let portals = || ctx.portals.all().into_iter().map(|object| Key::of(&object));
    if let Some(key) = ctx.connections.logins.untried(portals()) {
        return Err(Blocker::passing(
            Reason::PortalNotReady,
            format!(
                "A user that is there already may be the login of a Portal, and the login of Portal {key} was not read yet. \
                 The operator waits for it, at most two minutes after its start"
            ),
        ));
    }
    let Some(namespace) = ctx.hidden_in(&ctx.portals.api) else { return Ok(()) };
    Err(Blocker::passing(
        Reason::PortalNotReady,
        format!(
            "A user that is there already may be the login of a Portal, and this operator may not list the Portals of \
             namespace {namespace}; {ROLE_AGAIN}"
        ),
    ))
}

/// The addresses that the annotation names: each as it is written, and its origin. The pin of an attempt is a hash of the
/// address as an earlier release found it written.
fn moved_from(annotation: &str) -> Vec<String> {
    let written = annotation.split([',', ' ']).filter(|address| !address.is_empty());
    let mut addresses: Vec<String> =
        written.flat_map(|address| [address.to_owned(), address::origin(address)]).collect();
    addresses.dedup();
    addresses
}

/// The installations whose users a person permits to take over. That needs no connection to the portal.
pub(in crate::controller) fn taken_over(portal: &StoredObject) -> Vec<Hint> {
    let hints = annotation(portal, keys::TAKE_OVER).unwrap_or_default();
    hints.split([',', ' ']).filter(|hint| !hint.is_empty()).map(Hint::read).collect()
}

fn portal_facts(
    ctx: &Context,
    connection: &Connection,
    object: &StoredObject,
    spec: &PortalSpec,
    grants: Grants,
    discloses: bool,
) -> PortalFacts {
    PortalFacts {
        url: connection.url.clone(),
        written_url: connection.written_url.clone(),
        token_url: connection.token_url.clone(),
        companies: connection.login.companies.clone(),
        bpn: connection.company.clone(),
        moved_from: annotation(object, keys::PORTAL_MOVED).map(moved_from).unwrap_or_default(),
        discloses,
        suspended: spec.suspend.unwrap_or(false),
        deleting: is_deleting(object),
        permissions: connection.capabilities.permissions,
        may_create: connection.login.permissions.create && connection.login.permissions.roles,
        may_delete: connection.login.permissions.delete,
        release_undeletable: spec.when_undeletable == Some(WhenUndeletable::Release),
        roles: connection.roles.to_vec(),
        grants,
        taken_over: taken_over(object),
        mass_disappearance: connection.inventory.mass_disappearance(),
        logins: ctx.connections.logins.at(&LoginPlace::new(&connection.url, &connection.token_url)),
    }
}

/// What the Portal's rules grant to a namespace.
pub(in crate::controller) async fn grants(
    ctx: &Context,
    spec: &PortalSpec,
    portal: &Key,
    namespace: &str,
) -> Result<Grants, Failure> {
    let Some(rules) = &spec.access else {
        return Ok(if portal.namespace == namespace { Grants::everything() } else { Grants::default() });
    };
    let mut grants = Grants::default();
    for rule in rules {
        if serves(ctx, &rule.namespaces, &portal.namespace, namespace).await? {
            let every_role = rule.namespaces.from == AccessFrom::Same && rule.roles.is_none();
            let named = (!every_role).then(|| rule.roles.clone().unwrap_or_default());
            grants.0.push(Grant {
                roles: named,
                existing: rule.existing.unwrap_or(false),
                adopt: rule.adopt.unwrap_or(false),
            });
        }
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_before_a_move_is_taken_as_written_and_by_its_origin() {
        assert_eq!(
            moved_from("https://OLD.example.org/api/administration, https://idp.example.org"),
            [
                "https://OLD.example.org/api/administration",
                "https://old.example.org",
                "https://idp.example.org",
            ]
        );
        assert!(moved_from(" , ").is_empty());
    }
}
