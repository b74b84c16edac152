//! The portal's JSON as it is sent, versions 2.0 and later. What one release lacks, or writes as null, is optional; what
//! is not needed is left out, what is needed is bounded. None of these may be printed: some hold secrets.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::portal::bounds::{DESCRIPTION, Exact, ID, Id, Lines, List, NAME, Named, SECRET, Text, URL};

/// The most entries that the portal puts on a page (all versions).
pub(super) const PAGE_SIZE: u32 = 15;

/// The most roles of a user. The portal offers about thirty.
const ROLES: usize = 256;

/// The most users of one create.
const CREATED: usize = 2;

/// A word from a closed set of the portal.
type Word = Text<64>;

#[derive(Deserialize)]
pub(super) struct PageDto {
    pub(super) meta: MetaDto,
    pub(super) content: List<ListedDto, { PAGE_SIZE as usize }>,
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
    pub(super) service_account_id: Id,
    /// For people and comparisons only: what is published comes from the details.
    pub(super) client_id: Option<Text<NAME>>,
    pub(super) name: Option<Named<NAME>>,
    /// 2.3 and later.
    pub(super) user_type: Option<Word>,
    pub(super) service_account_type: Option<Word>,
    pub(super) status: Option<Word>,
    pub(super) is_owner: Option<bool>,
    pub(super) connector: Option<LinkedDto>,
    pub(super) offer: Option<OfferDto>,
    /// Also in `offer`, which before 2.3 lacks it.
    pub(super) offer_subscription_id: Option<Text<ID>>,
}

/// One user. Spelled differently from the list where one would not expect it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailsDto {
    pub(super) service_account_id: Id,
    pub(super) client_id: Option<Exact<NAME>>,
    pub(super) name: Option<Text<NAME>>,
    pub(super) description: Option<Lines<DESCRIPTION>>,
    pub(super) roles: Option<List<UserRoleDto, ROLES>>,
    pub(super) company_service_account_type_id: Option<Word>,
    /// 2.3 and later, all in lower case.
    #[serde(rename = "usertype", alias = "userType")]
    pub(super) user_type: Option<Word>,
    /// 2.3 and later.
    pub(super) authentication_service_url: Option<Text<URL>>,
    pub(super) status: Option<Word>,
    pub(super) secret: Option<Exact<SECRET>>,
    pub(super) connector: Option<LinkedDto>,
    pub(super) offer: Option<OfferDto>,
    /// Before 2.3; later ones have it in `offer`.
    pub(super) subscription_id: Option<Text<ID>>,
}

/// A member of the answer to a create.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedDto {
    pub(super) service_account_id: Id,
    pub(super) client_id: Option<Exact<NAME>>,
    pub(super) name: Option<Text<NAME>>,
    pub(super) description: Option<Lines<DESCRIPTION>>,
    pub(super) status: Option<Word>,
    pub(super) roles: Option<List<UserRoleDto, ROLES>>,
    pub(super) company_service_account_type_id: Option<Word>,
    pub(super) secret: Option<Exact<SECRET>>,
}

/// The answer to a create. 2.0 and later answer an array; before that it was the one user.
pub(super) struct CreatedAnswerDto(pub(super) List<CreatedDto, CREATED>);

impl<'de> Deserialize<'de> for CreatedAnswerDto {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = CreatedAnswerDto;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the users that were created")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                List::deserialize(de::value::SeqAccessDeserializer::new(list)).map(CreatedAnswerDto)
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
                let user = CreatedDto::deserialize(MapAccessDeserializer::new(object))?;
                Ok(CreatedAnswerDto(List { entries: vec![user], has_more: false }))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserRoleDto {
    pub(super) role_name: Text<NAME>,
    pub(super) client_id: Option<Text<NAME>>,
}

#[derive(Deserialize)]
pub(super) struct LinkedDto {
    pub(super) id: Text<ID>,
    pub(super) name: Option<Text<NAME>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferDto {
    pub(super) id: Text<ID>,
    pub(super) name: Option<Text<NAME>>,
    pub(super) subscription_id: Option<Text<ID>>,
}

/// A role on offer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleDto {
    pub(super) role_id: Id,
    pub(super) role_name: Text<NAME>,
    /// 2.3 and later.
    pub(super) role_type: Option<Word>,
    /// 2.4 and later.
    pub(super) only_accessible_by_provider: Option<bool>,
}
