//! A message that asks for an annotation shows it as `key=value`, as `kubectl annotate` expects it.

use regex::Regex;

use crate::sources;

/// The names of annotations that a person sets without a value behind them, in the texts of a source.
fn without_value(source: &str) -> Vec<String> {
    let key =
        Regex::new(r"technicaluser\.dev/(?:release|rotate|take-over|accept-loss|portal-moved)\b").unwrap();
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let bare = |line: &str| {
        let found = key.find_iter(line).filter(|found| !line[found.end()..].starts_with('='));
        found.map(|found| found.as_str().to_owned()).collect::<Vec<_>>()
    };
    lines.flat_map(bare).collect()
}

#[test]
fn messages_show_annotations_with_a_value() {
    let mut seen = 0;
    for (file, text) in sources() {
        // Where the names are defined they have no value.
        if file == "api/mod.rs" || file.contains("/tests") {
            continue;
        }
        seen += text.matches("technicaluser.dev/release=true").count();
        assert_eq!(without_value(&text), Vec::<String>::new(), "{file}");
    }
    assert!(seen > 5, "only {seen} messages found");
}

#[test]
fn a_name_alone_is_found() {
    assert_eq!(without_value("annotate it with technicaluser.dev/rotate, now").len(), 1);
    assert_eq!(without_value("annotate it with technicaluser.dev/accept-loss: {count}").len(), 1);
    assert!(without_value("technicaluser.dev/rotate={id} and technicaluser.dev/creating").is_empty());
    assert!(without_value("/// technicaluser.dev/rotate").is_empty());
}
