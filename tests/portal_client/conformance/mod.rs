//! What every portal behind the trait must do, whichever it is: the rest of the operator relies on it.
//!
//! [`conformance`] knows nothing but the trait, and what a person does at the portal ([`World`]). It runs against the
//! client for Catena-X and against a portal in memory. A new client of another portal has to pass it as well.

mod bound;
mod external;
mod internal;
mod listing;
mod memory;
mod refusals;
mod runs;
mod stored;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use technical_user_operator::domain::identity::{Hint, Mark, Owner};
use technical_user_operator::domain::user::{Credential, NewUser, RoleKind, UserDetails, UserId};
use technical_user_operator::portal::{CreateFailure, Lane, Portal, PortalError, Verification};

/// A portal, and the hands of a person there.
#[async_trait]
pub(crate) trait World: Send + Sync {
    /// The portal, with a login that may do everything.
    fn portal(&self) -> Arc<dyn Portal>;

    /// The portal, with a login that may read users and roles alone.
    fn reader(&self) -> Arc<dyn Portal>;

    /// A person links a user to a connector.
    fn link_connector(&self, id: &UserId);

    /// The external users that are pending become active.
    async fn finish_external(&self);
}

/// Everything that a portal must do. `new` makes one without users.
pub(crate) async fn conformance<W: World>(name: &str, new: impl AsyncFn() -> W) {
    println!("{name}: the login");
    login(&new().await).await;
    println!("{name}: an internal user");
    internal::from_create_to_delete(&new().await).await;
    internal::a_name_of_the_greatest_length(&new().await).await;
    println!("{name}: an external user");
    external::from_create_to_delete(&new().await).await;
    println!("{name}: lists");
    listing::many_users(&new().await).await;
    println!("{name}: refusals");
    refusals::unknown_users(&new().await).await;
    refusals::a_role_that_is_not_offered(&new().await).await;
    refusals::a_linked_user_is_not_deleted(&new().await).await;
    refusals::a_missing_permission(&new().await).await;
    println!("{name}: companies");
    bound::a_login_of_another_company(&new().await).await;
}

/// Who the login is, what the portal offers, and that both are the same in a second answer.
async fn login(world: &impl World) {
    let (portal, reader) = (world.portal(), world.reader());
    let login = portal.login().await.unwrap();
    let may = login.permissions;
    assert!(may.view && may.create && may.delete && may.roles, "{may:?}");
    assert!(login.companies.is_sorted() && !login.companies.is_empty(), "{:?}", login.companies);
    portal.confirm(&login).await.unwrap();
    portal.forget_token().await;
    assert_eq!(portal.login().await.unwrap(), login);
    let may = reader.login().await.unwrap().permissions;
    assert!(may.view && may.roles && !may.create && !may.delete, "{may:?}");
    if !may.dataspace {
        assert_eq!(reader.dataspace(Lane::Background).await, Ok(None), "it is no error");
    }

    let capabilities = portal.capabilities().await.unwrap();
    assert!(!capabilities.version.is_empty());
    let names = capabilities.permissions;
    let names = [names.view, names.create, names.delete, names.roles];
    assert!(names.iter().all(|name| !name.is_empty()), "{names:?}");
    assert_eq!(portal.capabilities().await.unwrap(), capabilities);

    let roles = portal.roles(Lane::Interactive).await.unwrap();
    let distinct = |texts: Vec<&String>| {
        let count = texts.len();
        texts.into_iter().collect::<std::collections::BTreeSet<_>>().len() == count
    };
    assert!(roles.iter().any(|role| role.kind == RoleKind::Internal), "{roles:?}");
    assert!(distinct(roles.iter().map(|role| &role.name).collect()), "{roles:?}");
    assert!(distinct(roles.iter().map(|role| &role.id).collect()), "{roles:?}");
}

/// The resource that the users of these tests are for.
fn owner() -> Owner {
    Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc".into() }
}

fn mark(generation: i64) -> Mark {
    Mark { owner: owner(), generation, hint: Hint::read("abc123"), retained: false, login: false }
}

/// A new user of our resource, with a role of this kind; `None` where the portal offers no such role.
async fn wanted(portal: &dyn Portal, kind: RoleKind, generation: i64) -> Option<NewUser> {
    let roles = portal.roles(Lane::Interactive).await.unwrap();
    let role = roles.into_iter().find(|role| role.kind == kind && !role.provider_only)?;
    Some(NewUser {
        name: owner().user_name(generation, None),
        description: mark(generation).describe(Some("for a test")),
        role_ids: vec![role.id],
    })
}

async fn create(portal: &dyn Portal, user: NewUser) -> Result<Vec<UserDetails>, CreateFailure> {
    portal.create_slot().await.unwrap().create(user).await
}

/// An internal user of our resource.
async fn internal_user(portal: &dyn Portal, generation: i64) -> UserDetails {
    let user = wanted(portal, RoleKind::Internal, generation).await.unwrap();
    let mut made = create(portal, user).await.unwrap();
    assert_eq!(made.len(), 1, "{made:?}");
    made.remove(0)
}

async fn details(portal: &dyn Portal, id: &UserId) -> UserDetails {
    let details = portal.details(id, Lane::Interactive).await.unwrap();
    if let Some(credential) = &details.credential {
        assert!(!format!("{details:?}").contains(secret(credential)), "the details show a secret");
    }
    details
}

fn secret(credential: &Credential) -> &str {
    credential.secret().expose_secret()
}

/// A token is issued, and shows the user's roles where it says that it does.
async fn works(portal: &dyn Portal, user: &UserDetails) {
    let credential = user.credential.as_ref().unwrap();
    let answer = portal.verify(credential, Lane::Interactive).await;
    let Verification::Accepted { roles } = answer else { panic!("{answer:?}") };
    if let Some(roles) = roles.filter(|_| user.roles_in_tokens) {
        for role in &user.roles {
            assert!(roles.technical.contains(role), "{roles:?} lacks {role}");
        }
    }
}

/// No token is issued.
async fn is_dead(portal: &dyn Portal, credential: &Credential) {
    let answer = portal.verify(credential, Lane::Interactive).await;
    assert!(matches!(answer, Verification::Refused { .. }), "{answer:?}");
}

/// The portal says so of a user that was deleted, and again at each further deletion.
async fn is_gone(portal: &dyn Portal, id: &UserId) {
    let read = portal.details(id, Lane::Interactive).await.unwrap_err();
    if portal.capabilities().await.unwrap().reports_deleted {
        assert_eq!(read, PortalError::NotFound);
    } else {
        assert_eq!(read, PortalError::ClientMissing);
    }
}
