//! What list and mark show of a user without its details.

use crate::domain::identity::{Mark, Owner};

/// The generation of a user as the portal shows it: by its name, else, if a person renamed it, by its mark. A name has two
/// digits of the generation; the mark completes them, and if none was read, the generation that is recorded.
#[must_use]
pub fn generation_shown(owner: &Owner, name: &str, mark: Option<&Mark>, recorded: i64) -> Option<i64> {
    let by_mark = mark.filter(|mark| mark.is_of(owner)).map(|mark| mark.generation);
    owner.generation_of(name, by_mark.unwrap_or(recorded)).or(by_mark)
}

/// Whether list and mark, without its details, show a user to be the resource's of this generation. A mark that was read
/// decides.
#[must_use]
pub fn is_shown(owner: &Owner, generation: i64, name: &str, mark: Option<&Mark>) -> bool {
    let not_ours = mark.is_some_and(|mark| !mark.is_of(owner) || mark.retained);
    generation > 0 && !not_ours && generation_shown(owner, name, mark, generation) == Some(generation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Hint;
    use crate::domain::test_support::owner;

    fn mark(name: &str, retained: bool) -> Mark {
        Mark { owner: owner(name), generation: 1, hint: Hint::read("here"), retained, login: false }
    }

    #[test]
    fn a_mark_distinguishes_users_whose_names_have_the_same_digits() {
        let (name, recorded) = (owner("edc").user_name(1297, None), 1297);
        let marked = |generation| Mark { generation, ..mark("edc", false) };
        let shown = |mark: Option<&Mark>| generation_shown(&owner("edc"), &name, mark, recorded);
        assert_eq!(shown(None), Some(1297));
        assert_eq!(shown(Some(&marked(1297))), Some(1297));
        assert_eq!(shown(Some(&marked(1))), Some(1));
        let is_shown =
            |generation, mark: Option<Mark>| is_shown(&owner("edc"), generation, &name, mark.as_ref());
        assert!(is_shown(1297, None) && is_shown(1297, Some(marked(1297))));
        assert!(!is_shown(1297, Some(marked(1))) && !is_shown(1, Some(marked(1297))));
    }

    #[test]
    fn name_and_mark_show_a_user_of_a_generation_without_its_details() {
        let (first, retained) = (mark("edc", false), mark("edc", true));
        let (others, name) = (mark("other", false), |generation| owner("edc").user_name(generation, None));
        for (generation, name, mark, expected) in [
            (1, name(1), None, true),
            (1, format!("dim-{}", name(1)), None, true),
            (1, name(1), Some(&first), true),
            (2, name(1), None, false),
            (0, "by-hand".into(), None, false),
            (1, "by-hand".into(), None, false),
            (1, "renamed".into(), Some(&first), true),
            (2, "renamed".into(), Some(&first), false),
            (1, name(1), Some(&others), false),
            (1, name(1), Some(&retained), false),
        ] {
            assert_eq!(
                is_shown(&owner("edc"), generation, &name, mark),
                expected,
                "{generation} {name} {mark:?}"
            );
        }
    }
}
