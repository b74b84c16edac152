//! What a template may do, and what its errors show.

use super::{shown, values};
use crate::domain::format::{FILTERS, Format, FormatError, MAX_BYTES, Options, Value, render, used};
use crate::domain::user::UserKind;

fn rendered(kind: UserKind, source: &str) -> Result<String, FormatError> {
    let options = Options { templates: [("x".to_owned(), source.to_owned())].into(), ..Options::default() };
    let mut values = values(kind, "s3cret");
    values.surroundings.did = None;
    render(Format::Template, &options, &values).map(|content| shown(&content, "x").to_owned())
}

#[test]
fn all_values_are_variables() {
    let source = "{{ clientId }} {{ clientSecret }} {{ tokenUrl }} {{ technicalUserId }} {{ kind }} {{ bpn }} \
                  {{ walletUrl }} {{ bdrsUrl }} {{ secretAlias }} {{ issuerUrl }}\
                  {% for issuer in trustedIssuers %} {{ issuer }}{% endfor %}{% if did is defined %} {{ did }}{% endif %}";
    assert_eq!(
        rendered(UserKind::Internal, source).unwrap(),
        "sa42 s3cret https://idp.example.org/auth/realms/CX-Central/protocol/openid-connect/token \
         0b6c0000-0000-0000-0000-000000000001 Internal BPNL000000000ONE https://wallet.example.org/api/sts \
         https://bdrs.example.org/api/directory edc-wallet-1 \
         https://idp.example.org/auth/realms/CX-Central did:web:issuer.example.org did:web:other.example.org"
    );
}

#[test]
fn each_filter_is_there() {
    for (name, _) in FILTERS {
        assert!(rendered(UserKind::Internal, &format!("{{{{ clientId | {name} }}}}")).is_ok(), "{name}");
    }
    assert_eq!(rendered(UserKind::Internal, "{{ 'a b' | urlencode }}").unwrap(), "a%20b");
    let realm = "{{ (issuerUrl | split('/realms/')) | last }}";
    assert_eq!(rendered(UserKind::Internal, realm).unwrap(), "CX-Central");
}

#[test]
fn line_breaks_at_the_end_are_removed() {
    assert_eq!(rendered(UserKind::Internal, "a\n\n{{ kind }}\r\n\n").unwrap(), "a\n\nInternal");
    let options = Options {
        templates: [("x".to_owned(), "{{ clientSecret }}".to_owned())].into(),
        ..Options::default()
    };
    let error = render(Format::Template, &options, &values(UserKind::Internal, "s3cret\n")).unwrap_err();
    assert!(matches!(error, FormatError::Unwritable { value: "client secret", .. }), "{error}");
}

#[test]
fn a_value_that_is_not_known_is_named_with_its_source() {
    for source in ["{{ did }}", "{{ kind }}\n{{ did | upper }}", "{% if did %}{% endif %}"] {
        assert_eq!(rendered(UserKind::Internal, source), Err(FormatError::Missing(Value::Did)), "{source}");
    }
    let issuer = rendered(UserKind::External, "{{ issuerUrl }}");
    assert_eq!(issuer, Err(FormatError::Missing(Value::IssuerUrl)));
}

