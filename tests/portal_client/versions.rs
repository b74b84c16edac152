//! The life of users on every release.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Simulator, Status, Version};
use secrecy::ExposeSecret;
use technical_user_operator::domain::user::{Ownership, RoleKind, UserDetails, UserId, UserKind, UserStatus};
use technical_user_operator::portal::clients::catena_x::CatenaXPortal;
use technical_user_operator::portal::{Lane, Permissions, Portal, PortalError, Refusal, Verification};

use crate::simulated::{
    ALL, BPN, COMPANY, config, config_with, portal_to, portal_with_wallet, range, start, wanted,
};
use crate::support::error;

const INTERNAL: &str = DATASPACE_DISCOVERY;
const EXTERNAL: &str = IDENTITY_WALLET_MANAGEMENT;

async fn create(portal: &CatenaXPortal, name: &str, roles: &[&str]) -> Vec<UserDetails> {
    let user = wanted(portal, name, roles).await;
    portal.create_slot().await.unwrap().create(user).await.unwrap()
}

async fn details(portal: &CatenaXPortal, id: &UserId) -> UserDetails {
    portal.details(id, Lane::Interactive).await.unwrap()
}

#[tokio::test]
async fn login_version_and_roles() {
    for version in Version::ALL {
        let simulator = start(config(version)).await;
        let portal = portal_to(&simulator);
        assert_eq!(portal.capabilities().await.unwrap().version, range(version), "{version}");
        let login = portal.login().await.unwrap();
        assert_eq!((login.companies, login.client_id.as_deref()), (vec![BPN.to_owned()], Some("sa1")));
        assert_eq!(
            login.permissions,
            Permissions { view: true, create: true, delete: true, roles: true, dataspace: false }
        );
        let roles = portal.roles(Lane::Background).await.unwrap();
        let kind = |name: &str| roles.iter().find(|role| role.name == name).map(|role| role.kind);
        assert_eq!(kind(INTERNAL), Some(RoleKind::Internal), "{version}");
        assert_eq!(kind(EXTERNAL), Some(RoleKind::External), "{version}");
    }
}

#[tokio::test]
async fn an_internal_user() {
    for version in Version::ALL {
        let simulator = start(config(version)).await;
        let portal = portal_to(&simulator);
        let made = create(&portal, "edc", &[INTERNAL]).await;
        let [user] = made.as_slice() else { panic!("{version}: {made:?}") };
        assert_eq!((user.name.as_str(), user.status), ("edc", UserStatus::Active));
        assert_eq!(user.roles, [INTERNAL]);
        let old = user.credential.clone().unwrap();
        let client_id = user.client_id.clone().unwrap();
        assert_eq!((user.kind, &old.client_id), (UserKind::Internal, &client_id));

        let read = details(&portal, &user.id).await;
        assert_eq!(
            (read.kind, read.status, read.ownership),
            (UserKind::Internal, UserStatus::Active, Ownership::Own)
        );
        assert_eq!((read.name.as_str(), read.description.as_str()), ("edc", "for a test"));
        assert_eq!(
            (read.client_id.as_deref(), &read.roles),
            (Some(client_id.as_str()), &vec![INTERNAL.to_owned()])
        );
        let shown = read.credential.unwrap();
        assert_eq!(shown.secret().expose_secret(), old.secret().expose_secret());
        assert_eq!((shown.client_id, shown.token_url), (old.client_id.clone(), simulator.token_url()));

        let scan = portal.scan(Lane::Background).await.unwrap();
        assert!(scan.stable && scan.complete, "{version}");
        let listed = scan.users.iter().find(|listed| listed.id == user.id).unwrap();
        assert_eq!((listed.kind, listed.status), (UserKind::Internal, UserStatus::Active));
        assert!(listed.is_owner && listed.client_id.as_deref() == Some(client_id.as_str()));

        portal.update(&user.id, "edc-2", "changed").await.unwrap();
        let read = details(&portal, &user.id).await;
        assert_eq!((read.name.as_str(), read.description.as_str()), ("edc-2", "changed"));

        assert!(matches!(portal.verify(&old, Lane::Interactive).await, Verification::Accepted { .. }));
        portal.reset(&user.id).await.unwrap();
        assert_eq!(
            portal.verify(&old, Lane::Interactive).await,
            Verification::Refused { unknown_client: false }
        );
        let new = details(&portal, &user.id).await.credential.unwrap();
        assert!(matches!(portal.verify(&new, Lane::Interactive).await, Verification::Accepted { .. }));

        portal.delete(&user.id).await.unwrap();
        assert_eq!(
            portal.verify(&new, Lane::Interactive).await,
            Verification::Refused { unknown_client: true }
        );
        gone(version, &portal, &user.id).await;
        assert_no_secret(&simulator, &format!("{made:?} {new:?}"));
    }
}

