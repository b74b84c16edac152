//! Connectors (portal contract, section 2.10).

use std::convert::Infallible;

use http::{StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::binding::{Body, Query, path_id};
use crate::endpoints::list::{page_and_size, pages};
use crate::endpoints::{Context, Failure, Outcome, delete as users};
use crate::errors::{ModelErrors, PortalError, no_media_type};
use crate::http::{Reply, Request, field};
use crate::state::{Connector, ConnectorStatus, State, Status, order};
use crate::version::Version;

/// Longest and usual page.
const MAX_SIZE: i32 = 20;
const SIZE: i32 = 15;

fn entry(state: &State, connector: &Connector) -> Value {
    let user = connector.user.and_then(|id| state.user(id)).map(|user| {
        json!({"id": user.id, "name": user.name, "clientId": user.client_id, "description": user.description})
    });
    json!({
        "id": connector.id, "name": connector.name, "location": connector.location,
        "type": "COMPANY_CONNECTOR", "status": connector.status.name(), "hostId": null,
        "hostCompanyName": null, "hostCompanyShortName": null, "selfDescriptionDocumentId": null,
        "technicalUser": user, "connectorUrl": connector.url,
    })
}

pub(super) fn list(context: &Context<'_>) -> Outcome {
    let company = context.company()?;
    let mut query = Query::read(context.request);
    let (page, size) = (query.number("page").unwrap_or(0), query.number("size").unwrap_or(SIZE));
    query.finish()?;
    let (page, size) = page_and_size(page, size, MAX_SIZE)?;
    // Nothing here is hosted for others.
    let managed = context.request.path.to_ascii_lowercase().contains("/managed");
    Ok(context.core.read(|state| {
        let rows: Vec<&Connector> = state
            .connectors
            .iter()
            .filter(|connector| connector.company == company && !managed)
            .filter(|connector| connector.status != ConnectorStatus::Inactive)
            .collect();
        let total = rows.len();
        let named = rows.into_iter().map(|connector| (connector.name.as_str(), connector));
        let entries: Vec<Value> = order::page(context.core.settings.collation, named, page, size)
            .into_iter()
            .map(|connector| entry(state, connector))
            .collect();
        Reply::ok(&pages(total, page, size, &entries))
    }))
}

/// The connector in the path, if it is the caller's.
fn find(context: &Context<'_>, state: &State) -> Result<Connector, Failure> {
    let (id, company) = (path_id(&context.params, "connectorId")?, context.company()?);
    let Some(connector) = state.connectors.iter().find(|connector| connector.id == id) else {
        return Err(PortalError::coded(StatusCode::NOT_FOUND, "CONNECTOR_NOT_FOUND")
            .param("connectorId", id)
            .into());
    };
    if connector.company != company {
        return Err(PortalError::coded(StatusCode::FORBIDDEN, "CONNECTOR_NOT_PROVIDER_COMPANY_NOR_HOST")
            .param("companyId", company)
            .param("connectorId", id)
            .into());
    }
    Ok(connector.clone())
}

pub(super) fn details(context: &Context<'_>) -> Outcome {
    context.core.read(|state| Ok(Reply::ok(&entry(state, &find(context, state)?))))
}

pub(super) async fn create(context: &Context<'_>) -> Outcome {
    let company = context.company()?;
    let form = multipart(context.request).await?;
    let mut errors = ModelErrors::default();
    let mut text = |name: &str| {
        let value = field(&form, name).map(str::trim).filter(|value| !value.is_empty());
        if value.is_none() {
            errors.add(name, format!("The {name} field is required."));
        }
        value.unwrap_or_default().to_owned()
    };
    let (name, url, location) = (text("Name"), text("ConnectorUrl"), text("Location"));
    let user = field(&form, "TechnicalUserId").map(str::trim).filter(|id| !id.is_empty());
    let user = user.map(Uuid::try_parse).transpose().unwrap_or_else(|_| {
        errors.add("TechnicalUserId", "The value is not valid for TechnicalUserId.");
        None
    });
    if !errors.is_empty() {
        return Err(errors.into());
    }
    context.core.change(|state| {
        if location.len() != 2 || !location.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(PortalError::argument("CONNECTOR_ARGUMENT_LOCATION_NOT_EXIST")
                .param("location", location)
                .into());
        }
        if let Some(user) = user {
            check_user(state, user, company)?;
        }
        let living = |connector: &&Connector| connector.status != ConnectorStatus::Inactive;
        if state.connectors.iter().filter(living).any(|other| other.name == name && other.url == url) {
            return Err(PortalError::conflict("CONNECTOR_DUPLICATE")
                .param("name", name)
                .param("connectorUrl", url)
                .into());
        }
        let id = crate::random::uuid();
        let status = ConnectorStatus::Pending;
        state.connectors.push(Connector { id, name, url, location, company, status, user });
        Ok(Reply::json(StatusCode::CREATED, &json!(id))
            .with(header::LOCATION, &format!("/api/administration/Connectors/{id}")))
    })
}

