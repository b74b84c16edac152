//! The credential that is published, and the Secret that holds it.

use crate::api::technical_user::{RecordedCredential, RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::pass::{Pass, SecretAt};
use crate::controller::technical_user::perform::output;
use crate::domain::plan::{SecretView, Settled};

pub(super) fn record_credential(pass: &Pass, new: &mut TechnicalUserStatus, rest: &Settled) {
    let (Some(at), SecretView::Ours { digest: Some(digest), .. }) = (&pass.secret, &pass.observation.secret)
    else {
        return;
    };
    let written = RecordedOutput {
        kind: output::SECRET.to_owned(),
        name: pass.envelope.name.clone(),
        uid: at.version.uid.clone(),
        resource_version: resource_version(pass, at, digest),
        digest: digest.clone(),
    };
    // A key of another installation makes other digests of the same credential; that counts as a new one.
    let known = new.outputs.iter().any(|output| output.digest == *digest) && new.credential.is_some();
    let seen_here = rest.current.as_ref().and_then(|current| output::content_of(pass, &current.id));
    if !known && seen_here.is_some() {
        let time = pass.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let generation = new.credential.as_ref().map_or(0, |credential| credential.generation) + 1;
        new.credential =
            Some(RecordedCredential { generation, issued_at: time.clone(), first_verified_at: Some(time) });
    }
    replace_secret(&mut new.outputs, written);
}

/// Records the one Secret. Entries of kinds that only a later release knows are kept for it.
fn replace_secret(outputs: &mut Vec<RecordedOutput>, written: RecordedOutput) {
    outputs.retain(|output| output.kind != output::SECRET);
    outputs.push(written);
}

/// The state that this installation has written. What others change of the Secret is not recorded, however often they do.
fn resource_version(pass: &Pass, at: &SecretAt, digest: &str) -> String {
    let as_written = pass.status.outputs.iter().find(|written| {
        written.kind == output::SECRET
            && written.name == pass.envelope.name
            && written.uid == at.version.uid
            && written.digest == digest
    });
    match as_written {
        Some(written) if !pass.secret_written => written.resource_version.clone(),
        _ => at.version.resource_version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_kind_that_only_a_later_release_knows_is_kept() {
        let entry = |kind: &str, name: &str| RecordedOutput {
            kind: kind.into(),
            name: name.into(),
            ..RecordedOutput::default()
        };
        let mut outputs = vec![entry("Secret", "former"), entry("Vault", "edc")];
        replace_secret(&mut outputs, entry("Secret", "edc"));
        assert_eq!(outputs, [entry("Vault", "edc"), entry("Secret", "edc")]);
    }
}
