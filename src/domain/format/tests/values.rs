//! Values that are missing, or that a reader would read as others.

use super::{options, shown, values};
use crate::domain::format::{
    Content, Format, FormatError, Known, Naming, Options, Value, Values, placeholder, render, used,
};
use crate::domain::user::UserKind;

/// Values of which one is not known.
fn without(value: Value) -> Values {
    let mut values = values(UserKind::External, "s3cret");
    let around = &mut values.surroundings;
    match value {
        Value::Bpn => values.bpn = None,
        Value::Did => around.did = None,
        Value::WalletUrl => around.wallet_url = None,
        Value::BdrsUrl => around.bdrs_url = None,
        Value::TrustedIssuers => around.trusted_issuers.clear(),
        Value::SecretAlias => around.secret_alias = None,
        // An external user has none.
        Value::IssuerUrl => {}
    }
    values
}

#[test]
fn each_format_names_the_value_that_it_lacks_and_needs_no_other() {
    for format in Format::ALL {
        for value in Value::ALL {
            let rendered = render(format, &options(), &without(value)).map(|_| ());
            let needed = format.entry().needs.contains(&value);
            let expected = if needed { Err(FormatError::Missing(value)) } else { Ok(()) };
            assert_eq!(rendered, expected, "{format:?} without {value}");
        }
    }
}

#[test]
fn what_is_missing_beside_the_credential_is_found_before_there_is_a_user() {
    for format in Format::ALL {
        let needs_none = format.entry().needs.is_empty();
        let tried = placeholder(format, &options(), &Known::default());
        assert_eq!(tried.is_ok(), needs_none, "{format:?}");
        let company = Known { bpn: Some("BPNL000000000ONE".into()), ..Known::default() };
        let needs_bpn_at_most = format.entry().needs.iter().all(|value| *value == Value::Bpn);
        assert_eq!(placeholder(format, &options(), &company).is_ok(), needs_bpn_at_most, "{format:?}");
    }
}

/// The issuer follows from the kind of the user, and from the token endpoint of internal users.
#[test]
fn what_no_user_of_the_kind_has_is_missing_before_there_is_a_user() {
    let issuer = Naming::Renamed([("issuer-url".to_owned(), "issuer".to_owned())].into());
    let options = Options { naming: issuer, ..Options::default() };
    let keycloak = "https://idp.example.org/realms/CX-Central/protocol/openid-connect/token";
    for (kind, token_url, is_known) in [
        (Some(UserKind::Internal), Some(keycloak), true),
        (Some(UserKind::Internal), Some("https://idp.example.org/oauth/token"), false),
        (Some(UserKind::External), Some(keycloak), false),
        (None, None, true),
    ] {
        let known = Known { kind, token_url: token_url.map(str::to_owned), ..Known::default() };
        let expected = if is_known { Ok(()) } else { Err(FormatError::Missing(Value::IssuerUrl)) };
        assert_eq!(placeholder(Format::Raw, &options, &known).map(drop), expected, "{known:?}");
    }
}

/// What is not used changes no byte, and what is used is a part of the content.
#[test]
fn a_format_uses_the_values_that_it_says_and_no_others() {
    for format in Format::ALL {
        let all = values(UserKind::External, "s3cret");
        let rendered = |values: &Values| {
            let content = render(format, &options(), values).unwrap();
            content.keys().map(|key| shown(&content, key).to_owned()).collect::<Vec<_>>()
        };
        let used: Vec<&str> =
            used(format, &options(), &all.surroundings).into_iter().flatten().map(|(name, _)| name).collect();
        for (name, other) in others(&all) {
            let changes = rendered(&other) != rendered(&all);
            assert_eq!(used.contains(&name), changes, "{format:?} and {name}");
        }
    }
}

/// The values with another one of each of the surroundings.
fn others(all: &Values) -> Vec<(&'static str, Values)> {
    let but = |change: fn(&mut Values)| {
        let mut values = all.clone();
        change(&mut values);
        values
    };
    vec![
        ("did", but(|values| values.surroundings.did = Some("https://other.example.org".to_owned()))),
        (
            "walletUrl",
            but(|values| values.surroundings.wallet_url = Some("https://other.example.org".to_owned())),
        ),
        (
            "bdrsUrl",
            but(|values| values.surroundings.bdrs_url = Some("https://other.example.org".to_owned())),
        ),
        ("trustedIssuers", but(|values| values.surroundings.trusted_issuers.truncate(1))),
        ("secretAlias", but(|values| values.surroundings.secret_alias = Some("other".to_owned()))),
    ]
}

#[test]
fn an_error_says_where_to_set_a_value() {
    assert_eq!(
        FormatError::Missing(Value::Did).to_string(),
        "the value did is missing; it comes from the portal, if it shows it to the login, or spec.dataspace.did of the Portal"
    );
}

fn refused(format: Format, values: &Values) -> String {
    match render(format, &options(), values) {
        Err(error @ FormatError::Unwritable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_secret_that_its_reader_would_take_apart_is_refused() {
    for (format, secret) in [
        (Format::EdcMemory, "s3cret;with"),
        (Format::SpringEnv, "s3cret${with}"),
        (Format::SpringApplication, "s3cret${with}"),
        (Format::DataSpaceIntegration, "s3cret\twith"),
        (Format::DataSpaceIntegration, " s3cret"),
    ] {
        let error = refused(format, &values(UserKind::External, secret));
        assert!(error.starts_with("the client secret") || error.starts_with("the Client Secret"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn an_alias_that_a_connector_would_not_find_is_refused() {
    for alias in ["", "did:web:x", "a b", "a;b", "a:b", "ä", "/a", "a//b", "a/../b"] {
        let mut values = values(UserKind::External, "s3cret");
        values.surroundings.secret_alias = Some(alias.into());
        for format in [Format::EdcEnv, Format::EdcMemory, Format::Properties, Format::EdcHelmValues] {
            refused(format, &values);
        }
    }
}

#[test]
fn formats_without_the_secret_do_not_have_it() {
    for format in Format::ALL {
        let secret = "s3cret-of-this-user";
        for kind in [UserKind::Internal, UserKind::External] {
            let content: Content = render(format, &options(), &values(kind, secret)).unwrap();
            let has = content.keys().any(|key| shown(&content, key).contains(secret));
            assert_eq!(has, format.entry().has_secret, "{format:?}");
        }
    }
}