fn failure(source: &str) -> (String, usize) {
    match rendered(UserKind::Internal, source) {
        Err(FormatError::Template { kind, line, key }) if key == "x" => (kind, line),
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn an_error_has_its_kind_and_line_and_no_value() {
    for (source, kind, line) in [
        ("\n{{ unknown }}", "undefined value", 2),
        ("{{ clientId", "syntax error", 1),
        ("\n\n{{ clientSecret | no }}", "unknown filter", 3),
        ("{{ clientSecret + 1 }}", "invalid operation", 1),
        ("{{ clientSecret.s3cret }}", "undefined value", 1),
        ("{{ clientSecret | int }}", "invalid operation", 1),
        ("{{ clientSecret() }}", "invalid operation", 1),
        ("{{ trustedIssuers | json }}", "invalid operation", 1),
    ] {
        let found = failure(source);
        assert_eq!((found.0.as_str(), found.1), (kind, line), "{source}");
        let error = rendered(UserKind::Internal, source).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn nothing_is_loaded_and_nothing_is_shared_between_templates() {
    for source in
        ["{% include 'y' %}", "{% import 'y' as y %}", "{% extends 'y' %}", "{% macro y() %}{% endmacro %}"]
    {
        assert_eq!(failure(source).0, "syntax error", "{source}");
    }
    let templates = [("a", "{% set shared = kind %}"), ("b", "{{ shared }}")];
    let templates = templates.map(|(key, source)| (key.to_owned(), source.to_owned())).into();
    let options = Options { templates, ..Options::default() };
    let error = render(Format::Template, &options, &values(UserKind::Internal, "s3cret")).unwrap_err();
    assert!(matches!(error, FormatError::Template { key, .. } if key == "b"));
}

/// A template of some hundred bytes must not take the operator's memory or time.
#[test]
fn time_and_memory_are_bounded() {
    let double = format!("{{% set x = 'x' %}}{}{{{{ x }}}}", "{% set x = x ~ x %}".repeat(60));
    let capture =
        format!("{{% set x %}}xx{{% endset %}}{}", "{% set x %}{{ x }}{{ x }}{% endset %}".repeat(60));
    let encode = format!("{{{{ 'x'{} }}}}", "|base64".repeat(200));
    for source in [
        double.as_str(),
        &capture,
        &encode,
        "{{ 'x' * 90000000 }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{{ a }}{% endfor %}",
    ] {
        let kind = failure(source).0;
        assert!(matches!(kind.as_str(), "engine ran out of fuel" | "invalid operation"), "{kind}: {source}");
    }
    let full = format!("{{{{ 'x' * {MAX_BYTES} }}}}");
    assert_eq!(rendered(UserKind::Internal, &full).unwrap().len(), MAX_BYTES);
    let more = format!("{{{{ 'x' * {} }}}}", MAX_BYTES + 1);
    assert_eq!(failure(&more).0, format!("more than {MAX_BYTES} bytes in all keys together"));
}

/// A spec has up to 16 templates: what one of them may do, all together may.
#[test]
fn the_bounds_are_those_of_all_templates_together() {
    let both = |source: &str| {
        let templates = ["a", "b"].map(|key| (key.to_owned(), source.to_owned())).into();
        let options = Options { templates, ..Options::default() };
        render(Format::Template, &options, &values(UserKind::Internal, "s3cret"))
    };
    let fails_with = |source: &str, words: &str| match both(source) {
        Err(FormatError::Template { key, kind, .. }) => {
            assert_eq!((key.as_str(), kind.as_str()), ("b", words), "{source}");
        }
        other => panic!("{source}: {other:?}"),
    };
    let loops = "{% for a in range(15000) %}{% endfor %}";
    assert!(rendered(UserKind::Internal, loops).is_ok());
    fails_with(loops, "engine ran out of fuel");
    let half = format!("{{{{ 'x' * {} }}}}", MAX_BYTES / 2);
    assert!(both(&half).is_ok());
    let more = format!("{{{{ 'x' * {} }}}}", MAX_BYTES / 2 + 1);
    fails_with(&more, &format!("more than {MAX_BYTES} bytes in all keys together"));
}

#[test]
fn a_template_uses_the_values_that_its_words_name() {
    let used = |source: &str| {
        let templates = [("x".to_owned(), source.to_owned())].into();
        let options = Options { templates, ..Options::default() };
        let all = values(UserKind::Internal, "s3cret").surroundings;
        let names = used(Format::Template, &options, &all).into_iter().flatten().map(|(name, _)| name);
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(used("{{ clientId }} candidate {{ bpn }}"), "");
    assert_eq!(used("{{ did | upper }}{% if walletUrl is defined %}x{% endif %}"), "did walletUrl");
    assert_eq!(used("{% for i in trustedIssuers %}{{i}}{% endfor %}"), "trustedIssuers trustedIssuers");
}
