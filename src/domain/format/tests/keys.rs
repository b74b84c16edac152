//! Names of keys.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{any_dialect, any_format, options, shown, values};
use crate::domain::format::{
    Format, FormatError, KeyStyle, Known, MAX_BYTES, Named, Naming, Options, Value, Values, placeholder,
    read_back, render,
};
use crate::domain::user::{UserKind, is_same_secret};

fn named(naming: Naming) -> Options {
    Options { naming, ..options() }
}

fn renamed(names: &[(&str, &str)]) -> Options {
    let pair = |(from, to): &(&str, &str)| ((*from).to_owned(), (*to).to_owned());
    named(Naming::Renamed(names.iter().map(pair).collect()))
}

fn keys(format: Format, options: &Options) -> Result<Vec<String>, FormatError> {
    render(format, options, &values(UserKind::Internal, "s")).map(|content| content.into_keys().collect())
}

#[test]
fn each_style_spells_all_keys() {
    for (style, first) in [
        (
            KeyStyle::Kebab,
            ["x.bpn", "x.client-id", "x.client-secret", "x.issuer-url", "x.technical-user-id", "x.token-url"],
        ),
        (
            KeyStyle::Camel,
            ["x.bpn", "x.clientId", "x.clientSecret", "x.issuerUrl", "x.technicalUserId", "x.tokenUrl"],
        ),
        (
            KeyStyle::Snake,
            ["x.bpn", "x.client_id", "x.client_secret", "x.issuer_url", "x.technical_user_id", "x.token_url"],
        ),
        (
            KeyStyle::UpperSnake,
            ["x.BPN", "x.CLIENT_ID", "x.CLIENT_SECRET", "x.ISSUER_URL", "x.TECHNICAL_USER_ID", "x.TOKEN_URL"],
        ),
    ] {
        let options = named(Naming::Styled { style: Some(style), prefix: "x.".into() });
        assert_eq!(keys(Format::Raw, &options).unwrap(), first);
    }
}

#[test]
fn only_renamed_keys_are_written() {
    let irs = renamed(&[("client-id", "semanticsId"), ("client-secret", "semanticsSecret")]);
    assert_eq!(keys(Format::Raw, &irs).unwrap(), ["semanticsId", "semanticsSecret"]);
    let file = renamed(&[("application.yml", "secrets.yml")]);
    assert_eq!(keys(Format::SpringApplication, &file).unwrap(), ["secrets.yml"]);
    let compose = renamed(&[("client-secret", "STS_CLIENT_SECRET"), ("token-url", "STS_TOKEN_URL")]);
    let content = render(Format::Dotenv, &compose, &values(UserKind::External, "s")).unwrap();
    assert_eq!(
        shown(&content, ".env"),
        "STS_CLIENT_SECRET='s'\nSTS_TOKEN_URL='https://wallet.example.org/oauth/token'"
    );
}

#[test]
fn what_cannot_be_renamed_is_named() {
    let unknown = FormatError::UnknownKey("client_id".into());
    assert_eq!(keys(Format::Raw, &renamed(&[("client_id", "x")])), Err(unknown.clone()));
    assert_eq!(keys(Format::Dotenv, &renamed(&[("client_id", "x")])), Err(unknown));
    // A key that is absent because its value is not known is no wrong name.
    let issuer = renamed(&[("issuer-url", "x")]);
    for format in [Format::Raw, Format::Dotenv] {
        let missing = render(format, &issuer, &values(UserKind::External, "s")).map(|_| ());
        assert_eq!(missing, Err(FormatError::Missing(Value::IssuerUrl)));
    }
    assert_eq!(keys(Format::Raw, &renamed(&[])), Err(FormatError::Empty));
    assert_eq!(keys(Format::Template, &Options::default()), Err(FormatError::Empty));
}

