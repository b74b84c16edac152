//! The files that a page has a reader save.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A page of the documentation.
pub struct Page(String);

impl Page {
    /// Reads `docs/<name>`.
    pub fn read(name: &str) -> Self {
        Self(fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap())
    }

    /// The text of the page.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The block whose first line is the comment `# name`.
    pub fn file(&self, name: &str) -> String {
        let first_line = format!("# {name}\n");
        let blocks = self.0.split("\n```");
        // A fence's language stands before the first line.
        let mut found = blocks
            .filter_map(|block| block.split_once('\n'))
            .filter_map(|(_, block)| block.strip_prefix(&first_line));
        let block = found.next().unwrap_or_else(|| panic!("the page has no block {name}"));
        assert!(found.next().is_none(), "the page has two blocks {name}");
        block.to_owned()
    }

    /// The same, as YAML.
    pub fn yaml(&self, name: &str) -> Value {
        serde_saphyr::from_str(&self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}
