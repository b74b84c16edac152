//! A user is taken over by a new resource with `create.adopt`: whether that works is what the operator's own plan says.

use std::io::Write;

use kube::api::{Api, DynamicObject, PostParams};
use serde_json::{Value, json};

use super::{Now, in_time, say, words};
use crate::config::PlaceArgs;
use crate::controller::objects::{Key, technical_users};
use crate::controller::once::{self, Look, Unclaimed};
use crate::domain::reason::Reason;
use crate::k8s::words as error_words;
use crate::oneshot::objects::cluster;

/// Who writes the resource.
const MANAGER: &str = "technical-user-operator-unclaimed";

/// Prints the resource that takes a user over, and creates it if that is asked for.
pub(super) async fn adopt(
    place: &PlaceArgs,
    named: &str,
    into: &Key,
    apply: bool,
    out: &mut (dyn Write + Send),
) -> Result<String, String> {
    let now = Now::read(place, None).await?;
    let user = now.user(place, named).await?;
    say(out, &comment(&words::user(&user)));
    if now.session.ctx.cached_user(into).is_some() {
        return Err(format!(
            "TechnicalUser {into} exists, and create.adopt cannot be added to it. Name a TechnicalUser that does not exist"
        ));
    }
    let manifest = manifest(&user, &now.portal, into);
    let subject: DynamicObject = serde_json::from_value(manifest.clone())
        .map_err(|_| format!("TechnicalUser {into} cannot be composed"))?;
    let look = look(place, &subject, into).await?;
    may_take_over(&look, &user, &now.portal, into)?;
    let text = serde_saphyr::to_string(&manifest).map_err(|error| error.to_string())?;
    if !apply {
        return Ok(format!("# Apply this TechnicalUser, which takes the user over\n{text}"));
    }
    create(place, into, &subject).await?;
    Ok(format!("{text}# TechnicalUser {into} was created and takes the user over\n"))
}

/// A text as comments of YAML: all that is printed can be saved as a manifest.
fn comment(text: &str) -> String {
    text.lines().flat_map(|line| ["# ", line, "\n"]).collect()
}

/// What the operator would do for the resource.
async fn look(place: &PlaceArgs, subject: &DynamicObject, into: &Key) -> Result<Look, String> {
    let then = Now::read(place, Some(subject.clone())).await?;
    in_time(place, async { Ok(once::look(&then.session.ctx, into).await) }).await
}

/// The resource. One of the name that the mark has finds the user by its mark.
fn manifest(user: &Unclaimed, portal: &Key, into: &Key) -> Value {
    let roles = &user.user.roles;
    let create = if is_of(user, into) {
        json!({"roles": roles})
    } else {
        json!({"roles": roles, "adopt": {"id": user.user.id.as_str()}})
    };
    json!({
        "apiVersion": "technicaluser.dev/v1alpha1",
        "kind": "TechnicalUser",
        "metadata": {"name": into.name, "namespace": into.namespace},
        "spec": {
            "portalRef": {"name": portal.name, "namespace": portal.namespace},
            "user": {"create": create},
        },
    })
}

fn is_of(user: &Unclaimed, into: &Key) -> bool {
    user.mark.owner.namespace == into.namespace && user.mark.owner.name == into.name
}

/// Whether the operator would take the user over.
fn may_take_over(look: &Look, user: &Unclaimed, portal: &Key, into: &Key) -> Result<(), String> {
    let why = || look.message().unwrap_or("the operator would not take it over").to_owned();
    if look.why.as_ref().is_some_and(|why| why.reason == Reason::AccessDenied) {
        let rule = json!([{
            "namespaces": {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": into.namespace}}},
            "roles": user.user.roles,
            "adopt": true,
        }]);
        let rule = serde_saphyr::to_string(&json!({"access": rule})).map_err(|error| error.to_string())?;
        return Err(format!("{}\nThe spec of Portal {portal} needs this entry in access:\n{rule}", why()));
    }
    let id = &user.user.id;
    let plans = |step: &str| look.planned.iter().any(|planned| planned.starts_with(step));
    // Of two users with the mark of one resource, the operator publishes the later one and deletes the other.
    let publishes = plans(&format!("write the credential of user {id} "));
    let deletes = plans(&format!("delete user {id} "));
    let is_taken =
        look.planned.contains(&format!("take over user {id}")) || is_of(user, into) && publishes && !deletes;
    if look.has_failed() || !is_taken {
        return Err(why());
    }
    Ok(())
}

async fn create(place: &PlaceArgs, into: &Key, subject: &DynamicObject) -> Result<(), String> {
    let (Some(cluster), _) = cluster(&place.scope()).await? else {
        return Err("a cluster is needed".to_owned());
    };
    let api: Api<DynamicObject> = Api::namespaced_with(cluster, &into.namespace, &technical_users());
    let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    api.create(&params, subject).await.map_err(|error| error_words(&error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::an_unclaimed_user;
    use super::*;

    #[test]
    fn each_line_of_a_comment_is_one() {
        assert_eq!(comment("name\n  id  u1\n"), "# name\n#   id  u1\n");
    }

    #[test]
    fn a_user_is_taken_over_only_if_it_is_the_one_that_is_published() {
        let user = an_unclaimed_user();
        let key = |namespace: &str, name: &str| Key { namespace: namespace.into(), name: name.into() };
        let (portal, own, other) = (key("home", "p"), key("connector", "edc"), key("connector", "heir"));
        for (into, planned, expected) in [
            (&own, vec!["write the credential of user u1 into Secret \"edc\""], true),
            (&own, vec!["write the credential of user u12 into Secret \"edc\""], false),
            (
                &own,
                vec!["write the credential of user u2 into Secret \"edc\"", "delete user u1 in the portal"],
                false,
            ),
            (&own, vec!["create user x in the portal"], false),
            (&own, vec![], false),
            (&other, vec!["take over user u1", "write the credential of user u1 into Secret \"heir\""], true),
            (&other, vec!["write the credential of user u1 into Secret \"heir\""], false),
        ] {
            let planned: Vec<String> = planned.into_iter().map(str::to_owned).collect();
            let look = Look { planned, why: None, known: true };
            assert_eq!(may_take_over(&look, &user, &portal, into).is_ok(), expected, "{:?}", look.planned);
        }
    }
}