#[test]
fn two_keys_that_are_one_for_the_reader_are_refused() {
    let refused = |format, options: &Options| {
        let error = keys(format, options).unwrap_err();
        assert!(matches!(error, FormatError::DuplicateKeys(..)), "{error}");
    };
    refused(Format::Raw, &renamed(&[("client-id", "x"), ("client-secret", "x")]));
    // A connector takes both for the setting client.id.
    refused(Format::Raw, &renamed(&[("client-id", "CLIENT_ID"), ("token-url", "client.id")]));
    refused(Format::Dotenv, &renamed(&[("client-id", "CLIENT_ID"), ("token-url", "client_id")]));
    let templates = [("a_b".to_owned(), "1".to_owned()), ("A.B".to_owned(), "2".to_owned())];
    refused(Format::Template, &Options { templates: templates.into(), ..Options::default() });
    // A dash is no underscore.
    assert!(keys(Format::Raw, &renamed(&[("client-id", "client-id"), ("token-url", "client_id")])).is_ok());
}

#[test]
fn the_keys_are_those_that_the_apiserver_accepts() {
    let one = |name: &str| keys(Format::Raw, &renamed(&[("client-id", name)]));
    for name in ["a", "A-b_c.9", ".env", "-", "...a".trim_start_matches(".."), &"x".repeat(253)] {
        assert_eq!(one(name).unwrap(), [name]);
    }
    for name in ["", ".", "..", "..a", "a b", "a/b", "ä", "a\n", "a=b", &"x".repeat(254)] {
        assert!(matches!(one(name), Err(FormatError::InvalidKey { .. })), "{name}");
    }
    for name in ["1A", "A-B", "A.B", ""] {
        let line = keys(Format::Dotenv, &renamed(&[("client-id", name)]));
        assert!(matches!(line, Err(FormatError::InvalidKey { .. })), "{name}");
    }
    for name in ["", "A", "a_b", "1a", "a-", "a.b", "a b"] {
        let options = Options { registration: Some(name.into()), ..Options::default() };
        for format in [Format::SpringEnv, Format::SpringApplication] {
            assert!(matches!(keys(format, &options), Err(FormatError::InvalidKey { .. })), "{name}");
        }
    }
}

#[test]
fn what_no_secret_holds_is_refused() {
    let long = values(UserKind::Internal, &"x".repeat(MAX_BYTES));
    for format in [Format::Raw, Format::VaultJson, Format::Dotenv, Format::SpringEnv] {
        let error = render(format, &options(), &long).unwrap_err();
        assert!(matches!(error, FormatError::TooLarge(bytes) if bytes > MAX_BYTES), "{error}");
    }
}

#[test]
fn a_registration_is_spelled_as_spring_expects_it() {
    let options = Options { registration: Some("discoveryfinder-client".into()), ..Options::default() };
    assert_eq!(
        keys(Format::SpringEnv, &options).unwrap(),
        [
            "SPRING_SECURITY_OAUTH2_CLIENT_PROVIDER_DISCOVERYFINDER_CLIENT_TOKEN_URI",
            "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_DISCOVERYFINDER_CLIENT_AUTHORIZATION_GRANT_TYPE",
            "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_DISCOVERYFINDER_CLIENT_CLIENT_ID",
            "SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_DISCOVERYFINDER_CLIENT_CLIENT_SECRET",
        ]
    );
}

/// The references in values of the charts up to 0.13, also of the one with the vault in memory.
#[test]
fn every_variable_that_a_chart_refers_to_is_there() {
    let mut names = vec![
        "EDC_IAM_STS_OAUTH_TOKEN_URL",
        "EDC_IAM_STS_OAUTH_CLIENT_ID",
        "EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS",
        "TX_EDC_IAM_STS_DIM_URL",
        "TX_EDC_IAM_STS_DIV_URL",
    ];
    let found = keys(Format::EdcEnv, &options()).unwrap();
    assert!(names.iter().all(|name| found.iter().any(|key| key == name)), "{found:?}");
    names.push("TX_EDC_VAULT_SECRETS");
    let found = keys(Format::EdcMemory, &options()).unwrap();
    assert!(names.iter().all(|name| found.iter().any(|key| key == name)), "{found:?}");
}

