//! Whether a user that a status names is proved to be the resource's. A status can be written by others, so its id and
//! generation alone prove nothing.

use crate::api::technical_user::RecordedUser;
use crate::controller::context::Installation;
use crate::controller::portal::inventory::Inventory;
use crate::domain::identity::Owner;
use crate::domain::ownership;
use crate::domain::user::UserId;

/// Whether the proof beside the id is right, or the portal shows the user under a name or with a mark of this very resource
/// and generation. The latter serves for a status without a proof: of an earlier release, or written before the user was read.
#[must_use]
pub fn is_proved(
    installation: &Installation,
    owner: &Owner,
    user: &RecordedUser,
    inventory: Option<&Inventory>,
) -> bool {
    let (id, generation) = (UserId::new(&user.id), user.generation.unwrap_or(0));
    let right = || ownership::proof(&installation.digest_key, owner, &id, generation);
    let shown = |inventory: &Inventory| {
        let mark = inventory.mark(&id).flatten();
        inventory
            .get(&id)
            .is_some_and(|listed| ownership::is_shown(owner, generation, &listed.name, mark.as_ref()))
    };
    user.proof.as_ref().is_some_and(|given| *given == right()) || inventory.is_some_and(shown)
}

/// Whether a user that a status names is one that the portal should have: it is proved to be the resource's, or its recorded
/// name is of this very resource and generation. The latter proves nothing, since it can be written by others; but it is all
/// that is left where the proof is of another copy of the installation, and the portal does not show the user any more.
#[must_use]
pub fn is_expected(
    installation: &Installation,
    owner: &Owner,
    user: &RecordedUser,
    inventory: Option<&Inventory>,
) -> bool {
    let is_named = || user.generation.is_some_and(|given| owner.is_name_of(given, &user.name));
    is_named() || is_proved(installation, owner, user, inventory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::test_support::{installation, inventory_with};
    use crate::domain::identity::{Hint, Mark};
    use crate::domain::test_support::{listed, listed_for, owner};

    fn user(id: &str, proof: Option<String>) -> RecordedUser {
        let name = owner("edc").user_name(1, None);
        RecordedUser { id: id.into(), generation: Some(1), name, proof, ..RecordedUser::default() }
    }

    #[test]
    fn only_a_proved_user_counts() {
        let proof = |id| ownership::proof(&installation().digest_key, &owner("edc"), &UserId::new(id), 1);
        let proved = |user: &RecordedUser| is_proved(&installation(), &owner("edc"), user, None);
        assert!(proved(&user("u1", Some(proof("u1")))));
        assert!(!proved(&user("u1", None)), "its name can be written by anybody");
        assert!(!proved(&user("u1", Some(proof("u2")))));
        assert!(!proved(&RecordedUser { generation: Some(2), ..user("u1", Some(proof("u1"))) }));
        assert!(!is_proved(&installation(), &owner("other"), &user("u1", Some(proof("u1"))), None));
    }

    #[test]
    fn a_user_is_expected_by_its_proof_or_by_a_name_of_its_generation() {
        let expected = |user: &RecordedUser| is_expected(&installation(), &owner("edc"), user, None);
        let proof = ownership::proof(&installation().digest_key, &owner("edc"), &UserId::new("u1"), 1);
        let renamed = RecordedUser { name: "renamed".into(), ..user("u1", None) };
        assert!(expected(&user("u1", None)) && expected(&user("u1", Some("of another copy".into()))));
        assert!(expected(&RecordedUser { proof: Some(proof), ..renamed.clone() }));
        assert!(!expected(&renamed));
        assert!(!expected(&RecordedUser { generation: Some(2), ..user("u1", None) }));
        assert!(!expected(&RecordedUser { generation: None, ..user("u1", None) }), "an existing user");
        assert!(!is_expected(&installation(), &owner("other"), &user("u1", None), None));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_proof_the_portal_shows_whose_user_it_is() {
        let users =
            vec![listed_for("named", &owner("edc")), listed("renamed", "by-hand"), listed("other", "x")];
        let inventory = inventory_with(users).await;
        let proved = |id| is_proved(&installation(), &owner("edc"), &user(id, None), Some(&inventory));
        assert!(proved("named"));
        assert!(!proved("renamed") && !proved("other") && !proved("in no list"));
        let mark = |name, retained| {
            Some(Mark { owner: owner(name), generation: 1, hint: Hint::read("here"), retained, login: false })
        };
        inventory.remember(&UserId::new("renamed"), mark("edc", false));
        assert!(proved("renamed"));
        for other in [mark("other", false), mark("edc", true)] {
            inventory.remember(&UserId::new("named"), other);
            assert!(!proved("named"), "what the mark says counts for more than the name");
        }
    }
}
