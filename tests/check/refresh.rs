//! A person's login: its token changes with each use, and the file with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use portal_simulator::{Action, Caller, Endpoint, Fault, Simulator, Stage, Version};
use technical_user_operator::check::Pace;

use crate::support::{
    ALL, COMPANY, Said, Scratch, addresses, check_at, quick, shows_no_secret, start, with_caller,
};

const FIRST: &str = "the-first-refresh-token";

async fn simulator() -> Simulator {
    start(with_caller(Version::V2_6, Caller::with_permissions("admin", FIRST, ALL).of(COMPANY).human())).await
}

async fn check_as_person(simulator: &Simulator, file: &str, pace: Pace) -> Said {
    let mut arguments = addresses(simulator);
    arguments.extend(["--refresh-token-file", file].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = check_at(pace, &arguments).await;
    shows_no_secret(simulator, &said);
    said.has_not(FIRST);
    said
}

#[tokio::test]
async fn the_new_token_is_in_the_file_before_the_access_token_is_used() {
    let simulator = simulator().await;
    let scratch = Scratch::new();
    let file = scratch.file("token", &format!("{FIRST}\n"));
    let gate = simulator.gate(Endpoint::Roles, Stage::Arrived);
    let (said, ()) = tokio::join!(check_as_person(&simulator, &file, quick()), async {
        gate.reached().await;
        let stored = fs::read_to_string(&file).unwrap();
        assert!(!stored.contains(FIRST) && simulator.secrets_handed_out().iter().any(|s| s == stored.trim()));
        gate.release();
    });
    said.is(0).has("obtained for a person's login").step("ok", "delete");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(scratch.entries(), 1, "no other file is left");
    check_as_person(&simulator, &file, quick()).await.is(0);
    assert_eq!(simulator.count(Endpoint::Refresh), 2);
}

#[tokio::test]
async fn behind_a_link_the_file_changes_and_the_link_is_kept() {
    let simulator = simulator().await;
    let (scratch, links) = (Scratch::new(), Scratch::new());
    let file = scratch.file("token", FIRST);
    let link = links.file("link", "");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    check_as_person(&simulator, &link, quick()).await.is(0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(!fs::read_to_string(&file).unwrap().contains(FIRST));
    assert_eq!((scratch.entries(), links.entries()), (1, 1));
}

#[tokio::test]
async fn a_file_that_cannot_be_rewritten_costs_no_token() {
    let simulator = simulator().await;
    let scratch = Scratch::new();
    // Root writes everywhere but here.
    for (file, words) in [
        ("/proc/version".to_owned(), "/proc/version cannot be rewritten"),
        ("/absent".to_owned(), "cannot read /absent"),
        (scratch.file("empty", "\n"), "is empty"),
    ] {
        let said = check_as_person(&simulator, &file, quick()).await;
        said.is(1).step("FAIL", "token").has(words).has("nothing was sent");
    }
    assert!(simulator.calls().is_empty());
}

#[tokio::test]
async fn one_lost_answer_is_forgiven() {
    let simulator = simulator().await;
    let scratch = Scratch::new();
    let file = scratch.file("token", FIRST);
    simulator.inject(Fault::at(Endpoint::Refresh, Action::DoneButAnswerLost).once());
    // The client itself returns a failure again for 2 s.
    let patient = Pace { pause: Duration::from_millis(2200), ..quick() };
    check_as_person(&simulator, &file, patient).await.is(0);
    assert_eq!(simulator.count(Endpoint::Refresh), 2);
    assert!(!fs::read_to_string(&file).unwrap().contains(FIRST));
}

#[tokio::test]
async fn a_token_that_is_used_up_is_reported() {
    let simulator = simulator().await;
    let scratch = Scratch::new();
    let file = scratch.file("token", "some-other-token");
    let said = check_as_person(&simulator, &file, quick()).await;
    said.is(1).step("FAIL", "token").has("a person has to log in again").has_not("some-other-token");
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), "some-other-token");
}
