//! The layers point one way. This parses the sources and fails on a path that a layer must not name, whether it is
//! imported, written out, hidden in a group or a macro, reached by `super` or by another name. Comments and texts do not
//! count: a link in a documentation is no dependency.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod annotations;
mod content;
mod imports;
mod layers;
mod log_fields;
mod paths;
mod products;
mod seams;
mod source;
mod texts;
mod token_paths;

use std::collections::BTreeSet;
use std::fs;

use layers::{LAYERS, layer_of, violations};
use source::{root, sources};

#[test]
fn no_layer_names_what_it_must_not() {
    let sources = sources();
    assert!(sources.len() > 20, "only {} sources found", sources.len());
    let found: Vec<_> = sources.iter().flat_map(violations).collect();
    assert!(found.is_empty(), "forbidden:\n{}", found.join("\n"));
}

/// The module of a file follows from its path; nothing comes from elsewhere.
#[test]
fn no_source_is_read_from_elsewhere() {
    for source in sources() {
        for elsewhere in ["#[path", "include!("] {
            assert!(!source.text.contains(elsewhere), "src/{}: {elsewhere}", source.file);
        }
    }
}

#[test]
fn every_module_has_its_layer() {
    let without: Vec<_> = sources()
        .iter()
        .map(|source| source.file.clone())
        .filter(|file| !LAYERS.iter().any(|layer| layer.name == layer_of(file)))
        .collect();
    assert!(without.is_empty(), "add a row to the table for: {}", without.join(", "));
}

/// The rows of the table in the crate's documentation: names of the layers, and what they must not name.
fn documented() -> BTreeSet<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let code = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(|text| text.replace("crate::", "")).collect()
    };
    let mut rows = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("//! | `")) {
        let cells: Vec<_> = line.split('|').collect();
        assert!(cells.len() >= 2, "{line}");
        for name in code(&format!("`{}", cells[0])) {
            rows.insert((name, code(cells[1])));
        }
    }
    rows
}

#[test]
fn the_crates_documentation_has_the_same_table() {
    let plain = |text: &&str| text.replace("crate::", "");
    let wanted: BTreeSet<_> = LAYERS
        .iter()
        .filter(|layer| !layer.forbidden.is_empty())
        .map(|layer| (layer.name.to_owned(), layer.forbidden.iter().map(plain).collect()))
        .collect();
    assert_eq!(documented(), wanted, "src/lib.rs and tests/architecture/layers.rs differ");
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    assert!(text.contains("std::env"), "src/lib.rs does not say who may read the environment");
    for source in sources() {
        let module = layer_of(&source.file);
        let listed =
            text.contains(&format!("//! * `{module}`")) || text.contains(&format!("//! * [`{module}`]"));
        assert!(listed || module == "lib", "src/lib.rs does not say what `{module}` is for");
    }
}
