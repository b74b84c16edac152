use secrecy::ExposeSecret;

use proptest::prelude::*;

use super::*;
use crate::portal::test_support::json::a_body;

const ID: &str = "0B6C1F4E-2222-4444-8888-1234567890AB";

fn answer(body: &str) -> Answer {
    Answer::of(200, body)
}

fn endpoints() -> TokenEndpoints {
    TokenEndpoints::new("https://idp.example.org/token".into(), None)
}

fn page_of(answer: &Answer) -> Result<Page, PortalError> {
    page(answer, 15)
}

fn details_of(changes: &str) -> UserDetails {
    let body = format!(
        r#"{{"serviceAccountId":"{ID}","name":"edc","description":"d","companyServiceAccountTypeId":"OWN",
        "roles":[{{"roleId":"r","clientId":"technical_roles_management","roleName":"Dataspace Discovery"}}],
        "LastEditorName":null,{changes}}}"#
    );
    details(&answer(&body), &UserId::new(ID), &endpoints()).unwrap()
}

#[test]
fn a_page_of_a_new_release() {
    let page = page_of(&answer(
        r#"{"meta":{"totalElements":17,"totalPages":2,"page":0,"contentSize":2},"content":[
        {"serviceAccountId":"A","clientId":"sa42","name":"edc","userType":"INTERNAL","serviceAccountType":"OWN",
         "status":"ACTIVE","isOwner":true,"isProvider":false,"offerSubscriptionId":null,
         "connector":{"id":"c","name":"my-edc"},"offer":{"id":"o","type":"APP","name":null,"subscriptionId":null}},
        {"serviceAccountId":"B","clientId":null,"name":"dim-edc","userType":"NEW","serviceAccountType":"NEW",
         "status":"NEW","isOwner":false,"isProvider":true,"connector":null,"offer":null}]}"#,
    ))
    .unwrap();
    assert_eq!((page.total, page.pages), (17, 2));
    let [first, second] = page.users.as_slice() else { panic!("two users") };
    assert_eq!(first.id.as_str(), "a");
    assert_eq!(first.client_id.as_deref(), Some("sa42"));
    assert_eq!(
        (first.kind, first.status, first.ownership),
        (UserKind::Internal, UserStatus::Active, Ownership::Own)
    );
    assert_eq!(first.connector, Some(Linked { id: "c".into(), name: Some("my-edc".into()) }));
    assert_eq!(first.offer, Some(Box::new(Offer { id: "o".into(), name: None, subscription: None })));
    assert!(first.is_owner && !second.is_owner);
    assert_eq!(
        (second.kind, second.status, second.ownership),
        (UserKind::External, UserStatus::Other, Ownership::Other)
    );
}

