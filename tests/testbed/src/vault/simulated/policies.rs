//! Policies: which capabilities a token has at a path.

use std::collections::{BTreeMap, BTreeSet};

/// A word of Vault's policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Capability {
    Create,
    Read,
    Update,
    Delete,
    List,
    Patch,
    Sudo,
    Deny,
}

impl Capability {
    const ALL: [(&'static str, Self); 8] = [
        ("create", Self::Create),
        ("read", Self::Read),
        ("update", Self::Update),
        ("delete", Self::Delete),
        ("list", Self::List),
        ("patch", Self::Patch),
        ("sudo", Self::Sudo),
        ("deny", Self::Deny),
    ];

    fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, capability)| *capability == self).map_or("", |(word, _)| word)
    }
}

/// A policy: capabilities by the pattern of a path.
pub(super) type Policy = BTreeMap<String, BTreeSet<Capability>>;

/// What each token may do unless it is issued without this policy.
pub(super) fn of_default() -> Policy {
    read(
        r#"
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
"#,
    )
}

/// Reads `path "…" { capabilities = [ … ] }`, the only form that the tests use.
pub(super) fn read(text: &str) -> Policy {
    let mut policy = Policy::new();
    for block in text.split("path ").skip(1) {
        let mut quoted = block.split('"').skip(1).step_by(2);
        let Some(pattern) = quoted.next() else { continue };
        let known = |word: &str| Capability::ALL.into_iter().find(|(name, _)| *name == word);
        let capabilities = quoted.filter_map(known).map(|(_, capability)| capability);
        policy.entry(pattern.to_owned()).or_default().extend(capabilities);
    }
    policy
}

/// What the policies of a token permit together.
pub(super) struct Permitted {
    root: bool,
    rules: Policy,
}

impl Permitted {
    pub(super) fn of(names: &[String], policies: &BTreeMap<String, Policy>) -> Self {
        let mut rules = Policy::new();
        for (pattern, capabilities) in names.iter().filter_map(|name| policies.get(name)).flatten() {
            rules.entry(pattern.clone()).or_default().extend(capabilities);
        }
        Self { root: names.iter().any(|name| name == "root"), rules }
    }

    pub(super) fn allows(&self, path: &str, wanted: Capability) -> bool {
        self.root || self.at(path).is_some_and(|found| found.contains(&wanted))
    }

    /// As the call for capabilities shows them.
    pub(super) fn words(&self, path: &str) -> Vec<&'static str> {
        if self.root {
            return vec!["root"];
        }
        let mut words: Vec<_> =
            self.at(path).into_iter().flatten().map(|capability| capability.word()).collect();
        words.sort_unstable();
        if words.is_empty() { vec!["deny"] } else { words }
    }

    /// Whether some rule is about the content of a mount.
    pub(super) fn names_mount(&self, mount: &str) -> bool {
        let is_about = |pattern: &String| {
            let fixed = pattern.split(['*', '+']).next().unwrap_or_default();
            fixed.starts_with(&format!("{mount}/"))
                || (fixed.len() < pattern.len() && mount.starts_with(fixed))
        };
        let grants = |rules: &BTreeSet<Capability>| !rules.contains(&Capability::Deny);
        self.root || self.rules.iter().any(|(pattern, rules)| is_about(pattern) && grants(rules))
    }

    /// The rule of the most specific pattern: the path itself, or else the longest one.
    fn at(&self, path: &str) -> Option<&BTreeSet<Capability>> {
        let exact = self.rules.get(path);
        let matching = || self.rules.iter().filter(|(pattern, _)| matches(pattern, path));
        let longest = || matching().max_by_key(|(pattern, _)| pattern.len()).map(|(_, rule)| rule);
        exact.or_else(longest).filter(|rule| !rule.contains(&Capability::Deny))
    }
}

/// A `*` at the end stands for any rest, and a `+` for one segment.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, any_rest) = pattern.strip_suffix('*').map_or((pattern, false), |start| (start, true));
    let mut segments = path.split('/');
    let mut parts = pattern.split('/').peekable();
    while let Some(part) = parts.next() {
        let Some(segment) = segments.next() else { return false };
        let is_last = parts.peek().is_none();
        let fits = match part {
            "+" => true,
            part if is_last && any_rest => return segment.starts_with(part),
            part => part == segment,
        };
        if !fits {
            return false;
        }
    }
    segments.next().is_none()
}
