//! Users of the portal that bear this installation's mark while no resource claims them: listed, and deleted or taken over by a person
//! alone.

use std::collections::BTreeMap;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Status, UserSeed, UserView};
use serde_json::{Value, json};
use technical_user_operator::domain::identity::{Mark, Owner};

use crate::support::{
    CONNECTOR_LOGIN, FULL_LOGIN, PORTAL, World, connected, create, portal_status, recorded, world,
};

fn now(world: &World, user: &UserView) -> UserView {
    world.simulator.users("One").into_iter().find(|now| now.id == user.id).unwrap()
}

#[tokio::test]
async fn a_user_without_a_resource_is_listed_until_one_claims_it() {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let mark = world.mark_of(world.owner("lost")).await;
    let ours = world.seed_marked(&mark);
    let of_another = Owner { instance: "other".into(), ..mark.owner.clone() };
    world.seed_marked(&Mark { owner: of_another, ..mark.clone() });
    world.seed_marked(&Mark { owner: world.owner("left"), retained: true, ..mark });
    let portal =
        world.portal_until("the user is listed", |portal| !portal_status(portal).unclaimed.is_empty()).await;
    let resource = format!("{}/lost", world.namespace);
    assert_eq!(
        json!(portal.unclaimed),
        json!([{ "id": ours.id, "name": ours.name, "technicalUser": resource }])
    );
    world.more_lists_answered(2).await;
    assert!(world.simulator.users("One").contains(&ours), "it is not touched");

    world.apply(&create("lost", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.portal_until("a resource claims it", |portal| portal_status(portal).unclaimed.is_empty()).await;
    let user =
        world.until("lost", "its user is recorded", |user| recorded(user).id == ours.id.to_string()).await;
    assert_eq!(recorded(&user).generation, Some(1));
}

/// Runs `unclaimed` as an administrator of the cluster; its exit code and what it said.
async fn unclaimed(world: &World, arguments: &[&str]) -> (i32, String) {
    let place = ["--portal", PORTAL, "-n", &world.namespace, "--allow-insecure-http"];
    let arguments = [arguments, &place].concat();
    let (code, said) = world.command("unclaimed", &arguments, world.plane.admin_kubeconfig()).await;
    (code.unwrap(), said)
}

#[tokio::test]
async fn a_person_deletes_one_of_them_and_the_others_stay() {
    let world = connected(world().login(CONNECTOR_LOGIN)).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let mark = world.mark_of(world.owner("lost")).await;
    let lost = world.seed_marked(&mark);
    let other = world.seed_marked(&Mark { owner: world.owner("other"), ..mark.clone() });
    let elsewhere = Owner { instance: "elsewhere".into(), ..mark.owner.clone() };
    let elsewhere = world.seed_marked(&Mark { owner: elsewhere, ..mark.clone() });
    let retained = world.seed_marked(&Mark { owner: world.owner("kept"), retained: true, ..mark });
    let (used, writes) = (world.user_of("edc"), world.portal_writes());

    let (code, said) = unclaimed(&world, &["list", "-o", "json"]).await;
    assert_eq!(code, 0, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let users = said["users"].as_array().unwrap();
    let clusters: BTreeMap<&str, &str> =
        users.iter().map(|user| (user["id"].as_str().unwrap(), user["cluster"].as_str().unwrap())).collect();
    let id = |user: &UserView| user.id.to_string();
    let (lost_id, other_id, elsewhere_id) = (id(&lost), id(&other), id(&elsewhere));
    assert_eq!(
        clusters,
        BTreeMap::from([
            (lost_id.as_str(), "This"),
            (other_id.as_str(), "This"),
            (elsewhere_id.as_str(), "OtherInstallation"),
        ])
    );
    let of_lost = users.iter().find(|user| user["id"] == lost_id).unwrap();
    assert_eq!(of_lost["technicalUser"], format!("{}/lost", world.namespace));

    // Nothing but what a person confirms is deleted, and no user that something has.
    for (user, options, why) in [
        (&lost, &[][..], "Nothing was deleted"),
        (&used, &["--yes"][..], "TechnicalUser"),
        (&elsewhere, &["--yes"][..], "--other-cluster"),
        (&retained, &["--yes"][..], "is kept in the portal"),
    ] {
        let id = id(user);
        let (code, said) = unclaimed(&world, &[&["delete", "--user", &id], options].concat()).await;
        assert!(code == 1 && said.contains(why), "{code} {said}");
    }
    world.apply(&create("reader", &world.namespace, "of no role")).await;
    let names_it = json!({"metadata": {"annotations": {"example.org/user": lost_id}}});
    world.patch_user("reader", &names_it).await;
    let (code, said) = unclaimed(&world, &["delete", "--user", &lost.name, "--yes"]).await;
    assert!(code == 1 && said.contains("/reader"), "{code} {said}");
    world.delete("reader").await;
    world.gone("reader").await;
    let (code, said) = unclaimed(&world, &["delete", "--user", &lost.name, "--yes"]).await;
    assert!(code == 1 && said.contains("delete_tech_user_management is missing"), "{code} {said}");
    assert_eq!(world.portal_writes(), writes, "nothing was changed in the portal");

    // The Portal's login for deletions is used.
    world.login_secret("delete-login", FULL_LOGIN).await;
    let auth = json!({"clientCredentials": {"secretRef": {"name": "delete-login"}}});
    world.patch_portal(&json!({"spec": {"catenaX": {"deleteAuth": auth}}})).await;

    let (code, said) = unclaimed(&world, &["delete", "--user", &lost.name, "--yes"]).await;
    assert!(code == 0 && said.ends_with(&format!("User {lost_id} was deleted")), "{code} {said}");
    let (code, _) = unclaimed(&world, &["delete", "--user", &elsewhere_id, "--yes", "--other-cluster"]).await;
    assert_eq!(code, 0);
    let statuses: Vec<Status> =
        [&lost, &elsewhere, &other, &retained, &used].map(|user| now(&world, user).status).into();
    assert_eq!(statuses, [Status::Deleted, Status::Deleted, Status::Active, Status::Active, Status::Active]);

    // A person who may not list all resources cannot know that none has the user.
    let token = world.plane.service_account_token(&world.namespace, "default").await.unwrap();
    let kubeconfig = world.plane.kubeconfig_for_token(&token, None).unwrap();
    let id = id(&other);
    let arguments = ["delete", "--user", &id, "--yes", "--portal", PORTAL, "-n", &world.namespace];
    let (code, said) = world.command("unclaimed", &arguments, &kubeconfig).await;
    assert!(code == Some(1) && said.contains("cannot be listed"), "{code:?} {said}");
    assert_eq!(now(&world, &other).status, Status::Active);
}

#[tokio::test]
async fn a_user_whose_resource_is_gone_serves_another_one() {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let mark = world.mark_of(world.owner("gone")).await;
    let seed = UserSeed::new("One", &mark.owner.user_name(1, None)).description(&mark.describe(None));
    let user = world.simulator.seed_user(seed.roles([DATASPACE_DISCOVERY])).unwrap();
    world.portal_until("the user is listed", |portal| !portal_status(portal).unclaimed.is_empty()).await;
    let (id, into) = (user.id.to_string(), format!("{}/heir", world.namespace));
    let adopt = ["adopt", "--user", &id, "--into", &into];

    let rule = json!({"namespaces": {"from": "Same"}});
    world.patch_portal(&json!({"spec": {"access": [rule]}})).await;
    let (code, said) = unclaimed(&world, &adopt).await;
    assert!(code == 1 && said.contains("adopt: true"), "{code} {said}");
    let rule = json!({"namespaces": {"from": "Same"}, "adopt": true});
    world.patch_portal(&json!({"spec": {"access": [rule]}})).await;
    let (code, said) = unclaimed(&world, &adopt).await;
    let printed: Value = serde_saphyr::from_str(&said).unwrap();
    assert!(code == 0 && printed["spec"]["user"]["create"]["adopt"] == json!({"id": id}), "{code} {said}");
    assert!(world.user("heir").await.is_none(), "it is only printed");
    let (code, said) = unclaimed(&world, &[&adopt[..], &["--apply"]].concat()).await;
    assert_eq!(code, 0, "{said}");

    let ready = world.ready("heir").await;
    assert_eq!((recorded(&ready).id, recorded(&ready).generation), (id.clone(), Some(1)));
    let taken = now(&world, &user);
    assert_eq!((&taken.name, &taken.secret), (&user.name, &user.secret));
    assert!(taken.description.contains(&format!("/{into} g1")), "{}", taken.description);
    assert_eq!(world.count(Endpoint::Create), 0, "no second user is created");
    world.portal_until("it is listed no more", |portal| portal_status(portal).unclaimed.is_empty()).await;
    let (code, said) = unclaimed(&world, &["delete", "--user", &id, "--yes"]).await;
    assert!(code == 1 && said.contains(&into), "{code} {said}");

    // Retained when its resource is deleted, it serves one more.
    world.patch_user("heir", &json!({"spec": {"deletionPolicy": "Retain"}})).await;
    world.delete("heir").await;
    world.gone("heir").await;
    world.portal_until("it is retained", |portal| !portal_status(portal).retained.is_empty()).await;
    let mut last = create("last", &world.namespace, DATASPACE_DISCOVERY);
    last["spec"]["user"]["create"]["adopt"] = json!({"id": id});
    world.apply(&last).await;
    assert_eq!(recorded(&world.ready("last").await).id, id);
    world
        .portal_until("it is not retained any more", |portal| portal_status(portal).retained.is_empty())
        .await;
    world.delete("last").await;
    world.gone("last").await;
    assert_eq!(now(&world, &user).status, Status::Deleted);
}
