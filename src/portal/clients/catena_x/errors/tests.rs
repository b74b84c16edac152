use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::portal::Refusal;
use crate::portal::clients::catena_x::codes::CODES;
use crate::portal::test_support::json::a_body;

const ENDPOINT: &str = "portal.example.org:443";
const HTML: &str = "\n<!DOCTYPE html><html><body>s3cret</body></html>";

fn failure(operation: Operation, status: u16, body: &str) -> FailedCall {
    let failure = FailedCall::of_answer(operation, &Answer::of(status, body), ENDPOINT);
    let shown = format!("{failure:?} {}", failure.error);
    assert!(!shown.contains("s3cret"), "text of the body in {shown}");
    failure
}

fn error(operation: Operation, status: u16, body: &str) -> PortalError {
    failure(operation, status, body).error
}

/// The portal's error body: the code in `details`, the filled text in `errors`.
fn body(status: u16, code: &str) -> String {
    format!(
        r#"{{"type":"https://tools.ietf.org/html/rfc7231#section-6.5.8","title":"s3cret","status":{status},
        "errors":{{"Org.Eclipse.TractusX.Portal.Backend.Administration.Service":["s3cret text"]}},"errorId":"s3cret",
        "details":[{{"errorCode":"{code}","type":"AdministrationServiceAccountErrors","message":"s3cret",
        "parameters":[{{"name":"serviceAccountId","value":"s3cret"}}]}}]}}"#
    )
}

/// A 500 of the portal without a code.
fn server_error(text: &str) -> String {
    format!(
        r#"{{"title":"The server encountered an unexpected condition.","status":500,
        "errors":{{"Org.Eclipse.TractusX.Portal.Backend.Provisioning.Library":["s3cret","{text}"]}},"errorId":"x","details":[]}}"#
    )
}

#[test]
fn a_missing_user_is_404_or_409_by_its_code_alone() {
    use Operation::{Create, Delete, Details, Reset, Update};
    for operation in [Details, Delete, Update, Reset] {
        for status in [404, 409] {
            for code in ["SERVICE_ACCOUNT_NOT_FOUND", "SERVICE_ACCOUNT_NOT_CONFLICT"] {
                assert_eq!(error(operation, status, &body(status, code)), PortalError::NotFound);
            }
        }
    }
    assert!(matches!(
        error(Create, 409, &body(409, "SERVICE_ACCOUNT_NOT_FOUND")),
        PortalError::Refused { status: 409, .. }
    ));
    // Delete of a subscription's wallet user: nothing is said of the user.
    let no_process = r#"{"title":"t","status":404,"errors":{"unknown":["externalId s3cret does not exist"]},"details":[]}"#;
    assert_eq!(
        error(Delete, 404, no_process),
        PortalError::Refused { refusal: Refusal::Request, status: 404, code: "other" }
    );
    assert_eq!(
        error(Details, 404, ""),
        PortalError::Refused { refusal: Refusal::Request, status: 404, code: "other" }
    );
}

#[test]
fn conflicts_and_rejections_carry_their_code() {
    assert_eq!(
        error(Operation::Delete, 409, &body(409, "SERVICE_ACCOUNT_NOT_ACTIVE")),
        PortalError::Refused { refusal: Refusal::NotActive, status: 409, code: "SERVICE_ACCOUNT_NOT_ACTIVE" }
    );
    assert_eq!(
        error(Operation::Delete, 409, &body(409, "s3cret")),
        PortalError::Refused { refusal: Refusal::State, status: 409, code: "other" }
    );
    assert_eq!(
        error(Operation::Delete, 409, "[]"),
        PortalError::Refused { refusal: Refusal::State, status: 409, code: "other" }
    );
    // A 400 of the portal holds its code among the errors as well; some have no details.
    let argument = r#"{"status":400,"errors":{"unknown":["SERVICE_NAME_EMPTY_ARGUMENT"]},"details":[]}"#;
    assert_eq!(
        error(Operation::Create, 400, argument),
        PortalError::Refused { refusal: Refusal::Request, status: 400, code: "SERVICE_NAME_EMPTY_ARGUMENT" }
    );
    let binding = r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"s3cret","status":400,
        "errors":{"$.roleIds[0]":["s3cret could not be converted"],"technicalUserCreationInfo":["s3cret"]},"traceId":"00"}"#;
    assert_eq!(
        error(Operation::Create, 400, binding),
        PortalError::Refused { refusal: Refusal::Request, status: 400, code: "other" }
    );
    for status in [405, 413, 415, 422] {
        assert_eq!(
            error(Operation::Create, status, ""),
            PortalError::Refused { refusal: Refusal::Request, status, code: "other" }
        );
    }
    assert_eq!(
        error(Operation::Create, 404, &body(404, "USER_NOT_VALID_USERROLEID")),
        PortalError::Refused { refusal: Refusal::Request, status: 404, code: "USER_NOT_VALID_USERROLEID" }
    );
}

#[test]
fn missing_permissions_are_named_with_and_without_a_body() {
    for text in [String::new(), body(403, "ForbiddenAccess")] {
        let permission = "delete_tech_user_management";
        assert_eq!(error(Operation::Delete, 403, &text), PortalError::Forbidden { permission });
        assert_eq!(error(Operation::Delete, 401, &text), PortalError::Unauthorized);
    }
    let stranger = "SERVICE_ACCOUNT_NO_PROVIDER_OR_OWNER";
    assert_eq!(
        error(Operation::Delete, 403, &body(403, stranger)),
        PortalError::Refused { refusal: Refusal::Request, status: 403, code: stranger }
    );
}

