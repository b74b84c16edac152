use clap::CommandFactory;

use super::*;

fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::from_arguments(std::iter::once("tuo").chain(arguments.iter().copied()).map(OsString::from))
}

fn run(more: &[&str]) -> Result<RunArgs, clap::Error> {
    let mut arguments = vec!["run", "--instance", "prod", "--namespace", "own"];
    arguments.extend(more);
    match parse(&arguments)?.command {
        Command::Run(run) => Ok(*run),
        other => panic!("{other:?}"),
    }
}

fn some(names: &[&str]) -> WatchNamespaces {
    WatchNamespaces::Some(names.iter().map(ToString::to_string).collect())
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn what_is_not_given_has_a_default() {
    let run = run(&[]).unwrap();
    assert_eq!(run.installation.watch_namespaces(), some(&["own"]));
    assert_eq!(run.installation.lease_name(), "technical-user-operator-prod");
    assert!(!run.installation.leader_election && !run.installation.scoped_rbac);
    assert_eq!(run.listen, Listen::All(8080));
    assert_eq!((run.concurrency, run.log.format, run.log.filter.as_str()), (32, LogFormat::Text, "info"));
}

#[test]
fn without_a_pod_name_each_process_has_its_own_identity() {
    // clap asks once a process, so two of this test's runs would agree.
    assert_ne!(random_name(), random_name());
    assert!(run(&[]).unwrap().pod_name.starts_with("technical-user-operator-"));
    assert_eq!(run(&["--pod-name", "p-1"]).unwrap().pod_name, "p-1");
}

#[test]
fn every_setting_can_be_given() {
    let run = run(&[
        "--leader-election=true",
        "--scoped-rbac=true",
        "--lease-name",
        "mine",
        "--listen",
        "127.0.0.1:0",
        "--log-format",
        "json",
        "--log-filter",
        "debug",
        "--common-labels",
        "team=connector",
        "--concurrency",
        "64",
    ])
    .unwrap();
    assert!(run.installation.leader_election && run.installation.scoped_rbac);
    assert_eq!(run.common_labels, "team=connector".parse().unwrap());
    assert_eq!(run.listen, Listen::One("127.0.0.1:0".parse().unwrap()));
    assert_eq!((run.installation.lease_name().as_str(), run.concurrency), ("mine", 64));
    assert_eq!((run.log.format, run.log.filter.as_str()), (LogFormat::Json, "debug"));
}

#[test]
fn leader_election_is_a_flag_or_a_word() {
    assert!(run(&["--leader-election"]).unwrap().installation.leader_election);
    assert!(!run(&["--leader-election", "false"]).unwrap().installation.leader_election);
    assert!(run(&["--leader-election=perhaps"]).is_err());
}

#[test]
fn the_instance_is_short_and_plain() {
    for good in ["a", "0", "a-b-0", "aaaaaaaaaabbbbbbbbbb"] {
        assert_eq!(instance(good).as_deref(), Ok(good));
    }
    for bad in ["", "A", "a_b", "a.b", "ä", "aaaaaaaaaabbbbbbbbbbc"] {
        assert!(instance(bad).unwrap_err().contains("1 to 20 of a-z, 0-9 and -"), "{bad}");
    }
}

#[test]
fn bad_usage_is_exit_code_2() {
    for bad in [
        &["run", "--namespace", "own"][..],
        &["run", "--instance", "prod"],
        &["run", "--instance", "Prod", "--namespace", "own"],
        &["run", "--instance", "prod", "--namespace", "Own"],
        &["elsewhere"],
        &["crds", "more"],
        &["check"],
    ] {
        assert_eq!(parse(bad).unwrap_err().exit_code(), 2, "{bad:?}");
    }
    for bad in [
        "--concurrency=0",
        "--concurrency=65",
        "--common-labels=team",
        "--listen=8080",
        "--lease-name=",
        "--log-format=xml",
    ] {
        assert_eq!(run(&[bad]).unwrap_err().exit_code(), 2, "{bad}");
    }
}

#[test]
fn bad_usage_of_plan_does_not_say_that_something_would_be_done() {
    let code = |arguments: &[&str]| {
        let command = arguments.first().map(OsStr::new);
        exit_code(&parse(arguments).unwrap_err(), command)
    };
    assert_eq!(code(&["plan", "--no-such"]), 64);
    assert_eq!(code(&["plan", "--help"]), 0);
    assert_eq!(code(&["unclaimed", "delete"]), 2);
    assert_eq!(code(&[]), 2);
}

#[test]
fn namespaces_are_some_or_all() {
    let watched =
        |text: &str| run(&["--watch-namespaces", text]).map(|run| run.installation.watch_namespaces());
    assert_eq!(watched("*").unwrap(), WatchNamespaces::All);
    assert_eq!(watched("b, a,,b").unwrap(), some(&["b", "a"]));
    assert_eq!(watched("").unwrap(), some(&["own"]), "an empty variable is as good as none");
    for bad in ["a,*", "A", "-a", "a_b", &"a".repeat(64)] {
        assert!(watched(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_environment_has_these_names() {
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let names: Vec<_> = run.get_arguments().filter_map(|a| a.get_env()?.to_str()).collect();
    let expected = [
        "TUO_INSTANCE",
        "POD_NAMESPACE",
        "TUO_WATCH_NAMESPACES",
        "TUO_SCOPED_RBAC",
        "TUO_LEADER_ELECTION",
        "TUO_LEASE_NAME",
        "POD_NAME",
        "TUO_LISTEN",
        "TUO_COMMON_LABELS",
        "TUO_CONCURRENCY",
        "TUO_ALLOW_INSECURE_HTTP",
        "TUO_LOG_FORMAT",
        "TUO_LOG",
    ];
    assert_eq!(names, expected);
    let check = command.find_subcommand("check").unwrap();
    let names: Vec<_> = check.get_arguments().filter_map(|a| a.get_env()?.to_str()).collect();
    assert_eq!(names, ["TUO_ALLOW_INSECURE_HTTP"], "secrets do not pass through clap");
}

#[test]
fn definitions_take_no_settings() {
    assert!(matches!(parse(&["crds"]).unwrap().command, Command::Crds));
}
