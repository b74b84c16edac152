//! From the portal's JSON to our words. Unknown enum text becomes `Other`; what a release does not tell is derived.

use serde::de::DeserializeOwned;
use url::Url;

use super::errors::Failure;
use super::wire::{
    CreatedAnswerDto, CreatedDto, DetailsDto, LinkedDto, ListedDto, PageDto, RoleDto, UserRoleDto,
};
use crate::domain::user::{
    CreatedUser, Linked, ListedUser, Ownership, Role, RoleKind, UserDetails, UserId, UserKind, UserStatus,
};
use crate::portal::PortalError;
use crate::portal::transport::Answer;

/// What the portal puts before the name of a wallet user.
const EXTERNAL_PREFIX: &str = "dim-";

/// The one role of wallet users in the shipped configuration; portals before 2.3 do not tell a role's kind.
const EXTERNAL_ROLE: &str = "Identity Wallet Management";

const NOT_AS_AGREED: PortalError =
    PortalError::BadAnswer { reason: "it is not what the portal's API promises" };

/// One page of the list.
pub(crate) struct Page {
    pub(crate) users: Vec<ListedUser>,
    /// Users on all pages.
    pub(crate) total: u64,
    pub(crate) pages: u32,
}

pub(super) fn page(answer: &Answer) -> Result<Page, PortalError> {
    let page: PageDto = parse(answer)?;
    Ok(Page {
        users: page.content.into_iter().map(listed).collect(),
        total: page.meta.total_elements,
        pages: page.meta.total_pages,
    })
}

pub(super) fn roles(answer: &Answer) -> Result<Vec<Role>, PortalError> {
    let roles: Vec<RoleDto> = parse(answer)?;
    Ok(roles.into_iter().map(role).collect())
}

pub(super) fn details(answer: &Answer, asked: &UserId) -> Result<UserDetails, PortalError> {
    let dto: DetailsDto = parse(answer)?;
    let id = UserId::new(&dto.service_account_id);
    if id != *asked {
        return Err(PortalError::BadAnswer { reason: "it is about another user" });
    }
    let name = dto.name.unwrap_or_default();
    let status = status(dto.status.as_deref());
    Ok(UserDetails {
        id,
        client_id: filled(dto.client_id),
        kind: kind(dto.user_type.as_deref(), &name),
        name,
        description: dto.description.unwrap_or_default(),
        roles: role_names(dto.roles),
        status,
        ownership: ownership(dto.company_service_account_type_id.as_deref()),
        authentication_url: dto
            .authentication_service_url
            .filter(|url| status == UserStatus::Active && is_web_address(url)),
        secret: filled(dto.secret).map(Into::into),
        connector: dto.connector.map(linked),
        offer: dto.offer.map(linked),
    })
}

/// The answer to a create. One that cannot be read leaves open what was made.
pub(super) fn created(answer: &Answer) -> Result<Vec<CreatedUser>, Failure> {
    let dto = serde_json::from_slice(&answer.body)
        .map_err(|_| Failure::unreadable("the answer to a create is not what the portal's API promises"))?;
    let users = match dto {
        CreatedAnswerDto::Many(users) => users,
        CreatedAnswerDto::One(user) => vec![*user],
    };
    Ok(users.into_iter().map(created_user).collect())
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, PortalError> {
    // The parser's error quotes the body, so it is dropped.
    serde_json::from_slice(&answer.body).map_err(|_| NOT_AS_AGREED)
}

fn listed(dto: ListedDto) -> ListedUser {
    let name = dto.name.unwrap_or_default();
    ListedUser {
        id: UserId::new(&dto.service_account_id),
        client_id: filled(dto.client_id),
        kind: kind(dto.user_type.as_deref(), &name),
        name,
        status: status(dto.status.as_deref()),
        ownership: ownership(dto.service_account_type.as_deref()),
        is_owner: dto.is_owner.unwrap_or_default(),
        connector: dto.connector.map(linked),
        offer: dto.offer.map(linked),
    }
}

fn created_user(dto: CreatedDto) -> CreatedUser {
    CreatedUser {
        id: UserId::new(&dto.service_account_id),
        client_id: filled(dto.client_id),
        name: dto.name.unwrap_or_default(),
        status: status(dto.status.as_deref()),
        roles: role_names(dto.roles),
        secret: filled(dto.secret).map(Into::into),
    }
}

fn role(dto: RoleDto) -> Role {
    let is_external = match dto.role_type.as_deref() {
        Some(text) => text.eq_ignore_ascii_case("External"),
        None => dto.role_name == EXTERNAL_ROLE,
    };
    let kind = if is_external { RoleKind::External } else { RoleKind::Internal };
    Role {
        id: dto.role_id,
        name: dto.role_name,
        kind,
        provider_only: dto.only_accessible_by_provider.unwrap_or_default(),
    }
}

fn kind(told: Option<&str>, name: &str) -> UserKind {
    let is_external = match told {
        Some("INTERNAL") => false,
        Some("EXTERNAL") => true,
        _ => name.starts_with(EXTERNAL_PREFIX),
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
    Linked { id: dto.id, name: dto.name }
}

fn role_names(roles: Option<Vec<UserRoleDto>>) -> Vec<String> {
    roles.into_iter().flatten().map(|role| role.role_name).collect()
}

/// Empty text means the same as none.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn is_web_address(text: &str) -> bool {
    Url::parse(text.trim()).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests;
