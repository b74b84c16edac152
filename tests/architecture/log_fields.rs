//! One spelling of each field in all log lines: those of the table in `docs/operations.md`.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;

use crate::{root, sources};

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

/// The fields that a source gives to the macros of `tracing`, its tests aside.
fn fields(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let call = Regex::new(r"\b(?:trace|debug|info|warn|error|event|(?:\w+_)?span|instrument)!\(").unwrap();
    let text = Regex::new(r#"(?s)"(?:[^"\\]|\\.)*""#).unwrap();
    let mut found = Vec::new();
    for begin in call.find_iter(code) {
        let arguments = up_to_the_end(&code[begin.end()..]);
        // What follows the text is no field: it fills the text in.
        let before = match text.find_iter(arguments).find(|text| !is_value(&arguments[..text.start()])) {
            Some(message) => &arguments[..message.start()],
            None => arguments,
        };
        let before = text.replace_all(before, "0");
        for part in split(&before) {
            let name = part.split('=').next().unwrap_or_default().trim();
            let name = name.trim_start_matches(['%', '?', '&']);
            if !name.is_empty() && !name.contains("::") && !name.starts_with("target:") {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// The arguments of a call, up to the bracket that ends it; brackets in texts do not count.
fn up_to_the_end(code: &str) -> &str {
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    for (at, character) in code.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text && depth == 0 => return &code[..at],
            ')' if !in_text => depth -= 1,
            _ => {}
        }
    }
    code
}

/// Whether a text that follows this is the value of a field.
fn is_value(before: &str) -> bool {
    before.trim_end().ends_with(['=', ':', '('])
}

/// The arguments, by the commas that are in no brackets.
fn split(arguments: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in arguments.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(arguments[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(arguments[start..].trim());
    parts
}

#[test]
fn every_log_line_spells_its_fields_as_documented() {
    let documented = documented();
    assert!(documented.len() > 5, "docs/operations.md has no table of log fields");
    let mut used = BTreeSet::new();
    for (file, source) in sources() {
        // `check` and `preflight` print for a person and log nothing.
        if file.ends_with("tests.rs") || file.contains("/tests/") {
            continue;
        }
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
    let source = r#"
        tracing::info!(%resource, action = "publish", error, "words {}", x);
        tracing::warn!(resource = %self.key, step = ?what, "done");
        tracing::info!("{} can be watched now", self.place);
        error!(target: "a", b = f(1, "c"), "d (e) \"f, g\"; h", i);
    "#;
    assert_eq!(fields(source), ["resource", "action", "error", "resource", "step", "b"]);
}
