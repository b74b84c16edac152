//! A message that asks for an annotation shows it as `key=value`, as `kubectl annotate` expects it.

use regex::Regex;

use crate::content::Content;
use crate::source::{Source, sources};

/// The names of annotations that a person sets without a value behind them, in the texts of a source.
fn without_value(source: &Source) -> Vec<String> {
    let key = Regex::new(
        r"technicaluser\.dev/(?:release|prevent-deletion|rotate|take-over|accept-loss|portal-moved)\b",
    )
    .unwrap();
    let bare = |text: &String| {
        let found = key.find_iter(text).filter(|found| !text[found.end()..].starts_with('='));
        found.map(|found| found.as_str().to_owned()).collect::<Vec<_>>()
    };
    Content::of(source).texts.iter().flat_map(bare).collect()
}

#[test]
fn messages_show_annotations_with_a_value() {
    let mut seen = 0;
    for source in sources() {
        // Where the names are defined they have no value.
        if source.file == "api/mod.rs" || source.is_for_tests() {
            continue;
        }
        seen += source.text.matches("technicaluser.dev/release=true").count();
        assert_eq!(without_value(&source), Vec::<String>::new(), "{}", source.file);
    }
    assert!(seen > 5, "only {seen} messages found");
}

#[test]
fn a_name_alone_is_found() {
    let found = |text: &str| without_value(&Source::new("x.rs", text));
    assert_eq!(found("const A: &str = \"annotate it with technicaluser.dev/rotate, now\";").len(), 1);
    assert_eq!(found("fn f() { g(format!(\"set technicaluser.dev/accept-loss: {count}\")) }").len(), 1);
    assert_eq!(found("#[error(\"set technicaluser.dev/release\")] struct S;").len(), 1);
    let with_value = "const A: &str = \"technicaluser.dev/rotate={id} and technicaluser.dev/creating\";";
    assert!(found(with_value).is_empty());
    assert!(found("/// technicaluser.dev/rotate\nstruct S;").is_empty());
}
