//! The proof in a status that a user is a resource's.

use crate::domain::digest::DigestKey;
use crate::domain::identity::Owner;
use crate::domain::user::UserId;

/// What `status.user.proof` says of a user of a resource: a keyed digest of resource, id and generation. It is written only
/// after the portal showed the user to be the resource's, so that it can replace a mark that a person removed, and the
/// outcome of the create of that generation.
#[must_use]
pub fn proof(key: &DigestKey, owner: &Owner, id: &UserId, generation: i64) -> String {
    // No key of a Secret contains a space, so this is never the digest of an output.
    key.digest([
        ("user of", owner.to_string().as_bytes()),
        ("user id", id.as_str().as_bytes()),
        ("user generation", generation.to_string().as_bytes()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_support::owner;

    #[test]
    fn a_proof_is_of_one_user_of_one_resource_by_one_installation() {
        let (key, id) = (DigestKey::new(&[1; 32]), UserId::new("u1"));
        let right = proof(&key, &owner("edc"), &id, 1);
        assert_eq!(right, proof(&key, &owner("edc"), &id, 1));
        assert_ne!(right, proof(&key, &owner("other"), &id, 1));
        assert_ne!(right, proof(&key, &owner("edc"), &UserId::new("u2"), 1));
        assert_ne!(right, proof(&key, &owner("edc"), &id, 2), "of the create of another user");
        assert_ne!(right, proof(&DigestKey::new(&[2; 32]), &owner("edc"), &id, 1));
    }
}
