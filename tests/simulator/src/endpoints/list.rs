//! The list of technical users (portal contract, section 2.1).

use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::binding::Query;
use crate::endpoints::{Context, Outcome, shape};
use crate::errors::PortalError;
use crate::http::Reply;
use crate::state::{Connector, State, Status, User, order};
use crate::version::Version;

/// Longest page.
const MAX_SIZE: i32 = 15;

struct Filter {
    owner: Option<bool>,
    client_id: Option<String>,
    statuses: Vec<Status>,
}

pub(super) fn handle(context: &Context<'_>) -> Outcome {
    let company = context.company()?;
    let version = context.version;
    let mut query = Query::read(context.request);
    let page = query.number("page").unwrap_or(0);
    let size = query.number("size").unwrap_or(if version >= Version::V2_6 { MAX_SIZE } else { 0 });
    let owner = query.flag("isOwner");
    let inactive = query.flag("filterForInactive").unwrap_or(false);
    let known = if version >= Version::V2_2 { Status::ALL.len() } else { Status::ALL.len() - 1 };
    let words: Vec<(&str, Status)> =
        Status::ALL.into_iter().take(known).map(|status| (status.name(), status)).collect();
    let mut statuses = query.words("userStatus", &words);
    let client_id = query.text("clientId").map(|text| text.to_lowercase());
    query.finish()?;
    let (page, size) = page_and_size(page, size, MAX_SIZE)?;
    if statuses.is_empty() {
        statuses = match (inactive, version >= Version::V2_2) {
            (true, _) => vec![Status::Inactive],
            (false, true) => vec![Status::Active, Status::Pending, Status::PendingDeletion],
            (false, false) => vec![Status::Active, Status::Pending],
        };
    }
    let filter = Filter { owner, client_id, statuses };
    Ok(context.core.read(|state| {
        let rows = rows(state, company, &filter);
        let total = rows.len();
        let named = rows.into_iter().map(|row| (row.0.name.as_str(), row));
        let entries: Vec<Value> = order::page(context.core.settings.collation, named, page, size)
            .into_iter()
            .map(|(user, connector)| entry(user, connector, company, version))
            .collect();
        Reply::ok(&pages(total, page, size, &entries))
    }))
}

/// The rows of the list in the order of making. A user that two connectors use has two (portal contract, sections
/// 2.3 and 10).
fn rows<'a>(state: &'a State, company: Uuid, filter: &Filter) -> Vec<(&'a User, Option<&'a Connector>)> {
    let mut rows = Vec::new();
    for user in state.users.iter().filter(|user| fits(user, company, filter)) {
        let mut linked = state.connectors_of(user.id).peekable();
        if linked.peek().is_none() {
            rows.push((user, None));
        }
        rows.extend(linked.map(|connector| (user, Some(connector))));
    }
    rows
}

fn fits(user: &User, company: Uuid, filter: &Filter) -> bool {
    let mine = match filter.owner {
        Some(true) => user.is_owner(company),
        Some(false) => user.is_provider(company),
        None => user.concerns(company),
    };
    mine && filter.statuses.contains(&user.status)
        && filter.client_id.as_ref().is_none_or(|text| {
            user.client_id.as_ref().is_some_and(|id| id.to_lowercase().contains(text.as_str()))
        })
}

fn entry(user: &User, connector: Option<&Connector>, company: Uuid, version: Version) -> Value {
    let mut entry = json!({
        "serviceAccountId": user.id, "clientId": user.client_id, "name": user.name,
        "serviceAccountType": user.ownership.name(), "status": user.status.name(),
        "isOwner": user.is_owner(company), "isProvider": user.is_provider(company),
        "offerSubscriptionId": user.offer.as_ref().map(|offer| offer.subscription),
        "connector": shape::connector(connector), "offer": shape::offer(user.offer.as_ref()),
    });
    if let Some(map) = entry.as_object_mut().filter(|_| version >= Version::V2_3) {
        map.insert("userType".to_owned(), json!(user.kind.name()));
    }
    entry
}

/// Checks the two numbers of a page.
pub(super) fn page_and_size(page: i32, size: i32, max: i32) -> Result<(usize, usize), PortalError> {
    let refuse = |name: &str, text: String| {
        Err(PortalError::plain(StatusCode::BAD_REQUEST, name, [format!("{text} (Parameter '{name}')")]))
    };
    let Ok(page) = usize::try_from(page) else {
        return refuse("page", "Parameter page must be >= 0".to_owned());
    };
    match usize::try_from(size) {
        Ok(positive) if (1..=max).contains(&size) => Ok((page, positive)),
        _ => refuse("size", format!("Parameter size must be between 1 and {max}")),
    }
}

/// A page with its totals. Without any match the page is 0 whatever was asked.
pub(super) fn pages(total: usize, page: usize, size: usize, entries: &[Value]) -> Value {
    json!({
        "meta": {
            "totalElements": total, "totalPages": total.div_ceil(size),
            "page": if total == 0 { 0 } else { page }, "contentSize": entries.len(),
        },
        "content": entries,
    })
}
