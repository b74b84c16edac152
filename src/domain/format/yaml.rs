//! Writes YAML documents of maps, lists and texts.

use secrecy::SecretString;

use super::quote;
use super::text::SecretText;

/// A part of a document. Its keys are plain words.
pub(super) enum Node<'a> {
    /// A map, which has entries.
    Map(Vec<(&'a str, Node<'a>)>),
    /// A list of texts, which has entries.
    List(Vec<&'a str>),
    /// A text.
    Text(&'a str),
}

/// A document with these entries. No newline at its end.
pub(super) fn document(entries: &[(&str, Node<'_>)]) -> SecretString {
    let mut text = SecretText::new();
    write_entries(&mut text, entries, 0);
    text.finish()
}

fn write_entries(text: &mut SecretText, entries: &[(&str, Node<'_>)], depth: usize) {
    for (key, node) in entries {
        begin_line(text, depth);
        text.push(key);
        text.push(":");
        match node {
            Node::Map(entries) => write_entries(text, entries, depth + 1),
            Node::List(items) => {
                for item in items {
                    begin_line(text, depth + 1);
                    text.push("- ");
                    quote::yaml(text, item);
                }
            }
            Node::Text(value) => {
                text.push(" ");
                quote::yaml(text, value);
            }
        }
    }
}

fn begin_line(text: &mut SecretText, depth: usize) {
    if !text.as_str().is_empty() {
        text.push("\n");
    }
    for _ in 0..depth {
        text.push("  ");
    }
}
