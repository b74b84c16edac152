//! From the portal's JSON to our words. Unknown enum text becomes `Other`; what a release does not report is derived.

use serde::de::DeserializeOwned;
use url::Url;

use super::credential::TokenEndpoints;
use super::errors::FailedCall;
use super::permissions::LOGIN_ROLE;
use super::wire::{
    CreatedAnswerDto, CreatedDto, DetailsDto, LinkedDto, ListedDto, OfferDto, PageDto, RoleDto, UserRoleDto,
};
use crate::domain::identity::{Mark, bare_name, is_external_name};
use crate::domain::user::{
    Linked, ListedUser, Offer, Ownership, Role, RoleKind, UserDetails, UserId, UserKind, UserStatus,
};
use crate::portal::PortalError;
use crate::portal::absence::Lead;
use crate::portal::bounds::{Exact, ID, List, Text, URL, is_exact};
use crate::portal::oauth::TECHNICAL_ROLES_OF;
use crate::transport::Answer;

/// The one role of wallet users in the shipped configuration; portals before 2.3 do not report a role's kind.
const EXTERNAL_ROLE: &str = "Identity Wallet Management";

const NOT_AS_AGREED: PortalError =
    PortalError::BadAnswer { reason: "it is not what the portal's API promises" };

/// The most users that the operator reads of one company. It keeps all of them in memory.
pub(super) const MOST_USERS: u64 = 22_000;

/// The most text of all users together, in bytes: 190 for each of them.
pub(super) const MOST_TEXT: usize = 4 << 20;

pub(super) const TOO_MANY_USERS: PortalError = PortalError::BadAnswer {
    reason: "the company has more than 22000 technical users, which is too many to read",
};

const TOO_MANY_ROLES: PortalError = PortalError::BadAnswer { reason: "it lists more roles than it may" };

/// The most roles on offer.
const MOST_ROLES: usize = 512;

/// One page of the list.
pub(crate) struct Page {
    pub(crate) users: Vec<ListedUser>,
    /// What decides the places of their names.
    pub(crate) leads: Vec<Lead>,
    /// Users on all pages.
    pub(crate) total: u64,
    pub(crate) pages: u32,
}

/// Reads a page for which `size` entries were requested. More are refused: pages that overlap silently prove nothing, and
/// their number bounds the memory.
pub(super) fn page(answer: &Answer, size: u32) -> Result<Page, PortalError> {
    let page: PageDto = parse(answer)?;
    let List { entries, has_more } = page.content;
    if has_more || entries.len() > size as usize {
        return Err(PortalError::BadAnswer { reason: "a page lists more users than were asked for" });
    }
    if page.meta.total_elements > MOST_USERS {
        return Err(TOO_MANY_USERS);
    }
    let lead = |entry: &ListedDto| entry.name.as_ref().map(|name| name.lead.clone()).unwrap_or_default();
    Ok(Page {
        leads: entries.iter().map(lead).collect(),
        users: entries.into_iter().map(listed).collect(),
        total: page.meta.total_elements,
        pages: page.meta.total_pages,
    })
}

pub(super) fn roles(answer: &Answer) -> Result<Vec<Role>, PortalError> {
    let roles: List<RoleDto, MOST_ROLES> = parse(answer)?;
    if roles.has_more {
        return Err(TOO_MANY_ROLES);
    }
    Ok(roles.entries.into_iter().map(role).collect())
}

