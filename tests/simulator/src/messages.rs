//! The error codes with their message templates, and which version knows which (portal contract, sections 3.3
//! and 7). The texts are the simulator's own; the codes and parameter names are the portal's.

use serde_json::{Value, json};

use crate::version::Version;

/// Table of the technical users' error codes.
const USERS: &str = "AdministrationServiceAccountErrors";
/// Table of the connectors' error codes.
const CONNECTORS: &str = "AdministrationConnectorErrors";

struct Message {
    table: &'static str,
    code: &'static str,
    text: &'static str,
    since: Version,
    until: Version,
}

const fn message(
    table: &'static str,
    code: &'static str,
    text: &'static str,
    since: Version,
    until: Version,
) -> Message {
    Message { table, code, text, since, until }
}

const fn user(code: &'static str, text: &'static str, since: Version) -> Message {
    message(USERS, code, text, since, Version::Main)
}

const fn connector(code: &'static str, text: &'static str) -> Message {
    message(CONNECTORS, code, text, Version::V2_0, Version::Main)
}

const fn other(table: &'static str, code: &'static str, text: &'static str) -> Message {
    message(table, code, text, Version::V2_0, Version::Main)
}

const MESSAGES: &[Message] = &[
    user(
        "SERVICE_AUTH_SECRET_ARGUMENT",
        "authenticationType {authenticationType} is not supported, only SECRET is",
        Version::V2_0,
    ),
    user("SERVICE_NAME_EMPTY_ARGUMENT", "the name {name} is empty", Version::V2_0),
    user("SERVICE_COMPANY_NOT_EXIST_CONFLICT", "there is no company {companyId}", Version::V2_0),
    user("SERVICE_BPN_NOT_SET_CONFLICT", "company {companyId} has no bpn", Version::V2_0),
    user(
        "SERVICE_ROLES_NOT_ASSIGN_ARGUMENT",
        "roles {unassignable} cannot be assigned, assignable are {userRoleIds}",
        Version::V2_0,
    ),
    message(
        USERS,
        "SERVICE_ACCOUNT_NOT_CONFLICT",
        "there is no service account {serviceAccountId}",
        Version::V2_0,
        Version::V2_1,
    ),
    user("SERVICE_ACCOUNT_NOT_FOUND", "there is no service account {serviceAccountId}", Version::V2_2),
    user(
        "SERVICE_USERID_ACTIVATION_PENDING_CONFLICT",
        "the technical user is linked to a connector that is active or pending",
        Version::V2_0,
    ),
    user(
        "SERVICE_USERID_ACTIVATION_ACTIVE_CONFLICT",
        "the technical user is linked to an active subscription",
        Version::V2_0,
    ),
    user(
        "SERVICE_UNDEFINED_CLIENTID_CONFLICT",
        "service account {serviceAccountId} has no clientId",
        Version::V2_0,
    ),
    user(
        "SERVICE_ID_PATH_NOT_MATCH_ARGUMENT",
        "the path names {serviceAccountId}, the body {serviceAccountDetailsServiceAccountId}",
        Version::V2_0,
    ),
    user("SERVICE_INACTIVE_CONFLICT", "service account {serviceAccountId} is INACTIVE", Version::V2_0),
    user(
        "SERVICE_CLIENTID_NOT_NULL_CONFLICT",
        "service account {serviceAccountId} should have a clientId",
        Version::V2_0,
    ),
    user(
        "SERVICE_ACCOUNT_NOT_LINKED_TO_PROCESS",
        "service account {serviceAccountId} belongs to no process",
        Version::V2_2,
    ),
    user(
        "SERVICE_ACCOUNT_PENDING_PROCESS_STEPS",
        "service account {serviceAccountId} has open process steps {processStepTypeIds}",
        Version::V2_2,
    ),
    user(
        "TECHNICAL_USER_CREATION_IN_PROGRESS",
        "the technical user is still being created and cannot be deleted",
        Version::V2_2,
    ),
    user("SERVICE_ACCOUNT_NOT_ACTIVE", "service account {serviceAccountId} is not active", Version::V2_3),
    user(
        "SERVICE_ACCOUNT_NO_PROVIDER_OR_OWNER",
        "a service account is deleted by its owner or provider only",
        Version::V2_3,
    ),
    user(
        "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED",
        "roles {userRoleIds} are not allowed for a company with its own wallet",
        Version::Main,
    ),
    connector("CONNECTOR_NOT_FOUND", "there is no connector {connectorId}"),
    connector(
        "CONNECTOR_NOT_PROVIDER_COMPANY_NOR_HOST",
        "company {companyId} is neither provider nor host of connector {connectorId}",
    ),
    connector("CONNECTOR_ARGUMENT_LOCATION_NOT_EXIST", "there is no location {location}"),
    connector(
        "CONNECTOR_ARGUMENT_TECH_USER_NOT_ACTIVE",
        "there is no usable technical user {technicalUserId} of company {companyId}",
    ),
    message(
        CONNECTORS,
        "CONNECTOR_ARGUMENT_TECH_USER_IN_USE",
        "technical user {technicalUserId} is linked to another connector",
        Version::V2_5,
        Version::Main,
    ),
    connector("CONNECTOR_DUPLICATE", "there is a connector {name} with address {connectorUrl} already"),
    connector("CONNECTOR_CONFLICT_NO_DESCRIPTION", "the company has no self-description"),
    connector("CONNECTOR_CONFLICT_DELETION_DECLINED", "connector {connectorId} cannot be deleted"),
    connector(
        "CONNECTOR_DELETION_FAILED_OFFER_SUBSCRIPTION",
        "connector {connectorId} serves a subscription",
    ),
    other("ProvisioningServiceErrors", "USER_NOT_VALID_USERROLEID", "there is no role {userRoleIds}"),
    other("ProvisioningServiceErrors", "USER_CREATION_FAILURE", "the user {userName} was not created"),
    other("TechnicalUserProfileServiceErrors", "OFFER_NOT_FOUND", "there is no offer {offerId}"),
    other("OfferSubscriptionServiceErrors", "OFFER_NOTFOUND", "there is no offer {offerId}"),
];

/// Table and template of a code.
pub(crate) fn find(code: &str) -> (&'static str, &'static str) {
    MESSAGES
        .iter()
        .find(|message| message.code == code)
        .map_or((USERS, ""), |message| (message.table, message.text))
}

/// The code for "no such technical user", which was renamed in 2.2.
pub(crate) fn not_found_code(version: Version) -> &'static str {
    if version < Version::V2_2 { "SERVICE_ACCOUNT_NOT_CONFLICT" } else { "SERVICE_ACCOUNT_NOT_FOUND" }
}

/// What `GET errormessage` answers: the fingerprint of a version (portal contract, section 7).
pub(crate) fn tables(version: Version) -> Value {
    let mut tables: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in MESSAGES.iter().filter(|message| message.since <= version && version <= message.until) {
        let entry = json!({"errorCode": message.code, "message": message.text});
        match tables.iter_mut().find(|(table, _)| *table == message.table) {
            Some((_, entries)) => entries.push(entry),
            None => tables.push((message.table, vec![entry])),
        }
    }
    tables.into_iter().map(|(table, entries)| json!({"errorType": table, "errorMessages": entries})).collect()
}
