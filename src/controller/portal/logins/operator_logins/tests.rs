use super::*;

fn key(name: &str) -> Key {
    Key { namespace: "n".into(), name: name.into() }
}

fn place(url: &str, token: &str) -> LoginPlace {
    LoginPlace::new(url, token)
}

fn here() -> LoginPlace {
    place("https://p", "https://idp/token")
}

/// The Secrets of a Portal name these client IDs.
fn configure(logins: &OperatorLogins, portal: &str, client_ids: &[&str]) -> LoginChanges {
    let client_ids = client_ids.iter().map(ToString::to_string).collect();
    logins.configure(&key(portal), &here(), &client_ids, true)
}

fn use_now(logins: &OperatorLogins, portal: &str, client_id: &str) -> LoginChanges {
    logins.use_now(&key(portal), &here(), [&client_id.to_owned()])
}

#[tokio::test]
async fn a_login_is_one_of_every_portal_at_the_same_place() {
    let logins = OperatorLogins::default();
    let backend = place("https://P:443/api/administration", "https://idp/a/token");
    let new = logins.configure(&key("a"), &backend, &["sa1".to_owned()].into(), true);
    assert_eq!(new.new, ["sa1"]);
    let spelled =
        logins.configure(&key("b"), &place("https://p/", "https://x"), &["SA1".to_owned()].into(), true);
    assert_eq!(spelled, LoginChanges::default(), "known already");
    logins.use_now(&key("c"), &place("https://other", "https://IDP/a/token"), [&"sa2".to_owned()]);
    let here = logins.at(&place("https://p", "https://idp/a/token"));
    assert!(here.is_known("sa1") && !here.is_in_use("sa1"));
    assert!(here.is_in_use("sa2"), "the same token endpoint");
    let elsewhere = logins.at(&place("https://q", "https://idp/b/token"));
    assert!(!elsewhere.is_known("sa1") && !elsewhere.is_known("sa2"));
}

#[tokio::test(start_paused = true)]
async fn a_client_id_that_is_named_by_mistake_counts_until_the_secret_is_read_again() {
    let logins = OperatorLogins::default();
    assert_eq!(configure(&logins, "a", &["typo", "deletes"]).new, ["deletes", "typo"]);
    configure(&logins, "b", &["typo"]);
    let corrected = configure(&logins, "a", &["right", "deletes"]);
    assert_eq!(corrected, LoginChanges { new: vec!["right".into()], fewer: false });
    assert!(logins.at(&here()).is_known("typo"), "another Portal names it");
    assert!(logins.forget(&key("b")).fewer);
    assert!(!logins.at(&here()).is_known("typo"));
    let unread = logins.configure(&key("a"), &here(), &["right".to_owned()].into(), false);
    assert_eq!(unread, LoginChanges::default(), "the other Secret could not be read");
    assert!(logins.at(&here()).is_known("deletes"));
    assert!(configure(&logins, "a", &[]).fewer, "a person's login has no client ID");
    assert!(!logins.at(&here()).is_known("right"));
}

#[tokio::test(start_paused = true)]
async fn a_former_login_that_worked_is_protected_for_an_hour() {
    let logins = OperatorLogins::default();
    configure(&logins, "a", &["former"]);
    assert_eq!(use_now(&logins, "a", "former").new, ["former"]);
    tokio::time::advance(PROTECTED_FOR * 5).await;
    assert_eq!(configure(&logins, "a", &["Former"]), LoginChanges::default(), "it is still named");
    configure(&logins, "a", &["present"]);
    use_now(&logins, "a", "present");
    let is_protected = || logins.at(&here()).is_in_use("former");
    tokio::time::advance(PROTECTED_FOR.saturating_sub(Duration::from_secs(1))).await;
    assert!(is_protected());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!is_protected() && !logins.at(&here()).is_known("former"));
    assert!(logins.at(&here()).is_in_use("present"));
}

#[tokio::test(start_paused = true)]
async fn a_login_is_protected_while_its_secret_is_missing_and_while_the_operator_uses_it() {
    let logins = OperatorLogins::default();
    let serve = |client_id: &str| {
        logins.serve(&key("a"), Some((here(), [client_id.to_owned()].into())));
    };
    let is_protected = || logins.at(&here()).is_in_use("first");
    configure(&logins, "a", &["first"]);
    use_now(&logins, "a", "first");
    serve("first");
    let missing = logins.configure(&key("a"), &here(), &BTreeSet::new(), false);
    assert_eq!(missing, LoginChanges::default(), "its Secret is missing");
    tokio::time::advance(PROTECTED_FOR * 5).await;
    assert!(is_protected());
    configure(&logins, "a", &["does-not-work"]);
    serve("first");
    tokio::time::advance(PROTECTED_FOR * 5).await;
    assert!(is_protected(), "the operator still cleans up with it");
    serve("second");
    tokio::time::advance(PROTECTED_FOR.saturating_sub(Duration::from_secs(1))).await;
    assert!(is_protected() && logins.at(&here()).is_in_use("second"));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!is_protected());
    logins.serve(&key("a"), None);
    assert!(logins.at(&here()).is_in_use("second"), "for another hour");
    tokio::time::advance(PROTECTED_FOR).await;
    assert!(!logins.at(&here()).is_in_use("second"));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_worked_is_protected_for_an_hour_after_its_portal_is_deleted_or_changed() {
    let logins = OperatorLogins::default();
    for (portal, client_id) in [("gone", "sa1"), ("moved", "sa2")] {
        configure(&logins, portal, &[client_id, "does-not-work"]);
        use_now(&logins, portal, client_id);
        logins.tried(&key(portal));
    }
    logins.forget(&key("gone"));
    assert!(logins.tried(&key("gone")), "a new Portal of that name was not tried yet");
    logins.configure(&key("moved"), &place("https://q", "https://idp/q"), &["sa2".to_owned()].into(), true);
    tokio::time::advance(PROTECTED_FOR.saturating_sub(Duration::from_secs(1))).await;
    let before = logins.at(&here());
    assert!(before.is_in_use("sa1") && before.is_in_use("sa2") && !before.is_known("does-not-work"));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(logins.at(&here()), Logins::default());
}

#[tokio::test(start_paused = true)]
async fn portals_that_were_not_tried_are_waited_for_but_not_for_ever() {
    let logins = OperatorLogins::default();
    let both = || [key("a"), key("b")];
    assert!(logins.tried(&key("a")) && !logins.tried(&key("a")));
    assert_eq!(logins.untried(both()), Some(key("b")));
    tokio::time::advance(WAIT_FOR_PORTALS.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(logins.untried(both()), Some(key("b")));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(logins.untried(both()), None);
    assert_eq!(logins.untried([key("a")]), None);
}
