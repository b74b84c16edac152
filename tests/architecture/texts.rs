//! How the text of a log line and the text of an error begin and end, as `CONTRIBUTING.md` says.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, LitStr};

use crate::log_fields::of_tracing;
use crate::source::{Source, sources};

/// Names with which the text of an error may begin.
const NAMES: &[&str] = &["Secret", "TLS", "Vault", "Vault's"];

/// The text of a log line: the first argument that is a literal and no setting. None for a span.
fn text_of(arguments: TokenStream) -> Option<String> {
    let arguments: Vec<TokenTree> = arguments.into_iter().collect();
    let mut parts = arguments.split(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ','));
    parts.find_map(|part| match part {
        [TokenTree::Literal(text), ..] => {
            syn::parse_str(&text.to_string()).ok().map(|text: LitStr| text.value())
        }
        _ => None,
    })
}

/// The texts of errors: of the attributes `#[error("...")]`.
#[derive(Default)]
struct Errors(Vec<String>);

impl<'ast> Visit<'ast> for Errors {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let first = |arguments: TokenStream| match arguments.into_iter().next() {
            Some(TokenTree::Literal(text)) => syn::parse_str(&text.to_string()).ok(),
            _ => None,
        };
        if attribute.path().is_ident("error") {
            let text = attribute.meta.require_list().ok().and_then(|list| first(list.tokens.clone()));
            self.0.extend(text.map(|text: LitStr| text.value()));
        }
        visit::visit_attribute(self, attribute);
    }
}

fn errors(source: &Source) -> Vec<String> {
    let mut errors = Errors::default();
    errors.visit_file(&source.parse());
    errors.0
}

/// Whether a log line may have this text: a capital letter or a value first, and no period at the end.
fn is_log_text(text: &str) -> bool {
    text.starts_with(|c: char| c.is_uppercase() || c == '{') && !text.ends_with('.')
}

/// Whether an error may have this text: a small letter, a value or a name first, and no period at the end.
fn is_error_text(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let begins = text.starts_with(|c: char| c.is_lowercase() || c == '{') || NAMES.contains(&first);
    begins && !text.ends_with('.')
}

#[test]
fn every_log_line_begins_with_a_capital_letter() {
    let mut count = 0;
    for source in sources() {
        for text in of_tracing(&source).filter_map(text_of) {
            assert!(is_log_text(&text), "src/{}: {text:?}", source.file);
            count += 1;
        }
    }
    assert!(count > 30, "only {count} log lines were found");
}

#[test]
fn the_text_of_every_error_can_stand_after_a_colon() {
    let mut count = 0;
    for source in sources().iter().filter(|source| !source.is_for_tests()) {
        for text in errors(source) {
            assert!(is_error_text(&text), "src/{}: {text:?}", source.file);
            count += 1;
        }
    }
    assert!(count > 50, "only {count} texts of errors were found");
}

#[test]
fn texts_are_found_and_judged() {
    let text = r#"
        fn f() { tracing::info!(%a, b = "c", "D {}", e); info_span!("F", g); warn!(target: "h", "I."); }
        #[derive(Error)]
        enum J { #[error("k {l}")] K, #[error("The m")] M, #[error(transparent)] N(O), #[error("TLS p", p = 1)] P }
    "#;
    let source = Source::new("x.rs", text);
    let lines: Vec<_> = of_tracing(&source).filter_map(text_of).collect();
    assert_eq!(lines, ["D {}", "F", "I."]);
    assert_eq!(lines.iter().map(|text| is_log_text(text)).collect::<Vec<_>>(), [true, true, false]);
    let found = errors(&source);
    assert_eq!(found, ["k {l}", "The m", "TLS p"]);
    assert_eq!(found.iter().map(|text| is_error_text(text)).collect::<Vec<_>>(), [true, false, true]);
}
