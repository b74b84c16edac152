//! Lists (portal contract, sections 2.1 and 4.3; checklist of section 13, items 1, 4 and 6).

use std::collections::BTreeSet;

use portal_simulator::{OfferSeed, Status, UserSeed, Version};
use serde_json::{Value, json};

use crate::world::{DISCOVERY, WALLET, World};

fn names(page: &Value) -> Vec<&str> {
    page["content"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

/// Entries and distinct ids of a whole scan.
async fn scan(world: &World, size: usize, filter: &str) -> (u64, Vec<String>) {
    let (mut ids, mut page, mut total) = (Vec::new(), 0, 0);
    loop {
        let body = world.list(&format!("page={page}&size={size}{filter}")).await.json();
        for entry in body["content"].as_array().unwrap() {
            ids.push(entry["serviceAccountId"].as_str().unwrap().to_owned());
        }
        page += 1;
        total = total.max(body["meta"]["totalElements"].as_u64().unwrap());
        if page >= body["meta"]["totalPages"].as_u64().unwrap() {
            return (total, ids);
        }
    }
}

/// Portal contract, section 2.1: equal names make the pages lie, the same at each try, and each filter by a digit
/// of the client id makes a list of its own.
#[tokio::test]
async fn equal_names_fall_on_no_page_or_on_two() {
    let world = World::main().await;
    for _ in 0..300 {
        world.sim.seed_user(UserSeed::new("One", "Some App")).unwrap();
    }
    let (total, first) = scan(&world, 15, "").await;
    assert_eq!(first.len() as u64, total);
    let distinct: BTreeSet<&String> = first.iter().collect();
    assert!(distinct.len() < first.len(), "some users are on two pages");
    assert_eq!(scan(&world, 15, "").await.1, first, "the same at each try");
    assert_ne!(scan(&world, 14, "").await.1, first, "other page sizes give another order");

    let mut found: BTreeSet<String> = BTreeSet::new();
    for digit in 0..10 {
        found.extend(scan(&world, 15, &format!("&clientId=sa{digit}")).await.1);
        found.extend(scan(&world, 15, &format!("&clientId={digit}")).await.1);
    }
    assert!(found.len() > distinct.len(), "narrowed lists find more");
}

/// Portal contract, section 2.1: the shares of a real run with 358 users, 340 of them of one name.
#[tokio::test]
async fn about_as_many_are_lost_as_in_the_real_service() {
    let world = World::main().await;
    let others = 358 - 340 - world.sim.users("One").len();
    for number in 0..others {
        world.sim.seed_user(UserSeed::new("One", &format!("z{number}"))).unwrap();
    }
    for _ in 0..340 {
        world.sim.seed_user(UserSeed::new("One", "Some App")).unwrap();
    }
    let (total, ids) = scan(&world, 15, "").await;
    assert_eq!((total, ids.len()), (358, 358));
    let distinct = ids.iter().collect::<BTreeSet<_>>().len();
    assert!((270..=340).contains(&distinct), "301 in the real service, here {distinct}");
}

/// Portal contract, section 2.1: a name that nobody else uses has a certain place.
#[tokio::test]
async fn a_name_of_its_own_is_always_found() {
    let world = World::main().await;
    for number in 0..60 {
        world.sim.seed_user(UserSeed::new("One", "Some App")).unwrap();
        world.sim.seed_user(UserSeed::new("One", &format!("own-{number:02}"))).unwrap();
    }
    let mut own = Vec::new();
    for page in 0..9 {
        let body = world.list(&format!("page={page}&size=15")).await.json();
        own.extend(names(&body).iter().filter(|name| name.starts_with("own-")).map(|&name| name.to_owned()));
    }
    let wanted: Vec<String> = (0..60).map(|number| format!("own-{number:02}")).collect();
    assert_eq!(own, wanted);
}

/// Portal contract, section 2.1: size 1 to 15, defaults only from 2.6.
#[tokio::test]
async fn page_and_size_have_their_limits() {
    let world = World::main().await;
    for (query, status) in [
        ("page=0&size=1", 200),
        ("page=0&size=15", 200),
        ("page=0&size=16", 400),
        ("page=0&size=0", 400),
        ("page=0&size=-1", 400),
        ("page=-1&size=15", 400),
        ("page=0&size=99999999999", 400),
        ("page=0&size=", 400),
        ("PAGE=0&Size=1", 200),
    ] {
        assert_eq!(world.list(query).await.status, status, "{query}");
    }
    assert_eq!(world.list("page=0&size=16").await.keys(), ["size"]);
    assert_eq!(world.list("page=0&size=99999999999").await.keys(), ["size"]);

    assert_eq!(world.list("").await.status, 200);
    for (version, status) in [(Version::V2_5, 400), (Version::V2_6, 200)] {
        world.sim.set_version(version);
        assert_eq!(world.list("page=0").await.status, status, "size missing in {version}");
        assert_eq!(world.list("size=3").await.status, 200, "page missing in {version}");
    }
}

#[tokio::test]
async fn the_totals_are_correct() {
    let world = World::main().await;
    for number in 0..20 {
        world.user(&format!("user-{number:02}")).await;
    }
    let total = world.sim.users("One").len();
    let meta = world.list("page=1&size=7").await.json()["meta"].clone();
    assert_eq!(
        meta,
        json!({"totalElements": total, "totalPages": total.div_ceil(7), "page": 1, "contentSize": 7})
    );
    let past = world.list("page=100&size=7").await.json();
    assert_eq!(past["meta"]["page"], 100);
    assert_eq!((&past["meta"]["contentSize"], &past["meta"]["totalElements"]), (&json!(0), &json!(total)));
    let none = world.list("page=5&size=7&clientId=nothing-like-it").await.json();
    assert_eq!(
        none,
        json!({"meta": {"totalElements": 0, "totalPages": 0, "page": 0, "contentSize": 0}, "content": []})
    );
}

/// Portal contract, section 2.1: a part of the client id, in any letter case; `%` and `_` are no wildcards; users
/// without a client id never match.
#[tokio::test]
async fn the_client_id_filter_takes_parts() {
    let world = World::main().await;
    world.sim.seed_user(UserSeed::new("One", "a").client_id("sa-Alpha_1")).unwrap();
    world.sim.seed_user(UserSeed::new("One", "b").client_id("sa-alphax1")).unwrap();
    world.create("pending", &[WALLET]).await;
    let found = async |filter: &str| {
        let body = world.list(&format!("page=0&size=15&clientId={filter}")).await.json();
        names(&body).iter().map(|&name| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("ALPHA").await, ["a", "b"]);
    assert_eq!(found("alpha_").await, ["a"]);
    assert_eq!(found("%25").await, Vec::<String>::new());
    assert!(!found("").await.is_empty(), "an empty filter is none");
}

/// Portal contract, section 2.1: which statuses are listed.
#[tokio::test]
async fn statuses_are_filtered() {
    let world = World::main().await;
    for (name, status) in [
        ("u-active", Status::Active),
        ("u-inactive", Status::Inactive),
        ("u-deleted", Status::Deleted),
        ("u-pending", Status::Pending),
        ("u-leaving", Status::PendingDeletion),
    ] {
        world.sim.seed_user(UserSeed::new("One", name).client_id(name).status(status)).unwrap();
    }
    let found = async |filter: &str| {
        let body = world.list(&format!("page=0&size=15&clientId=u-{filter}")).await.json();
        names(&body).join(" ")
    };
    assert_eq!(found("").await, "u-active u-leaving u-pending");
    assert_eq!(found("&filterForInactive=true").await, "u-inactive");
    assert_eq!(found("&filterForInactive=True&userStatus=ACTIVE").await, "u-active");
    assert_eq!(found("&userStatus=deleted&userStatus=Inactive").await, "u-deleted u-inactive");
    assert_eq!(found("&userStatus=4").await, "u-pending", "integers are accepted in the query");
    assert_eq!(world.list("page=0&size=1&userStatus=6").await.keys(), ["userStatus"]);
    assert_eq!(world.list("page=0&size=1&isOwner=perhaps").await.keys(), ["isOwner"]);

    world.sim.set_version(Version::V2_1);
    assert_eq!(found("").await, "u-active u-pending");
    assert_eq!(world.list("page=0&size=1&userStatus=PENDING_DELETION").await.status, 400);
}

/// Portal contract, sections 4.1 and 4.3: who owns, who provides, who sees.
#[tokio::test]
async fn ownership_decides_what_is_seen() {
    let world = World::main().await;
    let offer =
        || OfferSeed { provider: "Two".to_owned(), name: "Some App".to_owned(), subscription_active: true };
    let managed = world.sim.seed_user(UserSeed::new("One", "managed").managed(offer())).unwrap();
    let theirs = world.sim.seed_user(UserSeed::new("One", "theirs").provider_owned(offer())).unwrap();
    let listed = async |caller: &str, filter: &str| {
        let call = format!("GET /serviceaccount/owncompany/serviceaccounts?page=0&size=15{filter}");
        let body = world.call(caller, &call, None).await.json();
        let entries = body["content"].as_array().unwrap().clone();
        entries
            .into_iter()
            .filter(|entry| !entry["offer"].is_null())
            .map(|entry| {
                format!("{} {} {}", entry["name"].as_str().unwrap(), entry["isOwner"], entry["isProvider"])
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("admin", "").await, ["managed true false"]);
    assert_eq!(listed("other", "").await, ["managed false true", "theirs true true"]);
    assert_eq!(listed("other", "&isOwner=true").await, ["theirs true true"]);
    assert_eq!(listed("other", "&isOwner=false").await, ["managed false true", "theirs true true"]);
    assert_eq!(listed("admin", "&isOwner=false").await, Vec::<String>::new());

    let details = world.details(managed.id).await.json();
    assert_eq!(details["companyServiceAccountTypeId"], "MANAGED");
    assert_eq!(details["offer"]["name"], "Some App");
    assert_eq!(world.details(theirs.id).await.verdict(), (404, "SERVICE_ACCOUNT_NOT_FOUND".to_owned()));
    // A subscription in force protects its users, and the update reports the subscription.
    let subscription = details["offer"]["subscriptionId"].clone();
    assert_eq!(world.update(managed.id, "managed").await.json()["subscriptionId"], subscription);
    assert_eq!(world.delete(managed.id).await.code(), "SERVICE_USERID_ACTIVATION_ACTIVE_CONFLICT");
}

/// Portal contract, section 4.3: one company does not see the other's users.
#[tokio::test]
async fn companies_are_apart() {
    let world = World::main().await;
    let mine = world.user("mine").await;
    let call = "GET /serviceaccount/owncompany/serviceaccounts?page=0&size=15";
    let theirs = world.call("other", call, None).await.json();
    assert_eq!(names(&theirs), ["other"]);
    for (caller, status) in [("admin", 200), ("other", 404)] {
        let call = format!("GET /serviceaccount/owncompany/serviceaccounts/{}", mine.id);
        assert_eq!(world.call(caller, &call, None).await.status, status);
    }
    assert_eq!(world.create("x", &[DISCOVERY]).await.status, 200);
}

/// Portal contract, section 0, fact 5: names are kept exactly and may repeat; order by name.
#[tokio::test]
async fn the_order_is_by_name() {
    let world = World::main().await;
    for name in ["b", "A", "a", "C", "-1", "10", "9"] {
        world.sim.seed_user(UserSeed::new("One", name).client_id(&format!("order-{name}"))).unwrap();
    }
    let body = world.list("page=0&size=15&clientId=order").await.json();
    assert_eq!(names(&body), ["-1", "10", "9", "a", "A", "b", "C"]);
}

/// Section 14 speaks of portals with 11,000 users: the simulator bears them.
#[tokio::test]
async fn many_users() {
    let world = World::main().await;
    for number in 0..11_000 {
        world.sim.seed_user(UserSeed::new("One", &format!("user-{:05}", number * 7919 % 11_000))).unwrap();
    }
    let page = world.list("page=700&size=15&clientId=sa").await.json();
    assert_eq!(page["meta"]["totalElements"], 11_000);
    let names = names(&page);
    assert_eq!((names[0], names[14]), ("user-10500", "user-10514"));
}
