//! The names of the Secrets of an immutable output: the name in the spec, a dash, and the number of the content, from 1.

/// The names that an output may have.
pub(super) struct Numbered(String);

impl Numbered {
    /// Those of an output with this name in the spec.
    pub(super) fn new(name: &str) -> Self {
        Self(format!("{name}-"))
    }

    /// The name that follows another one; without another one the first.
    pub(super) fn after(&self, name: Option<&str>) -> String {
        let number = name.and_then(|name| self.number(name)).unwrap_or(0);
        format!("{}{}", self.0, number.saturating_add(1))
    }

    /// The last of these names, if any of them is one of the output.
    pub(super) fn last<'a>(&self, names: impl Iterator<Item = &'a str>) -> Option<String> {
        let numbered = names.filter_map(|name| Some((self.number(name)?, name)));
        numbered.max().map(|(_, name)| name.to_owned())
    }

    fn number(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.0)?;
        let number = digits.parse().ok()?;
        // Not 01, which another client wrote.
        (u64::to_string(&number) == digits).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_from_one() {
        let names = Numbered::new("edc");
        assert_eq!(names.after(None), "edc-1");
        assert_eq!(names.after(Some("edc-9")), "edc-10");
        assert_eq!(names.after(Some("another")), "edc-1");
        let found = ["edc-9", "edc-10", "edc-011", "edc-+12", "edc-13x", "edc", "edcx-14", "edc-a-15"];
        assert_eq!(names.last(found.into_iter()).as_deref(), Some("edc-10"));
        assert_eq!(names.last(["other-1"].into_iter()), None);
    }
}
