//! Who may use a Portal, and for what.

use super::roles::quoted;

/// One rule that matches the namespace of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The roles that may be requested; `None` means every role.
    pub roles: Option<Vec<String>>,
    /// Users that the operator did not create may be published.
    pub existing: bool,
    /// Users that the operator did not create may be taken over.
    pub adopt: bool,
}

/// What the rules that match a namespace grant together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(pub Vec<Grant>);

impl Grants {
    /// What a Portal without `access` grants to its own namespace: everything.
    #[must_use]
    pub fn everything() -> Self {
        Self(vec![Grant { roles: None, existing: true, adopt: true }])
    }

    /// Whether one rule grants all these roles together.
    #[must_use]
    pub fn roles(&self, requested: &[String]) -> bool {
        self.0.iter().any(|g| {
            g.roles.as_ref().is_none_or(|granted| requested.iter().all(|role| granted.contains(role)))
        })
    }

    /// Whether users that the operator did not create may be published.
    #[must_use]
    pub fn existing(&self) -> bool {
        self.0.iter().any(|g| g.existing)
    }

    /// What the rules grant that allow to publish users which the operator did not create.
    #[must_use]
    pub fn for_existing(&self) -> Self {
        Self(self.0.iter().filter(|g| g.existing).cloned().collect())
    }

    /// Whether users that the operator did not create may be taken over.
    #[must_use]
    pub fn adopting(&self) -> bool {
        self.0.iter().any(|g| g.adopt)
    }

    /// What the rules grant that allow to take over users which the operator did not create.
    #[must_use]
    pub fn for_adopting(&self) -> Self {
        Self(self.0.iter().filter(|g| g.adopt).cloned().collect())
    }

    /// Why the roles are not granted. It does not show the selectors of the Portal's rules.
    #[must_use]
    pub fn denial(&self, namespace: &str, requested: &[String]) -> String {
        if self.0.is_empty() {
            return format!(
                "No rule of the Portal's access selects namespace \"{namespace}\". Check the labels of the namespace, or ask the \
                 Portal's owner for a rule."
            );
        }
        format!(
            "The Portal's access does not grant {} to namespace \"{namespace}\" (granted: {}). Check the spelling of the role, or \
             ask the Portal's owner for a rule. One rule must grant all roles together.",
            quoted(&requested.iter().map(String::as_str).collect::<Vec<_>>()),
            self.granted_words(),
        )
    }

    /// The roles granted, in words.
    #[must_use]
    pub fn granted_words(&self) -> String {
        let granted = self.granted_roles();
        if granted.is_empty() { "no role".to_owned() } else { granted.join(", ") }
    }

    /// The roles granted, for a message.
    #[must_use]
    pub fn granted_roles(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.0.iter().filter_map(|g| g.roles.as_ref()).flatten().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rule_must_grant_the_whole_request() {
        let rule = |roles: &[&str]| Grant {
            roles: Some(roles.iter().map(ToString::to_string).collect()),
            existing: false,
            adopt: false,
        };
        let grants = Grants(vec![rule(&["A", "B"]), rule(&["C"])]);
        assert!(grants.roles(&["A".into(), "B".into()]));
        assert!(!grants.roles(&["A".into(), "C".into()]));
        assert!(!grants.existing());
        assert!(!Grants::default().roles(&["A".into()]));
        assert!(Grants::everything().roles(&["A".into()]) && Grants::everything().existing());
    }

    #[test]
    fn a_denial_says_whether_the_namespace_or_the_role_is_the_reason() {
        let words = Grants::default().denial("connector", &["A".into()]);
        assert!(words.contains("selects namespace \"connector\"") && words.contains("labels"), "{words}");
        let rule = |roles: Option<Vec<String>>| Grants(vec![Grant { roles, existing: false, adopt: false }]);
        let words = rule(Some(vec!["B".into()])).denial("connector", &["A".into()]);
        assert!(words.contains("does not grant \"A\"") && words.contains("(granted: B)"), "{words}");
        assert!(words.contains("spelling") && !words.contains("labels"), "{words}");
        let words = rule(Some(Vec::new())).denial("connector", &["A".into()]);
        assert!(words.contains("(granted: no role)"), "{words}");
    }

    #[test]
    fn for_existing_users_only_the_roles_of_such_rules_count() {
        let rule = |roles: &[&str], existing| Grant {
            roles: Some(roles.iter().map(ToString::to_string).collect()),
            existing,
            adopt: false,
        };
        let grants = Grants(vec![rule(&["A", "B"], false), rule(&["C"], true)]).for_existing();
        assert!(grants.roles(&["C".into()]));
        assert!(!grants.roles(&["A".into()]) && !grants.roles(&["A".into(), "C".into()]));
        assert!(Grants::everything().for_existing().roles(&["A".into()]));
    }
}
