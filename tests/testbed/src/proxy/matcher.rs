//! Which requests a rule or a count is about.

use regex::Regex;

use crate::Error;

/// A condition on a request; everything that is not stated may be anything.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    methods: Vec<String>,
    paths: Vec<String>,
    patterns: Vec<Regex>,
    dry_run: Option<bool>,
    watch: Option<bool>,
}

impl Matcher {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// The requests that want to change something, dry runs included: POST, PUT, PATCH and DELETE.
    #[must_use]
    pub fn writes() -> Self {
        Self::any().method("POST").method("PUT").method("PATCH").method("DELETE")
    }

    /// Requests with this method; stated more than once, with any of these methods.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.methods.push(method.to_ascii_uppercase());
        self
    }

    /// Requests whose path, without the query, contains this; stated more than once, all of these.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.paths.push(part.to_owned());
        self
    }

    /// Requests whose path, without the query, matches a regular expression; stated more than once, all of them.
    pub fn path_regex(mut self, pattern: &str) -> Result<Self, Error> {
        self.patterns.push(Regex::new(pattern).map_err(|error| Error::Argument(error.to_string()))?);
        Ok(self)
    }

    /// Only dry runs, or only requests that are none.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = Some(dry_run);
        self
    }

    /// Only watches, or only requests that are none.
    #[must_use]
    pub fn watch(mut self, watch: bool) -> Self {
        self.watch = Some(watch);
        self
    }

    /// Whether a request with this method and this target (path and query) is meant.
    #[must_use]
    pub fn matches(&self, method: &str, target: &str) -> bool {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let has = |names: &[&str]| query.split('&').any(|parameter| names.contains(&parameter));
        (self.methods.is_empty() || self.methods.iter().any(|wanted| wanted == method))
            && self.paths.iter().all(|part| path.contains(part))
            && self.patterns.iter().all(|pattern| pattern.is_match(path))
            && self.dry_run.is_none_or(|wanted| wanted == has(&["dryRun=All"]))
            && self.watch.is_none_or(|wanted| wanted == has(&["watch=true", "watch=1"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "/api/v1/namespaces/a/secrets/b?fieldManager=m&dryRun=All";

    #[test]
    fn what_is_not_stated_may_be_anything() {
        assert!(Matcher::any().matches("GET", "/"));
        assert!(Matcher::writes().matches("PATCH", SECRET));
        assert!(!Matcher::writes().matches("GET", SECRET));
    }

    #[test]
    fn the_query_is_no_part_of_the_path() {
        assert!(Matcher::any().path("/secrets/").path("/namespaces/a/").matches("GET", SECRET));
        assert!(!Matcher::any().path("fieldManager").matches("GET", SECRET));
        assert!(Matcher::any().path_regex("secrets/b$").unwrap().matches("GET", SECRET));
    }

    #[test]
    fn dry_runs_and_watches_are_recognized_by_the_query() {
        assert!(Matcher::any().dry_run(true).matches("PATCH", SECRET));
        assert!(!Matcher::any().dry_run(false).matches("PATCH", SECRET));
        assert!(Matcher::any().watch(true).matches("GET", "/api/v1/pods?watch=true"));
        assert!(Matcher::any().watch(false).matches("GET", "/api/v1/pods"));
    }
}
