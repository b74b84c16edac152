//! Since when the login Secrets have their present content. It is recorded with a digest of the content, so that it survives a
//! restart of the operator and a Secret that is created again, and so that nothing is written while the content is the same.

use jiff::Timestamp;

use crate::api::portal::{LoginFound, PortalStatus};
use crate::controller::portal::memory::SeenLogin;
use crate::site::Logins;

/// Records what was read of the login Secrets. What could not be read is as before.
pub(super) fn record(status: &mut PortalStatus, seen: Option<&Logins<Option<SeenLogin>>>, now: Timestamp) {
    let Some(Logins { main, deletion }) = seen else { return };
    status.login = found(status.login.take(), main.as_ref(), now);
    let before = status.deletion_login.take();
    status.deletion_login = deletion.as_ref().and_then(|seen| found(before, seen.as_ref(), now));
}

fn found(before: Option<LoginFound>, seen: Option<&SeenLogin>, now: Timestamp) -> Option<LoginFound> {
    let Some(seen) = seen else { return before };
    if before.as_ref().is_some_and(|before| before.digest == seen.digest) {
        return before;
    }
    let since = seen.written.unwrap_or(now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Some(LoginFound { since, digest: seen.digest.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_login_is_that_of_its_content() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = time("2026-11-27T12:00:00Z");
        let seen = |digest: &str, written: Option<&str>| {
            Some(SeenLogin { digest: digest.into(), written: written.map(time) })
        };
        let mut status = PortalStatus::default();
        let mut read = |main, deletion| {
            record(&mut status, Some(&Logins { main, deletion }), now);
            let since = |login: &Option<LoginFound>| login.as_ref().map(|login| login.since.clone());
            (since(&status.login), since(&status.deletion_login))
        };
        let text = |text: &str| Some(text.to_owned());
        let (old, new) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
        assert_eq!(read(seen("a", Some(old)), None), (text(old), None));
        assert_eq!(
            read(seen("a", Some(new)), None),
            (text(old), None),
            "a label was changed, or it was restored"
        );
        assert_eq!(
            read(None, Some(seen("d", None))),
            (text(old), text("2026-11-27T12:00:00Z")),
            "it is not there"
        );
        assert_eq!(read(seen("b", Some(new)), Some(None)), (text(new), text("2026-11-27T12:00:00Z")));
        assert_eq!(read(seen("b", None), None), (text(new), None));
    }
}