pub(super) fn details(
    answer: &Answer,
    asked: &UserId,
    endpoints: &TokenEndpoints,
) -> Result<UserDetails, PortalError> {
    let dto: DetailsDto = parse(answer)?;
    let id = UserId::new(&dto.service_account_id.0);
    if id != *asked {
        return Err(PortalError::BadAnswer { reason: "it is about another user" });
    }
    let name = text(dto.name);
    let status = status(word(dto.status.as_ref()));
    let kind = kind(word(dto.user_type.as_ref()), &name);
    // A wallet's tokens show no roles.
    let roles_in_tokens = kind == UserKind::Internal && are_in_tokens(dto.roles.as_ref());
    let client_id = exact(dto.client_id);
    // A pending wallet user is shown with the central identity provider, which is wrong.
    let named = dto
        .authentication_service_url
        .map(|url| url.0)
        .filter(|url| status == UserStatus::Active && is_web_address(url));
    let secret = exact(dto.secret).map(Into::into);
    let description = dto.description.unwrap_or_default().0;
    Ok(UserDetails {
        id,
        credential: endpoints.credential(kind, named.as_deref(), client_id.as_ref(), secret),
        client_id,
        kind,
        name,
        mark: Mark::find(&description),
        description,
        roles: role_names(dto.roles)?,
        roles_in_tokens,
        status,
        ownership: ownership(word(dto.company_service_account_type_id.as_ref())),
        connector: dto.connector.map(linked),
        offer: dto.offer.map(|it| Box::new(offer(it, dto.subscription_id))),
    })
}

/// The answer to the create of a user with this name. After one that cannot be read it is not known what was created.
///
/// This create did not create a user of another name: a search finds the user by its name.
pub(super) fn created(
    answer: &Answer,
    name: &str,
    endpoints: &TokenEndpoints,
) -> Result<Vec<UserDetails>, FailedCall> {
    let CreatedAnswerDto(users) = serde_json::from_slice(&answer.body).map_err(|_| {
        FailedCall::unreadable("the answer to a create is not what the portal's API promises")
    })?;
    if users.has_more {
        return Err(FailedCall::unreadable(
            "the answer to a create lists more users than a create can create",
        ));
    }
    let users = users
        .entries
        .into_iter()
        .map(|user| created_user(user, endpoints))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| FailedCall::unreadable("the answer to a create lists more roles than it may"))?;
    let is_made = |user: &UserDetails| bare_name(&user.name) == name;
    if !users.iter().all(is_made) {
        return Err(FailedCall::unreadable("the answer to a create is about a user of another name"));
    }
    let same_id = matches!(users.as_slice(), [one, other] if one.id == other.id);
    if same_id {
        return Err(FailedCall::unreadable("the answer to a create lists one user twice"));
    }
    Ok(users)
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, PortalError> {
    // The parser's error quotes the body, so it is dropped.
    serde_json::from_slice(&answer.body).map_err(|_| NOT_AS_AGREED)
}

fn listed(dto: ListedDto) -> ListedUser {
    let name = dto.name.unwrap_or_default().text;
    ListedUser {
        id: UserId::new(&dto.service_account_id.0),
        client_id: filled(dto.client_id.map(|id| id.0)),
        kind: kind(word(dto.user_type.as_ref()), &name),
        name,
        status: status(word(dto.status.as_ref())),
        ownership: ownership(word(dto.service_account_type.as_ref())),
        is_owner: dto.is_owner.unwrap_or_default(),
        connector: dto.connector.map(linked),
        offer: dto.offer.map(|it| Box::new(offer(it, dto.offer_subscription_id))),
    }
}

/// The bytes of all texts of a user.
pub(super) fn text_of(user: &ListedUser) -> usize {
    let linked = |linked: &Option<Linked>| {
        linked.as_ref().map_or(0, |it| it.id.len() + it.name.as_ref().map_or(0, String::len))
    };
    user.id.as_str().len()
        + user.name.len()
        + user.client_id.as_ref().map_or(0, String::len)
        + linked(&user.connector)
        + user.offer.as_ref().map_or(0, |offer| {
            let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            offer.id.len() + text(&offer.name) + text(&offer.subscription)
        })
}

/// As the details show the user afterwards.
fn created_user(dto: CreatedDto, endpoints: &TokenEndpoints) -> Result<UserDetails, PortalError> {
    let (name, client_id) = (text(dto.name), exact(dto.client_id));
    let status = status(word(dto.status.as_ref()));
    // The answer to a create does not name the kind.
    let is_external = client_id.is_none() || is_external_name(&name) || status == UserStatus::Pending;
    let kind = if is_external { UserKind::External } else { UserKind::Internal };
    let secret = exact(dto.secret).map(Into::into);
    let description = dto.description.unwrap_or_default().0;
    Ok(UserDetails {
        id: UserId::new(&dto.service_account_id.0),
        credential: endpoints.credential(kind, None, client_id.as_ref(), secret),
        client_id,
        name,
        mark: Mark::find(&description),
        description,
        roles_in_tokens: kind == UserKind::Internal && are_in_tokens(dto.roles.as_ref()),
        roles: role_names(dto.roles)?,
        kind,
        status,
        ownership: ownership(word(dto.company_service_account_type_id.as_ref())),
        connector: None,
        offer: None,
    })
}

