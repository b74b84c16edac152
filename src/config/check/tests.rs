use clap::Parser;
use secrecy::ExposeSecret;

use super::*;
use crate::config::Command;

fn nothing(_: &str) -> Option<SecretString> {
    None
}

fn check(arguments: &str) -> Result<CheckArgs, clap::Error> {
    let words = ["tuo", "check"].into_iter().chain(arguments.split_whitespace());
    match Cli::try_parse_from(words)?.command {
        Command::Check(check) => Ok(*check),
        other => panic!("{other:?}"),
    }
}

/// As `check`, with all rules, in an empty environment.
fn valid(arguments: &str) -> Result<CheckArgs, clap::Error> {
    let check = check(arguments)?;
    check.validate_with(&nothing).map(|()| check)
}

const LOGIN: &str = "--client-id sa1 --client-secret-file /s";

#[test]
fn a_portal_is_named_by_a_manifest_or_by_its_addresses() {
    for manifest in ["portal.yaml", "--manifest portal.yaml"] {
        let check = valid(&format!("{manifest} {LOGIN}")).unwrap();
        assert_eq!(check.target(), Target::Manifest("portal.yaml".into()));
    }
    let check = valid(&format!("--url https://p/x --token-url https://t --bpn BPNL1 {LOGIN}")).unwrap();
    let Target::Addresses { url, token_url, bpn } = check.target() else { panic!("addresses") };
    assert_eq!(
        (url.as_str(), token_url.as_str(), bpn.as_deref()),
        ("https://p/x", "https://t/", Some("BPNL1"))
    );
    for bad in [
        "",
        "a.yaml --manifest b.yaml",
        "a.yaml --url https://p --token-url https://t",
        "--url https://p",
        "--token-url https://t",
        "--url p --token-url https://t",
        "a.yaml --bpn BPNL1",
    ] {
        assert_eq!(valid(&format!("{bad} {LOGIN}")).unwrap_err().exit_code(), 2, "{bad}");
    }
}

#[test]
fn a_login_is_a_client_or_a_refresh_token() {
    for good in [LOGIN, "--refresh-token-file /r", "--refresh-token-file /r --client-id web"] {
        assert!(valid(&format!("p.yaml {good}")).is_ok(), "{good}");
    }
    for bad in [
        "",
        "--client-id sa1",
        "--client-secret-file /s",
        "--refresh-token-file /r --client-id a --client-secret-file /s",
        "--refresh-token-file /r --delete-client-id sa2",
        "--refresh-token-file /r --delete-client-secret-file /d",
        "--refresh-token-file /r --client-secret s",
    ] {
        assert_eq!(valid(&format!("p.yaml {bad}")).unwrap_err().exit_code(), 2, "{bad}");
    }
    let deletion = "--delete-client-id sa2 --delete-client-secret-file /d";
    assert_eq!(
        valid(&format!("p.yaml {LOGIN} {deletion}")).unwrap().delete_client_id.as_deref(),
        Some("sa2")
    );
}

#[test]
fn the_environment_may_hold_the_secrets() {
    let set = |name: &str| Some(SecretString::from(format!("of {name}")));
    let check = check("p.yaml --client-id sa1 --delete-client-id sa2").unwrap();
    assert!(check.validate_with(&nothing).is_err());
    assert!(check.validate_with(&set).is_ok());
    let login = secret(None, CLIENT_SECRET, &set).unwrap().unwrap();
    assert_eq!(login.expose_secret(), "of TUO_CLIENT_SECRET");
}

#[test]
fn a_secret_file_may_end_in_a_line_break() {
    let path = std::env::temp_dir().join(format!("tuo-check-{}", crate::process::Random::system().uuid()));
    std::fs::write(&path, "s3cret with space \r\n").unwrap();
    let check = check(&format!("p.yaml --client-id sa1 --client-secret-file {}", path.display())).unwrap();
    assert_eq!(check.client_secret().unwrap().unwrap().expose_secret(), "s3cret with space ");
    std::fs::write(&path, "\n").unwrap();
    assert!(matches!(check.client_secret(), Err(SecretError::Empty(_))));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(check.client_secret(), Err(SecretError::File { .. })));
}

#[test]
fn only_the_secrets_in_use_are_read() {
    let check = check("p.yaml --refresh-token-file /absent").unwrap();
    assert!(check.client_secret().unwrap().is_none());
    assert!(check.delete_client_secret().unwrap().is_none());
    assert_eq!(check.refresh_token_file(), Some(Path::new("/absent")));
    assert!(matches!(read_secret(Path::new("/absent")), Err(SecretError::File { .. })));
}

#[test]
fn the_rest_has_defaults() {
    let plain = check(&format!("p.yaml {LOGIN}")).unwrap();
    assert!(!plain.write && plain.output == Output::Text && plain.ca_file.is_none());
    let full = check(&format!("p.yaml {LOGIN} --write -o json --ca-file /ca")).unwrap();
    assert!(full.write && full.output == Output::Json && full.ca_file.is_some());
}