/// The keys that a format describes, in the order of a content.
fn described(format: Format) -> Vec<&'static str> {
    let mut keys: Vec<_> = format.entry().keys.iter().copied().filter(|key| !key.contains('<')).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn each_format_has_the_keys_that_it_describes() {
    let mut names: Vec<_> = Format::ALL.iter().map(|format| format.entry().name).collect();
    for format in Format::ALL {
        assert_eq!(format!("{format:?}"), format.entry().name);
        if !described(format).is_empty() {
            assert_eq!(keys(format, &options()).unwrap(), described(format), "{format:?}");
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Format::ALL.len());
}

/// Each choice of names that a format accepts.
fn any_options(format: Format) -> impl Strategy<Value = Options> {
    let entry = format.entry();
    // No variable has a dash.
    let fits = |style: &KeyStyle| entry.named != Named::Inside || *style != KeyStyle::Kebab;
    let style =
        prop::option::of(prop::sample::select(KeyStyle::ALL.into_iter().filter(fits).collect::<Vec<_>>()));
    let styled = (style, "[A-Z_]{0,8}").prop_map(|(style, prefix)| Naming::Styled { style, prefix });
    let can_be_named: Vec<_> = match entry.named {
        Named::Fixed => vec![],
        Named::Inside => Format::Raw.entry().keys.to_vec(),
        Named::Styled | Named::Renamed => entry.keys.to_vec(),
    };
    let renames = prop::collection::btree_map(
        prop::sample::select(if can_be_named.is_empty() { vec!["x"] } else { can_be_named.clone() }),
        "[a-z]{1,12}",
        1..5,
    )
    .prop_filter("two keys of one name", |names| {
        let mut targets: Vec<_> = names.values().collect();
        targets.sort();
        targets.windows(2).all(|pair| pair[0] != pair[1])
    })
    .prop_map(|names| Naming::Renamed(names.into_iter().map(|(from, to)| (from.to_owned(), to)).collect()));
    let naming = if can_be_named.is_empty() { styled.boxed() } else { prop_oneof![styled, renames].boxed() };
    (naming, any_dialect(), prop::option::of("[a-z][a-z0-9-]{0,9}[a-z0-9]")).prop_map(
        |(naming, dialect, registration)| {
            let templates: BTreeMap<_, _> = options().templates;
            Options { dialect, registration, naming, templates }
        },
    )
}

fn any_choice() -> impl Strategy<Value = (Format, Options)> {
    any_format().prop_flat_map(|format| (Just(format), any_options(format)))
}

/// What is known of such values before there is a user.
fn known(values: &Values) -> Known {
    Known {
        kind: Some(values.kind),
        token_url: Some(values.credential.token_url.clone()),
        bpn: values.bpn.clone(),
        surroundings: values.surroundings.clone(),
    }
}

proptest! {
    #[test]
    fn a_placeholder_has_the_keys_of_a_render_with_all_values((format, options) in any_choice(), secret in "[a-zA-Z0-9]{1,40}") {
        let values = values(UserKind::Internal, &secret);
        let real: Vec<_> = render(format, &options, &values).unwrap().into_keys().collect();
        let dry = placeholder(format, &options, &known(&values)).unwrap();
        prop_assert_eq!(dry.keys().cloned().collect::<Vec<_>>(), real);
        for key in dry.keys() {
            prop_assert!(!shown(&dry, key).contains("sa42"));
        }
    }

    /// Where the credential can be read back, it is the same one, under every name that a key may have.
    #[test]
    fn what_is_read_back_is_what_was_written((format, options) in any_choice(), secret in "[a-zA-Z0-9:$ '\"\\\\]{1,40}") {
        let values = values(UserKind::Internal, &secret);
        // Some formats refuse some secrets.
        let Ok(content) = render(format, &options, &values) else { return Ok(()) };
        let entry = format.entry();
        match read_back(format, &options, &content) {
            Some(read) => {
                prop_assert!(is_same_secret(read.secret(), values.credential.secret()));
                prop_assert_eq!(read.client_id, values.credential.client_id);
                prop_assert_eq!(read.token_url, values.credential.token_url);
            }
            None => prop_assert!(!entry.can_be_read_back() || matches!(options.naming, Naming::Renamed(_))),
        }
    }

    #[test]
    fn no_value_ends_with_a_newline((format, options) in any_choice(), kind in prop::sample::select(vec![UserKind::Internal, UserKind::External])) {
        let Ok(content) = render(format, &options, &values(kind, "s3cret")) else { return Ok(()) };
        for key in content.keys() {
            prop_assert!(!shown(&content, key).ends_with(['\n', '\r']), "{}", key);
        }
    }
}