fn role(dto: RoleDto) -> Role {
    let is_external = match word(dto.role_type.as_ref()) {
        Some(text) => text.eq_ignore_ascii_case("External"),
        None => dto.role_name.0 == EXTERNAL_ROLE,
    };
    let kind = if is_external { RoleKind::External } else { RoleKind::Internal };
    Role {
        creates_users: dto.role_name.0 == LOGIN_ROLE,
        id: dto.role_id.0,
        name: dto.role_name.0,
        kind,
        provider_only: dto.only_accessible_by_provider.unwrap_or_default(),
    }
}

fn kind(reported: Option<&str>, name: &str) -> UserKind {
    let is_external = match reported {
        Some("INTERNAL") => false,
        Some("EXTERNAL") => true,
        _ => is_external_name(name),
    };
    if is_external { UserKind::External } else { UserKind::Internal }
}

fn status(text: Option<&str>) -> UserStatus {
    match text {
        Some("ACTIVE") => UserStatus::Active,
        Some("PENDING") => UserStatus::Pending,
        Some("PENDING_DELETION") => UserStatus::PendingDeletion,
        Some("INACTIVE") => UserStatus::Inactive,
        Some("DELETED") => UserStatus::Deleted,
        _ => UserStatus::Other,
    }
}

fn ownership(text: Option<&str>) -> Ownership {
    match text {
        Some("OWN") => Ownership::Own,
        Some("MANAGED") => Ownership::Managed,
        Some("PROVIDER_OWNED") => Ownership::ProviderOwned,
        _ => Ownership::Other,
    }
}

fn linked(dto: LinkedDto) -> Linked {
    Linked { id: dto.id.0, name: dto.name.map(|name| name.0) }
}

/// The portal shows the subscription at one of two places.
fn offer(dto: OfferDto, subscription: Option<Text<ID>>) -> Offer {
    let lower = |id: Text<ID>| id.0.to_ascii_lowercase();
    let subscription = dto.subscription_id.or(subscription).map(lower);
    Offer { id: lower(dto.id), name: dto.name.map(|name| name.0), subscription: filled(subscription) }
}

fn role_names<const MOST: usize>(roles: Option<List<UserRoleDto, MOST>>) -> Result<Vec<String>, PortalError> {
    let roles = roles.unwrap_or_default();
    if roles.has_more {
        return Err(TOO_MANY_ROLES);
    }
    Ok(roles.entries.into_iter().map(|role| role.role_name.0).collect())
}

/// Whether the roles are of the client whose roles the tokens of technical users name.
fn are_in_tokens<const MOST: usize>(roles: Option<&List<UserRoleDto, MOST>>) -> bool {
    let client = |role: &UserRoleDto| role.client_id.as_ref().is_some_and(|id| id.0 == TECHNICAL_ROLES_OF);
    roles.is_some_and(|roles| roles.entries.iter().all(client))
}

fn text<const MOST: usize>(text: Option<Text<MOST>>) -> String {
    text.unwrap_or_default().0
}

fn word<const MOST: usize>(text: Option<&Text<MOST>>) -> Option<&str> {
    text.map(|text| text.0.as_str())
}

fn exact<const MOST: usize>(text: Option<Exact<MOST>>) -> Option<String> {
    filled(text.map(|text| text.0))
}

/// Empty text means the same as none.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn is_web_address(text: &str) -> bool {
    // Checked as sent: a URL's parser drops tabs and line breaks silently.
    is_exact(text, URL)
        && Url::parse(text.trim()).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests;
