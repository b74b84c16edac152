//! The command `unclaimed`: users with the operator's mark that no resource has are listed, deleted or taken over, one by one.
//!
//! Whether nothing has a user is decided by the controller's code, and so is whether `create.adopt` takes it over.

mod adopt;
mod words;

use std::io::{BufRead, Write};
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::objects::cluster;
use super::session::Session;
use crate::config::{Output, PlaceArgs, UnclaimedArgs, UnclaimedCommand};
use crate::controller::objects::Key;
use crate::controller::once::{self, Cluster, Unclaimed};

/// What a person types to delete a user.
const CONSENT: &str = "yes";

/// Carries the command out: reads the consent of a person from `answers`, writes the result to `out`, and returns the exit code: 0, or
/// 1 if it was not carried out.
pub async fn run(
    args: UnclaimedArgs,
    answers: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> u8 {
    let ended = match &args.command {
        UnclaimedCommand::List { place, output } => list(place, *output).await,
        UnclaimedCommand::Delete { place, user, yes, other_cluster } => {
            let asked = Asked { user, yes: *yes, other_cluster: *other_cluster };
            delete(place, &asked, answers, out).await
        }
        UnclaimedCommand::Adopt { place, user, into, apply } => {
            let into = Key { namespace: into.0.clone(), name: into.1.clone() };
            adopt::adopt(place, user, &into, *apply, out).await
        }
    };
    let (text, code) = match ended {
        Ok(text) => (text, 0),
        Err(why) => (format!("{why}\n"), 1),
    };
    say(out, &text);
    code
}

/// A reader that has ended wants nothing more.
fn say(out: &mut (dyn Write + Send), text: &str) {
    let _reader_has_ended = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The cluster and the portal as they are now.
struct Now {
    session: Session,
    portal: Key,
}

impl Now {
    async fn read(place: &PlaceArgs, subject: Option<kube::api::DynamicObject>) -> Result<Self, String> {
        let scope = place.scope();
        let (_, namespace) = cluster(&scope).await?;
        let portal = Key { namespace, name: place.portal.clone() };
        let session = in_time(place, Box::pin(Session::of_portal(&scope, &portal, subject))).await?;
        Ok(Self { session, portal })
    }

    async fn user(&self, place: &PlaceArgs, named: &str) -> Result<Unclaimed, String> {
        in_time(place, once::unclaimed_user(&self.session.ctx, &self.portal, named)).await
    }
}

async fn in_time<T>(place: &PlaceArgs, work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let limit = Duration::from_secs(u64::from(place.timeout));
    timeout(limit, work).await.map_err(|_| "the portal was not read in time (--timeout)".to_owned())?
}

async fn list(place: &PlaceArgs, output: Output) -> Result<String, String> {
    let now = Now::read(place, None).await?;
    let found = in_time(place, once::unclaimed(&now.session.ctx, &now.portal)).await?;
    if output == Output::Json {
        let users = found.iter().filter_map(|(_, judged)| judged.as_ref().ok()).map(words::document);
        let kept = found.iter().filter_map(|(id, judged)| {
            let why = judged.as_ref().err()?;
            Some(json!({"id": id.as_str(), "why": why}))
        });
        let document = json!({"users": users.collect::<Vec<_>>(), "notUnclaimed": kept.collect::<Vec<_>>()});
        return Ok(format!("{document:#}\n"));
    }
    if found.is_empty() {
        return Ok("No user with the mark of the operator is without a TechnicalUser\n".to_owned());
    }
    let text = |(_, judged): &(_, Result<Unclaimed, String>)| match judged {
        Ok(user) => words::user(user),
        Err(why) => format!("{why}\n"),
    };
    Ok(found.iter().map(text).collect::<Vec<_>>().join("\n"))
}

/// What a person asks for.
struct Asked<'a> {
    user: &'a str,
    yes: bool,
    other_cluster: bool,
}

async fn delete(
    place: &PlaceArgs,
    asked: &Asked<'_>,
    answers: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<String, String> {
    let seen = Now::read(place, None).await?.user(place, asked.user).await?;
    say(out, &words::user(&seen));
    if seen.cluster != Cluster::This && !asked.other_cluster {
        return Err(
            "Its mark is of another cluster or installation, which may use it. If that does not exist any more, give --other-cluster"
                .to_owned(),
        );
    }
    if !asked.yes && !consents(answers, out, &seen) {
        return Err("Nothing was deleted".to_owned());
    }
    // What was shown may be old by now: resources, list and details are read again.
    let now = Now::read(place, None).await?;
    let user = now.user(place, seen.user.id.as_str()).await?;
    if words::document(&user) != words::document(&seen) {
        return Err(format!(
            "User {} has changed since. Nothing was deleted. Look at it again",
            seen.user.id
        ));
    }
    let latest = in_time(place, Session::of_resources(&place.scope())).await?;
    in_time(place, once::delete(&now.session.ctx, &latest.ctx, &now.portal, &user)).await?;
    Ok(format!("User {} was deleted\n", user.user.id))
}

fn consents(answers: &mut (dyn BufRead + Send), out: &mut (dyn Write + Send), user: &Unclaimed) -> bool {
    say(out, &format!("Programs that use it stop working. Type {CONSENT} to delete user {}: ", user.user.id));
    let mut answer = String::new();
    let typed = answers.read_line(&mut answer).is_ok_and(|_| answer.trim() == CONSENT);
    if !typed {
        say(out, "\n");
    }
    typed
}

#[cfg(test)]
mod tests {
    use super::words::tests::an_unclaimed_user;
    use super::*;

    #[test]
    fn only_the_whole_word_is_a_consent() {
        for (answer, expected) in [
            ("yes\n", true),
            (" yes \n", true),
            ("y\n", false),
            ("no\n", false),
            ("", false),
            ("yes please\n", false),
        ] {
            let mut said = Vec::new();
            assert_eq!(
                consents(&mut answer.as_bytes(), &mut said, &an_unclaimed_user()),
                expected,
                "{answer:?}"
            );
            assert!(String::from_utf8(said).unwrap().contains("delete user u1"));
        }
    }
}