/// How the releases show that a user was deleted.
async fn gone(version: Version, portal: &CatenaXPortal, id: &UserId) {
    let read = error(portal.details(id, Lane::Interactive).await);
    let again = error(portal.delete(id).await);
    let scan = portal.scan(Lane::Background).await.unwrap();
    let listed = scan.users.iter().find(|user| user.id == *id).map(|user| user.status);
    if version <= Version::V2_1 {
        assert_eq!(read, PortalError::ClientMissing, "{version}");
        assert_eq!(listed, Some(UserStatus::Inactive));
    } else {
        assert_eq!(read, PortalError::NotFound, "{version}");
        assert_eq!(listed, None);
    }
    let expected = match version {
        Version::V2_0 | Version::V2_1 | Version::V2_2 => PortalError::NotFound,
        _ => PortalError::Refused {
            refusal: Refusal::NotActive,
            status: 409,
            code: "SERVICE_ACCOUNT_NOT_ACTIVE",
        },
    };
    assert_eq!(again, expected, "{version}");
}

#[tokio::test]
async fn a_wallet_user() {
    for version in Version::ALL {
        let simulator = start(config(version)).await;
        let portal = portal_to(&simulator);
        let made = create(&portal, "wallet", &[EXTERNAL]).await;
        let [user] = made.as_slice() else { panic!("{version}: {made:?}") };
        assert_eq!((user.name.as_str(), user.status), ("dim-wallet", UserStatus::Pending));
        assert!(user.client_id.is_none() && user.credential.is_none());
        assert_eq!(user.kind, UserKind::External);

        simulator
            .wait_for(|view| {
                view.users(COMPANY)
                    .iter()
                    .any(|user| user.name == "dim-wallet" && user.status == Status::Active)
            })
            .await;
        let read = details(&portal, &user.id).await;
        assert_eq!((read.kind, read.status), (UserKind::External, UserStatus::Active), "{version}");
        // The wallet reports its address without the path, and portals before 2.3 report none at all.
        assert_eq!(read.credential.is_some(), version >= Version::V2_3, "{version}");
        let credential = if let Some(credential) = read.credential {
            credential
        } else {
            let knows_the_wallet = portal_with_wallet(&simulator);
            details(&knows_the_wallet, &user.id).await.credential.unwrap()
        };
        assert!(
            matches!(portal.verify(&credential, Lane::Background).await, Verification::Accepted { .. }),
            "{version}"
        );

        if version <= Version::V2_1 {
            assert_eq!(error(portal.delete(&user.id).await), PortalError::ClientMissing, "{version}");
            continue;
        }
        portal.delete(&user.id).await.unwrap();
        let scan = portal.scan(Lane::Background).await.unwrap();
        let listed = scan.users.iter().find(|listed| listed.id == user.id).map(|user| user.status);
        // Main finishes the deletion; all releases so far do not.
        assert!(
            listed == Some(UserStatus::PendingDeletion) || (version == Version::Main && listed.is_none()),
            "{version} {listed:?}"
        );
    }
}

#[tokio::test]
async fn a_pending_user_has_no_token_url_and_no_secret() {
    for version in Version::ALL {
        let config = config(version).wallet_delay(portal_simulator::WalletDelay::Never);
        let simulator = start(config).await;
        let portal = portal_to(&simulator);
        let made = create(&portal, "wallet", &[EXTERNAL]).await;
        let read = details(&portal, &made[0].id).await;
        assert_eq!((read.kind, read.status), (UserKind::External, UserStatus::Pending), "{version}");
        assert!(read.credential.is_none() && read.client_id.is_none());
        let reset = error(portal.reset(&made[0].id).await);
        assert_eq!(
            reset,
            PortalError::Refused {
                refusal: Refusal::State,
                status: 409,
                code: "SERVICE_UNDEFINED_CLIENTID_CONFLICT"
            }
        );
    }
}

#[tokio::test]
async fn no_user_and_two_users() {
    for version in Version::ALL {
        let simulator = start(config(version)).await;
        let portal = portal_to(&simulator);
        assert!(create(&portal, "none", &[]).await.is_empty(), "{version}");
        let both = create(&portal, "both", &[INTERNAL, EXTERNAL]).await;
        let names: Vec<_> = both.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["both", "dim-both"], "{version}");
    }
}

