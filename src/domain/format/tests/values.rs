//! Values that are missing, or that a reader would read as others.

use super::{options, shown, values};
use crate::domain::format::{Content, Format, FormatError, Surroundings, Value, Values, placeholder, render};
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
        let known = format.entry().needs.iter().all(|value| *value == Value::Bpn);
        let tried = placeholder(format, &options(), &Surroundings::default());
        assert_eq!(tried.is_ok(), known, "{format:?}");
    }
}

#[test]
fn an_error_says_where_to_set_a_value() {
    assert_eq!(
        FormatError::Missing(Value::Did).to_string(),
        "The value did is missing. It comes from spec.dataspace.did of the Portal"
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
        assert!(error.starts_with("The client secret") || error.starts_with("The Client Secret"), "{error}");
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
