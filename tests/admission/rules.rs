//! No rule without a case: the messages of the definitions all occur among the refusals.

use std::collections::BTreeSet;

use crate::schema::{self, definition};
use crate::support::Kind;
use crate::{portals, technical_users, updates, vaults};

#[test]
fn every_rule_has_a_case_that_it_refuses() {
    let refusals: BTreeSet<&str> = technical_users::cases()
        .iter()
        .chain(&portals::cases())
        .chain(&vaults::cases())
        .filter_map(|case| case.refused)
        .chain(updates::changes().iter().filter_map(|change| change.refused))
        .collect();
    for kind in Kind::ALL {
        let mut rules = 0;
        schema::walk("", &definition(kind), &mut |path, schema| {
            for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
                rules += 1;
                let message =
                    rule["message"].as_str().unwrap_or_else(|| panic!("{path}: a rule without a message"));
                assert!(
                    refusals.contains(message),
                    "{} {path}: no case is refused by {message:?}",
                    kind.name()
                );
            }
        });
        assert!(rules > 5, "only {rules} rules of {} found", kind.name());
    }
}
