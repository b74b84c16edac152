//! The page that describes the formats has what the code has. `UPDATE_PAGES=1 cargo test --test formats page` writes it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use technical_user_operator::domain::format::{Entry, FILTERS, Format, Named, Value};

const BEGIN: &str = " (generated from src/domain/format, do not edit) -->\n";
const END: &str = "<!-- end -->";

/// The names of values and keys, as code.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn names(entry: &Entry) -> &'static str {
    match entry.named {
        Named::Styled => "`keyStyle`, `keyPrefix`, or `keys`",
        Named::Inside => "`keyStyle`, `keyPrefix`, or `keys`, for the variables in the file",
        Named::Renamed => "`keys`",
        Named::Fixed => "-",
    }
}

/// The formats: what each has in it, and who reads it.
fn formats() -> String {
    let mut table = String::from(
        "| format | keys | client secret in it | needs | names | read by | a change is seen |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for entry in Format::ALL.map(Format::entry) {
        let optional = |key: &str| entry.optional.iter().any(|(name, _)| *name == key);
        let (sometimes, always): (Vec<_>, Vec<_>) = entry.keys.iter().copied().partition(|key| optional(key));
        let mut keys = list(always);
        if !sometimes.is_empty() {
            write!(keys, "; where known: {}", list(sometimes)).unwrap();
        }
        let needs = list(entry.needs.iter().map(|value| value.name()));
        writeln!(
            table,
            "| `{}` | {keys} | {} | {} | {} | {} | {} |",
            entry.name,
            if entry.has_secret { "yes" } else { "no" },
            if needs.is_empty() { "-" } else { &needs },
            names(entry),
            entry.reader.who,
            entry.reader.change,
        )
        .unwrap();
    }
    table
}

/// The values that may be missing, and where each comes from.
fn values() -> String {
    let mut table = String::from("| value | comes from |\n|---|---|\n");
    for value in Value::ALL {
        writeln!(table, "| `{}` | {} |", value.name(), value.source()).unwrap();
    }
    table
}

fn filters() -> String {
    let mut table = String::from("| filter | writes |\n|---|---|\n");
    for (name, what) in FILTERS {
        writeln!(table, "| `{name}` | {what} |").unwrap();
    }
    table
}

/// The page with another text in a generated part.
fn with(page: &str, name: &str, text: &str) -> String {
    let marker = format!("<!-- {name}{BEGIN}");
    let (before, rest) = page.split_once(&marker).unwrap_or_else(|| panic!("the page has no {marker}"));
    let (_, after) = rest.split_once(END).unwrap();
    format!("{before}{marker}\n{text}\n{END}{after}")
}

#[test]
fn the_page_has_what_the_code_has() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/outputs.md");
    let page = fs::read_to_string(&file).unwrap();
    let parts = [("formats", formats()), ("values", values()), ("filters", filters())];
    let wanted = parts.iter().fold(page.clone(), |page, (name, text)| with(&page, name, text));
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&file, &wanted).unwrap();
    } else {
        assert!(page == wanted, "{}: run UPDATE_PAGES=1 cargo test --test formats page", file.display());
    }
}
