//! The portal's error codes that errors may name: a closed set, so that no text of an answer gets into an error.

use crate::portal::Refusal;
use crate::portal::observe::Operation;

/// What stands for a code that is not in the set.
pub(super) const OTHER: &str = "other";

/// The code for unknown, deleted and foreign users, by its name up to 2.1 and since.
const NOT_FOUND: [&str; 2] = ["SERVICE_ACCOUNT_NOT_FOUND", "SERVICE_ACCOUNT_NOT_CONFLICT"];

pub(super) const CODES: [&str; 29] = [
    "ForbiddenAccess",
    "UnauthorizedAccess",
    "SERVICE_AUTH_SECRET_ARGUMENT",
    "SERVICE_NAME_EMPTY_ARGUMENT",
    "SERVICE_COMPANY_NOT_EXIST_CONFLICT",
    "SERVICE_BPN_NOT_SET_CONFLICT",
    "SERVICE_ROLES_NOT_ASSIGN_ARGUMENT",
    "SERVICE_ACCOUNT_NOT_FOUND",
    "SERVICE_ACCOUNT_NOT_CONFLICT",
    "SERVICE_USERID_ACTIVATION_PENDING_CONFLICT",
    "SERVICE_USERID_ACTIVATION_ACTIVE_CONFLICT",
    "SERVICE_UNDEFINED_CLIENTID_CONFLICT",
    "SERVICE_ID_PATH_NOT_MATCH_ARGUMENT",
    "SERVICE_INACTIVE_CONFLICT",
    "SERVICE_CLIENTID_NOT_NULL_CONFLICT",
    "SERVICE_ACCOUNT_NOT_LINKED_TO_PROCESS",
    "SERVICE_ACCOUNT_PENDING_PROCESS_STEPS",
    "TECHNICAL_USER_CREATION_IN_PROGRESS",
    "SERVICE_ACCOUNT_NOT_ACTIVE",
    "SERVICE_ACCOUNT_NO_PROVIDER_OR_OWNER",
    "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED",
    "USER_CREATION_USERNAME_NULL",
    "USER_CREATION_CONFLICT",
    "USER_CREATION_NOTFOUND",
    "USER_CREATION_ARGUMENT",
    "USER_CREATION_FAILURE",
    "USER_CREATION_RETURNS_NULL",
    "USER_NOT_VALID_USERROLEID",
    "COMPANY_NO_BUSINESS_PARTNER_NUMBER",
];

/// The code as a constant, where it is a known one.
pub(super) fn known(text: &str) -> Option<&'static str> {
    CODES.into_iter().find(|code| *code == text)
}

/// Whether the code says that there is no such user.
pub(super) fn means_not_found(code: &str) -> bool {
    NOT_FOUND.contains(&code)
}

/// What a request was refused for.
pub(super) fn refusal_of(operation: Operation, status: u16, code: &str) -> Refusal {
    match (status, operation, code) {
        (409, _, "SERVICE_USERID_ACTIVATION_PENDING_CONFLICT") => Refusal::ConnectorLinked,
        (409, _, "SERVICE_USERID_ACTIVATION_ACTIVE_CONFLICT") => Refusal::SubscriptionLinked,
        (409, _, "SERVICE_ACCOUNT_NOT_ACTIVE") => Refusal::NotActive,
        (409, ..) => Refusal::State,
        (_, Operation::Create, "SERVICE_ROLES_NOT_ASSIGN_ARGUMENT") => Refusal::RoleNotOffered,
        (_, Operation::Create, "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED") => Refusal::ExternalNotAllowed,
        _ => Refusal::Request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_means_a_refusal_only_where_the_portal_answers_it() {
        let roles = "SERVICE_ROLES_NOT_ASSIGN_ARGUMENT";
        for (operation, status, code, want) in [
            (Operation::Create, 400, roles, Refusal::RoleNotOffered),
            (Operation::Update, 400, roles, Refusal::Request),
            (Operation::Create, 409, roles, Refusal::State),
            (Operation::Create, 400, "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED", Refusal::ExternalNotAllowed),
            (Operation::Delete, 409, "SERVICE_USERID_ACTIVATION_PENDING_CONFLICT", Refusal::ConnectorLinked),
            (
                Operation::Delete,
                409,
                "SERVICE_USERID_ACTIVATION_ACTIVE_CONFLICT",
                Refusal::SubscriptionLinked,
            ),
            (Operation::Reset, 409, "SERVICE_ACCOUNT_NOT_ACTIVE", Refusal::NotActive),
            (Operation::Delete, 409, OTHER, Refusal::State),
            (Operation::Create, 400, OTHER, Refusal::Request),
        ] {
            assert_eq!(refusal_of(operation, status, code), want, "{operation:?} {status} {code}");
            assert!(code == OTHER || known(code) == Some(code), "{code} is in the set");
        }
    }
}
