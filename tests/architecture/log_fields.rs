//! One spelling of each field in all log lines: those of the table in `docs/operations.md`.

use std::collections::BTreeSet;
use std::fs;

use proc_macro2::{TokenStream, TokenTree};

use crate::content::Content;
use crate::source::{Source, root, sources};

/// The fields of the page's table "Log fields".
fn documented() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let table = page.split("| field | what |").nth(1).unwrap_or_default();
    let rows = table.lines().skip(1).skip_while(|line| line.starts_with("|---"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    let first = |line: &'_ str| line.split('|').nth(1).unwrap_or_default().to_owned();
    rows.flat_map(|line| first(line).split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The macros of `tracing` that write or open something with fields.
const MACROS: &[&str] = &[
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "span",
    "trace_span",
    "debug_span",
    "info_span",
    "warn_span",
    "error_span",
];

/// The arguments of each macro of `tracing` that a source calls, its tests aside.
pub fn of_tracing(source: &Source) -> impl Iterator<Item = TokenStream> {
    let calls = Content::of(source).calls.into_iter();
    calls.filter(|(name, _)| MACROS.contains(&name.as_str())).map(|(_, arguments)| arguments)
}

/// The fields that a source gives to the macros of `tracing`, its tests aside.
fn fields(source: &Source) -> Vec<String> {
    of_tracing(source).flat_map(fields_of).collect()
}

/// The fields among the arguments of one call: those before the text of the message.
fn fields_of(arguments: TokenStream) -> Vec<String> {
    let arguments: Vec<TokenTree> = arguments.into_iter().collect();
    let parts = arguments.split(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ','));
    // What follows the text is no field: it fills the text in.
    let before = parts.take_while(|part| !matches!(part, [TokenTree::Literal(_), ..]));
    before.filter_map(field).collect()
}

/// The name of a field; none for a setting, such as `target: "x"`, and for a level.
fn field(part: &[TokenTree]) -> Option<String> {
    let mut name = String::new();
    for token in part {
        match token {
            TokenTree::Ident(ident) => name.push_str(&ident.to_string()),
            TokenTree::Punct(sign) => match sign.as_char() {
                '=' => break,
                ':' => return None,
                '.' => name.push('.'),
                _ => {}
            },
            TokenTree::Group(_) | TokenTree::Literal(_) => {}
        }
    }
    (!name.is_empty()).then_some(name)
}

#[test]
fn every_log_line_spells_its_fields_as_documented() {
    let documented = documented();
    assert!(documented.len() > 5, "docs/operations.md has no table of log fields");
    let mut used = BTreeSet::new();
    for source in sources() {
        let file = &source.file;
        for field in fields(&source) {
            assert!(
                documented.contains(&field),
                "src/{file}: the log field `{field}` is not in the table of docs/operations.md: use one of it"
            );
            used.insert(field);
        }
    }
    assert_eq!(used, documented, "fields of the table that no log line has");
}

#[test]
fn fields_are_found() {
    let text = r#"
        fn f() {
            tracing::info!(%resource, action = "publish", error, "words {}", x);
            tracing::warn!(resource = %self.key, step = ?what, "done");
            tracing::info!("The operator can watch {} now", self.place);
            error!(target: "a", b = f(1, "c"), "d (e) \"f, g\"; h", i);
            tokio::select! { _ = x => tracing::debug!(reason = a == b, "j") }
            println!("{}", k);
        }
    "#;
    let found = fields(&Source::new("x.rs", text));
    assert_eq!(found, ["resource", "action", "error", "resource", "step", "b", "reason"]);
}