#[test]
fn a_subscription_is_read_where_each_release_shows_it() {
    let offer = |subscription: &str, beside: &str| {
        let body = format!(
            r#"{{"meta":{{"totalElements":1,"totalPages":1}},"content":[{{"serviceAccountId":"A","name":"App",
            "offerSubscriptionId":{beside},"offer":{{"id":"O","name":"App"{subscription}}}}}]}}"#
        );
        page_of(&answer(&body)).unwrap().users.remove(0).offer.unwrap()
    };
    let expected = |text: Option<&str>| {
        let (name, subscription) = (Some("App".into()), text.map(Into::into));
        Box::new(Offer { id: "o".into(), name, subscription })
    };
    assert_eq!(offer(r#","subscriptionId":"S-1""#, "null"), expected(Some("s-1")));
    assert_eq!(offer("", r#""S-1""#), expected(Some("s-1")));
    assert_eq!(offer(r#","subscriptionId":null"#, "null"), expected(None));
    let user = details_of(r#""subscriptionId":"S-1","offer":{"id":"O","name":"App"}"#);
    assert_eq!(user.offer, Some(expected(Some("s-1"))));
}

#[test]
fn a_page_of_an_old_release_shows_no_kind() {
    let page = page_of(&answer(
        r#"{"meta":{"totalElements":1,"totalPages":1,"page":0,"contentSize":1},"content":[
        {"serviceAccountId":"A","clientId":null,"name":"dim-edc","serviceAccountType":"OWN","status":"PENDING"}]}"#,
    ))
    .unwrap();
    assert_eq!(page.users[0].kind, UserKind::External);
}

#[test]
fn the_token_url_is_believed_of_active_users_only() {
    let url = "https://wallet.example.org/oauth/token";
    let with = |status: &str, url: &str| {
        details_of(&format!(
            r#""usertype":"EXTERNAL","status":"{status}","clientId":"w1","secret":"x","authenticationServiceUrl":"{url}""#
        ))
        .credential
        .map(|credential| credential.token_url)
    };
    assert_eq!(with("ACTIVE", url).as_deref(), Some(url));
    assert_eq!(with("PENDING", url), None);
    assert_eq!(with("PENDING_DELETION", url), None);
    assert_eq!(with("ACTIVE", "Technical User Status is Still in pending state"), None);
    assert_eq!(with("ACTIVE", ""), None);
}

#[test]
fn details_of_a_pending_user_have_no_secret() {
    let user = details_of(r#""usertype":"EXTERNAL","status":"PENDING","clientId":null,"secret":null"#);
    assert!(user.credential.is_none() && user.client_id.is_none());
    let user = details_of(r#""usertype":"INTERNAL","status":"ACTIVE","clientId":"sa1","secret":"s3cret""#);
    let credential = user.credential.as_ref().unwrap();
    assert_eq!(credential.secret().expose_secret(), "s3cret");
    assert!(!format!("{user:?}").contains("s3cret"));
    assert_eq!(user.roles, ["Dataspace Discovery"]);
}

#[test]
fn details_of_another_user_are_refused() {
    let body = r#"{"serviceAccountId":"x","name":"edc"}"#;
    assert!(matches!(
        details(&answer(body), &UserId::new(ID), &endpoints()),
        Err(PortalError::BadAnswer { .. })
    ));
}

#[test]
fn a_create_answers_none_one_or_two_users_or_an_object() {
    let internal = r#"{"serviceAccountId":"A","clientId":"sa1","name":"n","description":"d","status":"ACTIVE",
        "authenticationType":"SECRET","roles":[{"roleId":"r","clientId":"c","roleName":"R"}],
        "companyServiceAccountTypeId":"OWN","secret":"s3cret","subscriptionId":null}"#;
    let external = r#"{"serviceAccountId":"B","clientId":null,"name":"dim-n","status":"PENDING","secret":null,
        "authenticationType":null,"roles":[]}"#;
    let made = |body: &str| created(&answer(body), "n", &endpoints()).unwrap();
    assert!(made("[]").is_empty());
    assert_eq!(made(internal).len(), 1);
    let both = made(&format!("[{internal},{external}]"));
    assert_eq!(both[0].credential.as_ref().unwrap().secret().expose_secret(), "s3cret");
    assert_eq!((both[0].kind, both[1].kind), (UserKind::Internal, UserKind::External));
    assert_eq!((both[0].status, both[1].status), (UserStatus::Active, UserStatus::Pending));
    assert_eq!(both[0].roles, ["R"]);
    let unreadable = created(&answer(r#"{"secret":"s3cret"}"#), "n", &endpoints()).unwrap_err();
    assert!(unreadable.acted && !format!("{unreadable:?}").contains("s3cret"));
}

#[test]
fn roles_of_old_and_new_releases() {
    let roles = roles(&answer(
        r#"[{"roleId":"1","roleName":"Identity Wallet Management","roleDescription":null},
        {"roleId":"2","roleName":"Connector Management"},
        {"roleId":"3","roleName":"Wallet","roleType":"External","onlyAccessibleByProvider":false},
        {"roleId":"4","roleName":"BPDM Pool Consumer","roleType":"Internal","onlyAccessibleByProvider":true}]"#,
    ))
    .unwrap();
    let kinds: Vec<_> = roles.iter().map(|role| role.kind).collect();
    assert_eq!(kinds, [RoleKind::External, RoleKind::Internal, RoleKind::External, RoleKind::Internal]);
    assert!(roles[3].provider_only && !roles[0].provider_only);
    assert!(roles[1].creates_users && !roles[0].creates_users);
}

#[test]
fn what_violates_the_contract_is_reported_without_its_text() {
    for body in ["", "s3cret", "{}", r#"{"meta":{"totalElements":"s3cret"}}"#] {
        let error = page_of(&answer(body)).err().unwrap();
        assert!(matches!(error, PortalError::BadAnswer { .. }));
        assert!(!format!("{error:?} {error}").contains("s3cret"));
    }
}

/// The keys and words of all answers.
const WORDS: &[&str] = &[
    "serviceAccountId",
    "clientId",
    "name",
    "description",
    "secret",
    "status",
    "ACTIVE",
    "roles",
    "roleId",
    "roleName",
    "content",
    "meta",
    "totalElements",
    "totalPages",
    "connector",
    "offer",
    "id",
    "userType",
    "EXTERNAL",
    "authenticationServiceUrl",
    "https://idp.example.org/token",
    ID,
];

proptest! {
    #[test]
    fn any_answer_can_be_read(body in a_body(WORDS)) {
        let mut answer = Answer::of(200, "");
        answer.body = body;
        if let Ok(page) = page(&answer, 15) {
            prop_assert!(page.users.len() <= 15 && page.total <= MOST_USERS);
        }
        if let Ok(roles) = roles(&answer) {
            prop_assert!(roles.len() <= MOST_ROLES);
        }
        if let Ok(details) = details(&answer, &UserId::new(ID), &endpoints()) {
            prop_assert_eq!(details.id, UserId::new(ID));
        }
        let _ = created(&answer, "edc", &endpoints());
    }
}
