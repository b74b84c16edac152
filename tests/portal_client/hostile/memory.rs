//! How much memory a portal can make the client take. The client runs in a process of its own, whose highest resident set
//! is compared with that of a client of a portal that means well.

use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::domain::user::{Credential, NewUser, UserId};
use technical_user_operator::portal::{Lane, Portal, Scan};

use super::{listed, page_of, with};
use crate::stub::{PERMISSIONS, Reply, Seen, Stub, jwt, messages, tokens};
use crate::support::{LOGIN_SECRET, client_credentials, connection, portal};

/// What a portal may cost, beyond one that means well.
const MOST_EXTRA_KIB: u64 = 32 << 10;

/// Calls in progress at once, as many as a Portal allows at most.
const AT_ONCE: usize = 64;

/// The highest resident set, in KiB, of a client that calls this server.
async fn peak_against(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> u64 {
    let stub = Stub::start(answer).await;
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hostile::memory::in_a_process_of_its_own", "--ignored", "--nocapture"])
        .env("TEST_ORIGIN", &stub.origin)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    let peak = said.lines().find_map(|line| line.split("peak: ").nth(1)?.trim().parse().ok());
    peak.unwrap_or_else(|| panic!("{said} {}", String::from_utf8_lossy(&child.stderr)))
}

#[tokio::test]
#[ignore = "a child process of a_hostile_portal_costs_at_most_32_mib, which runs it: cargo test --test portal_client hostile::memory"]
async fn in_a_process_of_its_own() {
    let Ok(origin) = std::env::var("TEST_ORIGIN") else { return };
    let token_url = format!("{origin}/token");
    let portal = portal(connection(&origin, &token_url, client_credentials("sa1", LOGIN_SECRET)));
    let _any = portal.login().await;
    // The last reading is kept while the next is read, as the operator does.
    let mut last: Option<Scan> = None;
    for _ in 0..2 {
        if let Ok(scan) = portal.scan(Lane::Background).await {
            last = Some(scan);
        }
    }
    let id = UserId::new("a");
    let credential = Credential::with_secret("a".into(), "b".into(), token_url);
    let calls = (0..AT_ONCE).map(async |_| {
        let _any = portal.details(&id, Lane::Background).await;
        let _any = portal.roles(Lane::Background).await;
        let _any = portal.reset(&id).await;
        let _any = portal.verify(&credential, Lane::Background).await;
        if let Ok(slot) = portal.create_slot().await {
            let user = NewUser { name: "n".into(), description: "d".into(), role_ids: Vec::new() };
            let _any = slot.create(user).await;
        }
    });
    futures::future::join_all(calls).await;
    let users = last.map_or(0, |scan| scan.users.len());
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("users: {users}, peak: {}", peak.trim().trim_end_matches(" kB"));
}

fn with_login(seen: &Seen, answer: impl FnOnce() -> Reply) -> Reply {
    match seen.what() {
        "token" => tokens(&jwt("sa1", &PERMISSIONS), 300),
        "errormessage" => messages(),
        _ => answer(),
    }
}

/// A page of the most users that there may be, with names of this length.
fn full_page(number: usize, length: usize) -> Reply {
    let users: Vec<Value> = (0..15)
        .map(|entry| {
            let id = format!("{:036}", number * 15 + entry);
            let linked = json!({"id": id, "name": "x".repeat(length)});
            let user = listed(&id, &format!("{}{number}", "ä".repeat(length / 2)));
            with(with(user, "connector", linked.clone()), "offer", linked)
        })
        .collect();
    Reply::json(200, &page_of(21_990, 1_466, &users))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_portal_costs_at_most_32_mib() {
    let calm =
        peak_against(|seen, _| with_login(seen, || Reply::json(200, &page_of(1, 1, &[listed("a", "a")]))))
            .await;
    let mut report = vec![format!("calm: {calm} KiB")];
    let many: Vec<Value> = (0..147_000).map(|_| json!({"serviceAccountId": "a"})).collect();
    let many = Reply::json(200, &page_of(147_000, 1, &many));
    let small_values = format!("[{}1]", "1,".repeat(30_000));
    let small_lists = format!(r#"{{"errors":{{"a":[{}[]]}},"details":[]}}"#, "[],".repeat(20_000));
    let cases: Vec<(&str, u64)> = vec![
        ("endless", peak_against(|_, _| Reply::endless(200, &[b'['; 16 << 10], Duration::ZERO)).await),
        ("endless errors", {
            peak_against(|_, _| Reply::endless(500, &[b' '; 16 << 10], Duration::ZERO)).await
        }),
        ("many entries", peak_against(move |seen, _| with_login(seen, || many.clone())).await),
        ("all users", peak_against(|seen, _| with_login(seen, || full_page(seen.page(), 16))).await),
        ("long names", peak_against(|seen, _| with_login(seen, || full_page(seen.page(), 250))).await),
        ("small values", peak_against(move |_, _| Reply::text(200, &small_values)).await),
        ("errors of small lists", peak_against(move |_, _| Reply::text(400, &small_lists)).await),
        ("a long token", peak_against(|_, _| tokens(&jwt(&"s".repeat(20_000), &PERMISSIONS), 300)).await),
    ];
    report.extend(cases.iter().map(|(name, peak)| format!("{name}: +{} KiB", peak.saturating_sub(calm))));
    println!("{}", report.join("\n"));
    for (name, peak) in cases {
        assert!(peak <= calm + MOST_EXTRA_KIB, "{name}: {peak} KiB, calm {calm} KiB");
    }
}
