//! What real readers of each syntax read is what was written.

use proptest::prelude::*;
use serde_json::Value;

use super::{any_dialect, any_text, options, shown, values};
use crate::domain::format::{Format, Options, Values, quote, render, text::SecretText};
use crate::domain::user::UserKind;

fn quoted(quote: fn(&mut SecretText, &str), value: &str) -> String {
    let mut text = SecretText::new();
    quote(&mut text, value);
    text.as_str().to_owned()
}

/// Values in which all texts are this one, where a format permits it.
fn all(text: &str) -> Values {
    let mut values = values(UserKind::External, text);
    text.clone_into(&mut values.credential.client_id);
    text.clone_into(&mut values.credential.token_url);
    values.surroundings.wallet_url = Some(text.to_owned());
    values.surroundings.did = Some(text.to_owned());
    values.surroundings.trusted_issuers = vec![text.to_owned()];
    values
}

fn file(format: Format, options: &Options, values: &Values) -> String {
    let content = render(format, options, values).unwrap();
    shown(&content, format.entry().keys[0]).to_owned()
}

fn properties(text: &str) -> std::collections::BTreeMap<String, String> {
    let mut read = std::collections::BTreeMap::new();
    java_properties::PropertiesIter::new(text.as_bytes())
        .read_into(|key, value| {
            read.insert(key, value);
        })
        .unwrap();
    read
}

#[test]
fn properties_have_both_halves_of_a_character() {
    assert_eq!(quoted(quote::properties, " a b😀"), "\\ a b\\ud83d\\ude00");
}

proptest! {
    #[test]
    fn json_reads_the_same(text in any_text()) {
        let content = render(Format::VaultJson, &options(), &all(&text)).unwrap();
        let read: Value = serde_json::from_str(shown(&content, "content.json")).unwrap();
        prop_assert_eq!(&read, &serde_json::json!({"content": text}));
        let read: Value = serde_json::from_str(shown(&content, "kv2.json")).unwrap();
        prop_assert_eq!(&read, &serde_json::json!({"data": {"content": text}}));
    }

    #[test]
    fn yaml_reads_the_same(text in any_text()) {
        let read: String = serde_saphyr::from_str(&quoted(quote::yaml, &text)).unwrap();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn helm_values_read_the_same(text in any_text(), dialect in any_dialect()) {
        let options = Options { dialect, ..options() };
        let read: Value = serde_saphyr::from_str(&file(Format::EdcHelmValues, &options, &all(&text))).unwrap();
        let block = read.get("dcp").or(read.get("iatp")).unwrap();
        for pointer in ["/sts/oauth/token_url", "/sts/oauth/client/id", "/trustedIssuers/0"] {
            prop_assert_eq!(block.pointer(pointer).and_then(Value::as_str), Some(text.as_str()), "{}", pointer);
        }
    }

    #[test]
    fn spring_reads_the_same(text in any_text().prop_filter("refused", |text| !text.contains("${"))) {
        let read: Value = serde_saphyr::from_str(&file(Format::SpringApplication, &options(), &all(&text))).unwrap();
        let client = read.pointer("/spring/security/oauth2/client").unwrap();
        let expected = serde_json::json!({
            "registration": {"technical-user": {
                "client-id": text, "client-secret": text, "authorization-grant-type": "client_credentials",
            }},
            "provider": {"technical-user": {"token-uri": text}},
        });
        prop_assert_eq!(client, &expected);
    }

    /// The crate cannot read the two halves of a character that has two; Java can.
    #[test]
    fn properties_read_the_same(text in any_text().prop_map(|text| text.replace(|c| c > '\u{ffff}', "€"))) {
        let read = properties(&file(Format::Properties, &options(), &all(&text)));
        prop_assert_eq!(read.len(), 5);
        for key in ["edc.iam.sts.oauth.client.id", "edc.iam.sts.oauth.token.url", "tx.edc.iam.sts.div.url", "tx.edc.iam.sts.dim.url"] {
            prop_assert_eq!(&read[key], &text);
        }
        prop_assert_eq!(&read["edc.iam.sts.oauth.client.secret.alias"], "edc-wallet-1");
    }

    /// What is in single quotes means the same to a shell; for the rest see `tests/formats`.
    #[test]
    fn an_env_file_quotes_as_a_shell_does_wherever_it_can(text in any_text()) {
        let line = quoted(quote::dotenv, &text);
        let plain = !text.contains(['\'', '\\', '\n', '\r']);
        prop_assert_eq!(line == format!("'{text}'"), plain);
    }

    /// The filters of templates quote as the formats do.
    #[test]
    fn the_filters_write_the_same(text in any_text()) {
        let source = "{{ clientSecret | json }}\n{{ clientSecret | yaml }}\n{{ clientSecret | properties }}\n{{ clientSecret | base64 }}.";
        let options = Options { templates: [("x".to_owned(), source.to_owned())].into(), ..Options::default() };
        let content = render(Format::Template, &options, &all(&text)).unwrap();
        let parts = [quote::json, quote::yaml, quote::properties, quote::base64].map(|quote| quoted(quote, &text));
        prop_assert_eq!(shown(&content, "x"), parts.join("\n") + ".");
    }
}
