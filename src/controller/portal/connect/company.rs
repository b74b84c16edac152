//! Which company a login belongs to, by the companies that its token names.

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// The company whose users are managed; `None` where the token names none, and never named one, or several.
///
/// `wanted` is what the Portal asks for, `before` what the tokens of the same login named last, and `known` says that the
/// Portal has had a company.
pub fn of_login(
    wanted: Option<&str>,
    found: &[String],
    before: &[String],
    known: bool,
) -> Result<Option<String>, Blocker> {
    let names = |bpn: &str| found.iter().any(|found| found == bpn);
    match (wanted, found) {
        (Some(wanted), _) if names(wanted) => Ok(Some(wanted.to_owned())),
        (_, []) if known || wanted.is_some() => Err(Blocker::passing(
            Reason::CompanyUnknown,
            format!(
                "The token of the login names no company (claim bpn){}. The operator changes nothing in the portal until it does. If \
                 this lasts, restore the mapper of that claim in the identity provider",
                if known { ", which it did before" } else { ", but the Portal sets bpn" }
            ),
        )),
        (Some(wanted), _) => Err(Blocker::lasting(
            Reason::WrongCompany,
            format!(
                "The login belongs to {}, but the Portal sets bpn: {wanted}. The operator changes nothing in the portal",
                found.join(", ")
            ),
        )),
        (None, _) if !before.is_empty() && !before.iter().any(|bpn| names(bpn)) => Err(Blocker::lasting(
            Reason::CompanyChanged,
            format!(
                "The token of the same login now names company {}; before, it named {}. The operator changes nothing in the portal. If \
                 this is intended, set bpn in the Portal to the new company",
                found.join(", "),
                before.join(", ")
            ),
        )),
        (None, [one]) => Ok(Some(one.clone())),
        (None, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        wanted: Option<&str>,
        found: &[&str],
        before: &[&str],
    ) -> Result<Option<String>, (Reason, bool)> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        of_login(wanted, &owned(found), &owned(before), !before.is_empty())
            .map_err(|blocker| (blocker.reason, blocker.stalled))
    }

    #[test]
    fn a_login_belongs_to_the_company_that_the_portal_sets_or_to_its_only_one() {
        let one = Ok(Some("ONE".to_owned()));
        assert_eq!(found(None, &["ONE"], &[]), one);
        assert_eq!(found(None, &["ONE"], &["ONE"]), one);
        assert_eq!(found(None, &["ONE"], &["ONE", "TWO"]), one);
        assert_eq!(found(Some("ONE"), &["ONE", "TWO"], &["ONE"]), one);
        assert_eq!(found(Some("ONE"), &["ONE"], &["TWO"]), one, "the change is meant");
        assert_eq!(found(None, &["ONE", "TWO"], &["ONE"]), Ok(None), "several, and none is chosen");
        assert_eq!(found(None, &[], &[]), Ok(None), "a login that never named one");
    }

    #[test]
    fn a_login_whose_company_is_in_doubt_is_not_used() {
        assert_eq!(found(None, &[], &["ONE"]), Err((Reason::CompanyUnknown, false)));
        assert_eq!(found(Some("ONE"), &[], &[]), Err((Reason::CompanyUnknown, false)));
        assert_eq!(found(Some("ONE"), &["TWO"], &["ONE"]), Err((Reason::WrongCompany, true)));
        assert_eq!(found(None, &["TWO"], &["ONE"]), Err((Reason::CompanyChanged, true)));
        assert_eq!(found(None, &["TWO", "THREE"], &["ONE"]), Err((Reason::CompanyChanged, true)));
    }
}
