//! The formats of a Secret as other programs read them, and the page that describes them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests; clippy sees that of the test functions only"
)]

mod page;
mod readers;

use readers::Readers;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use technical_user_operator::domain::format::{Format, Options, Surroundings, Values, render};
use technical_user_operator::domain::user::{Credential, UserId, UserKind};

/// Texts that have in them what some syntax takes for its own.
fn texts() -> Vec<String> {
    let marks: Vec<_> = "$!|=#\\\"'`;:%&*{}[]()<>~?@, \t\r\n-_ä€\u{85}\u{a0}\u{2028}\u{feff}😀\u{7f}\u{1b}"
        .chars()
        .map(String::from)
        .collect();
    let words =
        ["${HOME}", "$HOME", "$$HOME", "${", "\\n", "\\$x", "\\\\", " #x", "\r\n", "\\'", "\\\"", "x"];
    let parts: Vec<_> = marks.iter().map(String::as_str).chain(words).collect();
    let mut texts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    for one in &parts {
        for other in &parts {
            texts.push(format!("a{one}{other}"));
            texts.push(format!("{one}b{other}"));
            texts.push(format!("{one}{other}c"));
        }
    }
    texts.push(parts.concat().repeat(100));
    texts
}

fn values(text: &str) -> Values {
    let url = "https://wallet.example.org/oauth/token".to_owned();
    Values {
        credential: Credential::with_secret(text.to_owned(), SecretString::from(text), url),
        user_id: UserId::new("0b6c0000-0000-0000-0000-000000000001"),
        kind: UserKind::External,
        generation: 1,
        bpn: Some(text.to_owned()),
        surroundings: Surroundings {
            did: Some(text.to_owned()),
            wallet_url: Some(text.to_owned()),
            trusted_issuers: vec![text.to_owned()],
            secret_alias: Some("edc-wallet".to_owned()),
            ..Surroundings::default()
        },
    }
}

/// The first file of a format, as a program reads it.
fn read(readers: &mut Readers, format: Format, syntax: &str, text: &str) -> Value {
    let content = render(format, &Options::default(), &values(text)).unwrap();
    let file = content[format.entry().keys[0]].expose_secret().to_owned();
    readers.read(syntax, &file).unwrap_or_else(|error| panic!("{error}: {file}"))
}

#[test]
fn docker_compose_reads_an_env_file_as_it_was_written() {
    let mut readers = Readers::start();
    for text in texts() {
        let read = read(&mut readers, Format::Dotenv, "dotenv", &text);
        for name in ["CLIENT_ID", "CLIENT_SECRET", "BPN"] {
            assert_eq!(read[name], json!(text), "{name}");
        }
        assert_eq!(read["TOKEN_URL"], json!("https://wallet.example.org/oauth/token"));
        assert_eq!(read.as_object().unwrap().len(), 5);
    }
}

#[test]
fn helm_reads_values_as_they_were_written() {
    let mut readers = Readers::start();
    for text in texts() {
        let read = read(&mut readers, Format::EdcHelmValues, "yaml", &text);
        assert_eq!(read.pointer("/dcp/sts/oauth/client/id"), Some(&json!(text)));
        assert_eq!(read.pointer("/dcp/trustedIssuers"), Some(&json!([text])));
        assert_eq!(read["participant"], json!({"id": text, "bpnl": text}));
    }
}

#[test]
fn a_reader_shows_what_quotes_are_for() {
    let mut readers = Readers::start();
    assert_eq!(readers.read("dotenv", "A=x$HOME #c"), Ok(json!({"A": "x"})));
    assert_eq!(readers.read("yaml", "a: 010"), Ok(json!({"a": 8})));
    assert!(readers.read("dotenv", "A='x").is_err());
}