#[tokio::test]
async fn an_unknown_user() {
    let id = UserId::new("0b6c1f4e-2222-4444-8888-1234567890ab");
    for version in Version::ALL {
        let simulator = start(config(version)).await;
        let portal = portal_to(&simulator);
        assert_eq!(error(portal.details(&id, Lane::Interactive).await), PortalError::NotFound, "{version}");
        assert_eq!(error(portal.update(&id, "n", "d").await), PortalError::NotFound, "{version}");
        assert_eq!(error(portal.reset(&id).await), PortalError::NotFound, "{version}");
        assert_eq!(error(portal.delete(&id).await), PortalError::NotFound, "{version}");
        let junk = error(portal.details(&UserId::new("junk"), Lane::Interactive).await);
        assert!(matches!(junk, PortalError::Refused { status: 400 | 404, .. }), "{version} {junk:?}");
    }
}

#[tokio::test]
async fn what_the_portal_rejects() {
    for version in Version::ALL {
        let simulator = start(config(version)).await;
        let portal = portal_to(&simulator);
        let mut user = wanted(&portal, " ", &[INTERNAL]).await;
        let failure = error(portal.create_slot().await.unwrap().create(user.clone()).await);
        let rejected = PortalError::Refused {
            refusal: Refusal::Request,
            status: 400,
            code: "SERVICE_NAME_EMPTY_ARGUMENT",
        };
        assert_eq!(failure.error, rejected, "{version}");
        user.name = "n".into();
        user.role_ids = vec!["no-uuid".into()];
        let failure = error(portal.create_slot().await.unwrap().create(user).await);
        assert_eq!(
            failure.error,
            PortalError::Refused { refusal: Refusal::Request, status: 400, code: "other" },
            "{version}"
        );
        assert!(simulator.users(COMPANY).iter().all(|user| user.name != "n"));
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    for version in Version::ALL {
        let simulator = start(crate::simulated::config_with(version, &["view_tech_user_management"])).await;
        let portal = portal_to(&simulator);
        let id = UserId::new("0b6c1f4e-2222-4444-8888-1234567890ab");
        let forbidden = |permission| PortalError::Forbidden { permission };
        assert_eq!(
            error(portal.roles(Lane::Interactive).await),
            forbidden("technical_roles_management"),
            "{version}"
        );
        assert_eq!(error(portal.reset(&id).await), forbidden("add_tech_user_management"), "{version}");
        assert_eq!(error(portal.delete(&id).await), forbidden("delete_tech_user_management"), "{version}");
        assert!(!portal.login().await.unwrap().permissions.create);

        let simulator = start(crate::simulated::config_with(version, &[])).await;
        let portal = portal_to(&simulator);
        assert_eq!(error(portal.roles(Lane::Interactive).await), PortalError::Unauthorized, "{version}");
    }
}

#[tokio::test]
async fn a_client_that_is_gone_from_the_identity_provider() {
    for version in Version::ALL {
        let simulator = start(config(version)).await;
        let portal = portal_to(&simulator);
        let user = create(&portal, "edc", &[INTERNAL]).await.remove(0);
        let _ = simulator.remove_idp_client(user.client_id.as_deref().unwrap());
        let lost = PortalError::ClientMissing;
        assert_eq!(error(portal.details(&user.id, Lane::Interactive).await), lost, "{version}");
        assert_eq!(error(portal.reset(&user.id).await), lost, "{version}");
        assert_eq!(error(portal.delete(&user.id).await), lost, "{version}");
    }
}

/// No secret that was ever handed out may be in the text.
fn assert_no_secret(simulator: &Simulator, text: &str) {
    for secret in simulator.secrets_handed_out() {
        assert!(!text.contains(&secret), "a secret is in {text}");
    }
}

#[tokio::test]
async fn every_version_shows_the_values_of_the_data_space_to_a_login_that_may_read_them() {
    for version in Version::ALL {
        let permissions = [&ALL[..], &["view_company_data"]].concat();
        let simulator = start(config_with(version, &permissions)).await;
        let portal = portal_to(&simulator);
        assert!(portal.login().await.unwrap().permissions.dataspace);
        let shown = portal.dataspace(Lane::Background).await.unwrap().unwrap();
        assert_eq!(shown.company.as_deref(), Some(BPN), "{version:?}");
        let wallet = format!("{}/api/sts", simulator.wallet_url());
        assert_eq!(shown.values.wallet_url, Some(wallet), "{version:?}");
        assert!(shown.values.did.is_some() && shown.values.bdrs_url.is_some(), "{version:?}");
    }
}
