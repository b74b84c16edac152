//! What differs between the versions (portal contract, section 7).

use portal_simulator::{Status, Version};
use serde_json::Value;

use crate::world::{DISCOVERY, NOBODY, POOL_CONSUMER, WALLET, World};

/// The fingerprint, without login.
#[tokio::test]
async fn error_messages_show_the_version() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let tables = world.call("none", "GET /errormessage", None).await.json();
        let knows = |table: &str, code: &str| {
            let table = tables.as_array().unwrap().iter().find(|entry| entry["errorType"] == table).unwrap();
            table["errorMessages"].as_array().unwrap().iter().any(|message| message["errorCode"] == code)
        };
        let users = "AdministrationServiceAccountErrors";
        assert_eq!(knows(users, "SERVICE_ACCOUNT_NOT_CONFLICT"), version <= Version::V2_1, "{version}");
        assert_eq!(knows(users, "SERVICE_ACCOUNT_NOT_FOUND"), version >= Version::V2_2, "{version}");
        assert_eq!(knows(users, "SERVICE_ACCOUNT_NOT_ACTIVE"), version >= Version::V2_3, "{version}");
        let connectors = "AdministrationConnectorErrors";
        assert_eq!(
            knows(connectors, "CONNECTOR_ARGUMENT_TECH_USER_IN_USE"),
            version >= Version::V2_5,
            "{version}"
        );
        assert_eq!(
            knows(users, "SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED"),
            version >= Version::Main,
            "{version}"
        );
    }
}

#[tokio::test]
async fn versions_are_named_as_they_are_written() {
    for version in Version::ALL {
        assert_eq!(version.to_string().parse::<Version>().unwrap(), version);
    }
    assert!("1.8".parse::<Version>().is_err());
}

/// 2.2: 204 instead of a number.
#[tokio::test]
async fn deletes_answer_by_version() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let user = world.user("x").await;
        let answer = world.delete(user.id).await;
        if version < Version::V2_2 {
            assert_eq!(answer.status, 200);
            assert!(answer.json().is_u64());
        } else {
            assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        }
    }
}

/// Sections 2.5 and 7: what a delete of nothing, of another's user and of a deleted user answers.
#[tokio::test]
async fn refused_deletes_by_version() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let (gone, mine) = (world.user("gone").await, world.user("mine").await);
        world.delete(gone.id).await;
        let call = format!("DELETE /serviceaccount/owncompany/serviceaccounts/{}", mine.id);
        let verdicts = [
            world.delete(NOBODY).await.verdict(),
            world.delete(gone.id).await.verdict(),
            world.call("other", &call, None).await.verdict(),
        ];
        let wanted = match version {
            Version::V2_0 | Version::V2_1 => [(409, "SERVICE_ACCOUNT_NOT_CONFLICT"); 3],
            Version::V2_2 => [(404, "SERVICE_ACCOUNT_NOT_FOUND"); 3],
            _ => [
                (404, "SERVICE_ACCOUNT_NOT_FOUND"),
                (409, "SERVICE_ACCOUNT_NOT_ACTIVE"),
                (403, "SERVICE_ACCOUNT_NO_PROVIDER_OR_OWNER"),
            ],
        };
        assert_eq!(verdicts, wanted.map(|(status, code)| (status, code.to_owned())), "{version}");
    }
}

/// Section 7: up to 2.1 a deleted user is INACTIVE, and its details and reset answer 500, never 404.
#[tokio::test]
async fn deleted_users_by_version() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let user = world.user("deleted-one").await;
        world.delete(user.id).await;
        let inactive = world.list("page=0&size=15&filterForInactive=true").await.text.contains("deleted-one");
        assert!(!world.list("page=0&size=15").await.text.contains("deleted-one"));
        let (details, reset) = (world.details(user.id).await.status, world.reset(user.id).await.status);
        if version < Version::V2_2 {
            assert_eq!((inactive, details, reset), (true, 500, 500), "{version}");
            assert_eq!(world.view(&user.id.to_string()).status, Status::Inactive);
        } else {
            assert_eq!((inactive, details, reset), (false, 404, 409), "{version}");
            assert_eq!(world.view(&user.id.to_string()).status, Status::Deleted);
        }
    }
}

