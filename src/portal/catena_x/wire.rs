//! The portal's JSON as it is sent, versions 2.0 and later. What one release lacks, or writes as null, is optional; what
//! is not needed is left out. None of these may be printed: some hold secrets.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct PageDto {
    pub(super) meta: MetaDto,
    pub(super) content: Vec<ListedDto>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetaDto {
    pub(super) total_elements: u64,
    pub(super) total_pages: u32,
}

/// One entry of the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedDto {
    pub(super) service_account_id: String,
    pub(super) client_id: Option<String>,
    pub(super) name: Option<String>,
    /// 2.3 and later.
    pub(super) user_type: Option<String>,
    pub(super) service_account_type: Option<String>,
    pub(super) status: Option<String>,
    pub(super) is_owner: Option<bool>,
    pub(super) connector: Option<LinkedDto>,
    pub(super) offer: Option<LinkedDto>,
}

/// One user. Spelled differently from the list where one would not expect it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailsDto {
    pub(super) service_account_id: String,
    pub(super) client_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) roles: Option<Vec<UserRoleDto>>,
    pub(super) company_service_account_type_id: Option<String>,
    /// 2.3 and later, all in lower case.
    #[serde(rename = "usertype", alias = "userType")]
    pub(super) user_type: Option<String>,
    /// 2.3 and later.
    pub(super) authentication_service_url: Option<String>,
    pub(super) status: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) connector: Option<LinkedDto>,
    pub(super) offer: Option<LinkedDto>,
}

/// A member of the answer to a create.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedDto {
    pub(super) service_account_id: String,
    pub(super) client_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) roles: Option<Vec<UserRoleDto>>,
    pub(super) secret: Option<String>,
}

/// 2.0 and later answer an array; before that it was the one user.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum CreatedAnswerDto {
    Many(Vec<CreatedDto>),
    One(Box<CreatedDto>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserRoleDto {
    pub(super) role_name: String,
}

#[derive(Deserialize)]
pub(super) struct LinkedDto {
    pub(super) id: String,
    pub(super) name: Option<String>,
}

/// A role on offer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleDto {
    pub(super) role_id: String,
    pub(super) role_name: String,
    /// 2.3 and later.
    pub(super) role_type: Option<String>,
    /// 2.4 and later.
    pub(super) only_accessible_by_provider: Option<bool>,
}
