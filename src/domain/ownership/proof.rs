//! The proofs that a user, and a Secret, are a resource's.

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

/// What the annotation `technicaluser.dev/proof` of a Secret says: a keyed digest of the resource for which the operator wrote it,
/// and of the name under which it did so. A copy under another name has the same annotations, so there the proof is wrong.
#[must_use]
pub fn secret_proof(key: &DigestKey, owner: &Owner, uid: &str, secret: &str) -> String {
    // As above, no digest of an output or of a user.
    key.digest([
        ("secret of", owner.to_string().as_bytes()),
        ("resource uid", uid.as_bytes()),
        ("secret name", secret.as_bytes()),
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
    #[test]
    fn a_proof_is_of_one_secret_of_one_object_by_one_installation() {
        let key = DigestKey::new(&[1; 32]);
        let right = secret_proof(&key, &owner("edc"), "uid1", "edc-env");
        assert_eq!(right, secret_proof(&key, &owner("edc"), "uid1", "edc-env"));
        assert_ne!(right, secret_proof(&key, &owner("edc"), "uid1", "copy"));
        assert_ne!(right, secret_proof(&key, &owner("edc"), "uid2", "edc-env"), "created again");
        assert_ne!(right, secret_proof(&key, &owner("other"), "uid1", "edc-env"));
        assert_ne!(right, secret_proof(&DigestKey::new(&[2; 32]), &owner("edc"), "uid1", "edc-env"));
    }
}