/// 2.3 and 2.4: fields come.
#[tokio::test]
async fn fields_by_version() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let user = world.user("x").await;
        let entry = world.list("page=0&size=1").await.json()["content"][0].clone();
        let details = world.details(user.id).await.json();
        let role = world.call("admin", "GET /serviceaccount/user/roles", None).await.json()[0].clone();
        let has = |value: &Value, key: &str| value.get(key).is_some();
        let modern = version >= Version::V2_3;
        assert_eq!(has(&entry, "userType"), modern);
        assert_eq!(has(&details, "usertype"), modern);
        assert_eq!(has(&details, "authenticationServiceUrl"), modern);
        assert_eq!(has(&details, "subscriptionId"), !modern);
        assert_eq!(has(&role, "roleType"), modern);
        assert_eq!(has(&role, "onlyAccessibleByProvider"), version >= Version::V2_4);
        assert_eq!(details["LastEditorCompanyName"], "One");
    }
}

/// Section 2.2 and 13.5: roles for providers only are dropped without a word, from 2.4 on.
#[tokio::test]
async fn provider_only_roles_by_version() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let made = world.create("x", &[POOL_CONSUMER]).await.json();
        let both = world.create("y", &[POOL_CONSUMER, DISCOVERY]).await.json();
        let roles = both[0]["roles"].as_array().unwrap().len();
        let dropped = version >= Version::V2_4;
        assert_eq!(
            (made.as_array().unwrap().is_empty(), roles),
            (dropped, if dropped { 1 } else { 2 }),
            "{version}"
        );
    }
}

/// Section 3.1: the content type of the portal's own errors.
#[tokio::test]
async fn errors_are_text_from_2_4_on() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let answer = world.details(NOBODY).await;
        let wanted = if version >= Version::V2_4 { "text/plain" } else { "application/json" };
        assert_eq!(answer.media(), wanted, "{version}");
        assert_eq!(answer.json()["details"][0]["parameters"][0]["name"], "serviceAccountId");
        assert!(answer.json()["details"][0]["message"].as_str().unwrap().contains("{serviceAccountId}"));
        assert!(
            answer.json()["errors"]
                .as_object()
                .unwrap()
                .values()
                .any(|texts| texts[0].as_str().unwrap().contains(NOBODY))
        );
    }
}

/// Section 0, fact 8, and section 7: the end of a wallet user by version.
#[tokio::test]
async fn wallet_users_end_by_version() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let user = world.wallet_user("w").await;
        let status = world.delete(user.id).await.status;
        world.sim.activate_wallet_users();
        let after = world.view(&user.id.to_string()).status;
        let wanted = match version {
            Version::V2_0 | Version::V2_1 => (500, Status::Active),
            Version::Main => (204, Status::Deleted),
            _ => (204, Status::PendingDeletion),
        };
        assert_eq!((status, after), wanted, "{version}");
    }
}

/// Section 2.5: a PENDING user can never be deleted; 2.2 says why.
#[tokio::test]
async fn pending_users_are_never_deleted() {
    for version in Version::ALL {
        let world = World::new(version).await;
        let id = world.create("w", &[WALLET]).await.id();
        let wanted = match version {
            Version::V2_0 | Version::V2_1 => "SERVICE_ACCOUNT_NOT_CONFLICT",
            Version::V2_2 => "TECHNICAL_USER_CREATION_IN_PROGRESS",
            _ => "SERVICE_ACCOUNT_NOT_ACTIVE",
        };
        assert_eq!(world.delete(&id).await.verdict(), (409, wanted.to_owned()), "{version}");
    }
}