/// A proxy or a firewall answers it in passing: the login may do what it could before.
#[test]
fn a_403_with_a_web_page_is_no_missing_permission() {
    for operation in [Operation::Delete, Operation::Create, Operation::List] {
        let found = failure(operation, 403, HTML);
        assert!(matches!(found.error, PortalError::BadAnswer { .. }), "{found:?}");
        assert!(!found.acted, "it is a refusal all the same");
    }
    assert_eq!(error(Operation::Delete, 401, HTML), PortalError::Unauthorized);
}

#[test]
fn a_web_page_is_proof_only_where_the_backend_would_have_answered() {
    let elsewhere = PortalError::NotThePortalBackend { endpoint: ENDPOINT.to_owned() };
    for status in [200, 404, 405] {
        assert_eq!(error(Operation::Version, status, HTML), elsewhere);
    }
    for status in [301, 302, 307, 308] {
        assert_eq!(error(Operation::List, status, ""), elsewhere);
    }
    for status in [500, 502, 503, 504] {
        assert_eq!(
            error(Operation::List, status, HTML),
            PortalError::Server { server: ServerKind::Portal, status }
        );
    }
}

#[test]
fn a_missing_client_is_one_users_fault() {
    let missing = server_error("clientId sa42 not found in central keycloak");
    for operation in [Operation::Details, Operation::Update, Operation::Reset, Operation::Delete] {
        let failure = failure(operation, 500, &missing);
        assert_eq!(failure.error, PortalError::ClientMissing);
        assert_eq!(failure.verdict, Verdict::Alive);
        assert!(!failure.repeatable);
    }
}

#[test]
fn what_counts_against_the_portal() {
    use Operation::{Create, Details, List};
    for (operation, status, text, verdict) in [
        (Details, 500, server_error("Object reference not set"), Verdict::Unclear),
        (Create, 500, server_error("x"), Verdict::Unclear),
        (List, 500, server_error("x"), Verdict::Down),
        (Details, 500, HTML.to_owned(), Verdict::Down),
        (Details, 502, server_error("x"), Verdict::Down),
        (Details, 503, String::new(), Verdict::Down),
        (Details, 404, HTML.to_owned(), Verdict::Unclear),
        (Details, 404, body(404, "SERVICE_ACCOUNT_NOT_FOUND"), Verdict::Alive),
        (Create, 400, String::new(), Verdict::Alive),
        (Create, 401, String::new(), Verdict::Alive),
        (Create, 429, String::new(), Verdict::Alive),
        (Create, 408, String::new(), Verdict::Unclear),
    ] {
        assert_eq!(failure(operation, status, &text).verdict, verdict, "{status}");
    }
}

#[test]
fn only_a_refusal_proves_that_nothing_was_created() {
    for status in [400, 401, 403, 404, 405, 407, 409, 413, 415, 422, 429] {
        assert!(!failure(Operation::Create, status, "").acted, "{status}");
    }
    for status in [200, 202, 302, 408, 425, 499, 500, 502, 503, 504] {
        assert!(failure(Operation::Create, status, HTML).acted, "{status}");
    }
}

#[test]
fn a_pause_is_asked_for_by_429_and_by_503_with_a_time() {
    let mut answer = Answer::of(503, "");
    answer.retry_after = Some(Duration::from_secs(7));
    let failure_503 = FailedCall::of_answer(Operation::List, &answer, ENDPOINT);
    assert_eq!(
        failure_503.error,
        PortalError::Throttled { server: ServerKind::Portal, retry_after: Some(Duration::from_secs(7)) }
    );
    assert!(!failure_503.repeatable);
    let failure_429 = failure(Operation::List, 429, "");
    assert_eq!(failure_429.error, PortalError::Throttled { server: ServerKind::Portal, retry_after: None });
    assert_eq!(
        failure(Operation::List, 503, "").error,
        PortalError::Server { server: ServerKind::Portal, status: 503 }
    );
    assert!(failure(Operation::List, 503, "").repeatable);
}

const OPERATIONS: &[Operation] = &[
    Operation::Create,
    Operation::Dataspace,
    Operation::Delete,
    Operation::Details,
    Operation::List,
    Operation::Reset,
    Operation::Roles,
    Operation::Token,
    Operation::Update,
    Operation::Verify,
    Operation::Version,
];

proptest! {
    #[test]
    fn any_body_of_an_error_can_be_read(
        operation in proptest::sample::select(OPERATIONS),
        status in 300..600_u16,
        body in a_body(&["errors", "details", "errorCode", "errorId", MISSING_CLIENT, "SERVICE_ACCOUNT_NOT_FOUND", "s3cret"]),
    ) {
        let mut answer = Answer::of(status, "");
        answer.body = body;
        let failure = FailedCall::of_answer(operation, &answer, ENDPOINT);
        // No text of the body gets into the error: codes are of the closed set.
        let shown = format!("{failure:?} {}", failure.error);
        prop_assert!(!shown.contains("s3cret"), "{}", shown);
        if let PortalError::Refused { code, .. } = failure.error {
            prop_assert!(code == OTHER || CODES.contains(&code), "{}", code);
        }
    }

    #[test]
    fn any_known_code_is_read_back(code in proptest::sample::select(&CODES), status in 410..417_u16) {
        let refusal = refusal_of(Operation::Create, status, code);
        let expected = PortalError::Refused { refusal, status, code };
        prop_assert_eq!(error(Operation::Create, status, &body(status, code)), expected);
    }
}