fn check_user(state: &State, id: Uuid, company: Uuid) -> Result<(), PortalError> {
    let usable = state.user(id).is_some_and(|user| {
        user.company == company && matches!(user.status, Status::Active | Status::Pending)
    });
    if !usable {
        return Err(PortalError::argument("CONNECTOR_ARGUMENT_TECH_USER_NOT_ACTIVE")
            .param("technicalUserId", id)
            .param("companyId", company));
    }
    if state.version >= Version::V2_5 && state.connectors_of(id).next().is_some() {
        return Err(PortalError::argument("CONNECTOR_ARGUMENT_TECH_USER_IN_USE").param("technicalUserId", id));
    }
    Ok(())
}

pub(super) fn update(context: &Context<'_>) -> Outcome {
    let mut body = Body::read(context.request, "data")?;
    let url = body.text("connectorUrl", "ConnectorUrl");
    body.finish()?;
    context.core.change(|state| {
        let id = find(context, state)?.id;
        if let Some(connector) = state.connectors.iter_mut().find(|connector| connector.id == id) {
            connector.url = url;
        }
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    })
}

/// With `deleteServiceAccount=true` the linked user goes too, without the permission to delete users.
pub(super) async fn delete(context: &Context<'_>) -> Outcome {
    let mut query = Query::read(context.request);
    let with_user = query.flag("deleteServiceAccount").unwrap_or(false);
    query.finish()?;
    let connector = context.core.read(|state| find(context, state))?;
    if connector.status == ConnectorStatus::Inactive {
        return Err(PortalError::conflict("CONNECTOR_CONFLICT_DELETION_DECLINED")
            .param("connectorId", connector.id)
            .into());
    }
    let user = connector.user.and_then(|id| context.core.read(|state| state.user(id).cloned()));
    if let Some(user) = user.filter(|user| with_user && user.status == Status::Active) {
        users::remove(context, &user).await?;
    }
    context.core.change(|state| {
        if let Some(current) = state.connectors.iter_mut().find(|current| current.id == connector.id) {
            current.status = ConnectorStatus::Inactive;
            current.user = None;
        }
    });
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The text fields of a multipart body, by their names in the portal's letter case.
async fn multipart(request: &Request) -> Result<Vec<(String, String)>, Failure> {
    const NAMES: [&str; 4] = ["Name", "ConnectorUrl", "Location", "TechnicalUserId"];
    let Some(content_type) = request.header(header::CONTENT_TYPE) else {
        return Err(Failure::Reply(no_media_type()));
    };
    let unreadable =
        |error: multer::Error| ModelErrors::of("", format!("Failed to read the request form. {error}"));
    let boundary = multer::parse_boundary(content_type).map_err(unreadable)?;
    let body = request.body.clone();
    let stream = futures::stream::once(async move { Ok::<_, Infallible>(body) });
    let mut form = multer::Multipart::new(stream, boundary);
    let mut fields = Vec::new();
    while let Some(part) = form.next_field().await.map_err(unreadable)? {
        let name = part.name().unwrap_or_default().to_owned();
        let name =
            NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name)).map_or(name, |&n| n.to_owned());
        fields.push((name, part.text().await.map_err(unreadable)?));
    }
    Ok(fields)
}
