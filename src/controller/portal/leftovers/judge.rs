//! Whether nothing has a user that has the operator's mark: judged before a person deletes it.

use serde_json::{Value, json};

use crate::api::portal::PortalStatus;
use crate::controller::context::Context;
use crate::controller::objects::{Key, lenient};
use crate::controller::portal::connections::Connection;
use crate::controller::portal::logins::operator_logins::LoginPlace;
use crate::controller::portal::{place_of, portal_of};
use crate::controller::technical_user::{owner, taken_over};
use crate::domain::identity::{Mark, parse_own_name};
use crate::domain::ownership::{self, Shown, Source, Whose};
use crate::domain::user::{UserDetails, UserId, UserStatus};
use crate::k8s::stored::StoredObject;

/// A user with the operator's mark that nothing has.
#[derive(Debug, Clone)]
pub struct Unclaimed {
    /// What the portal shows of it. Its credential is not for people.
    pub user: UserDetails,
    /// Its mark.
    pub mark: Mark,
    /// Which cluster the mark is of.
    pub cluster: Cluster,
}

/// Which cluster a mark is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cluster {
    /// This one, or one whose users a person permits to take over.
    This,
    /// Another cluster with the same name of the installation.
    Other,
    /// Another installation, perhaps in this cluster.
    OtherInstallation,
}

/// Judges a user by its details as they were just read, by all resources of the cluster, and by all logins. The error says who has
/// it.
pub fn judge(
    ctx: &Context,
    connection: &Connection,
    portal: &StoredObject,
    user: UserDetails,
) -> Result<Unclaimed, String> {
    let id = &user.id;
    let Some(mark) = user.mark.clone() else {
        return Err(format!("User {id} has no mark of the operator, so a person created it"));
    };
    let place = LoginPlace::new(&connection.url, &connection.token_url);
    let logins = ctx.connections.logins.at(&place);
    let client_id = user.client_id.as_deref();
    let shown = Shown { name: &user.name, client_id, mark: Some(&mark), owner_is_gone: false };
    let is_login = client_id.is_some_and(|id| logins.is_known(id));
    match ownership::whose(&mark.owner, Source::Listed, shown, &logins) {
        Whose::OperatorLogin => return Err(format!("User {id} is a login of the operator")),
        _ if is_login => return Err(format!("User {id} is a login of the operator")),
        Whose::Retained => return Err(retained(id)),
        _ => {}
    }
    // Another Portal of the cluster may lead there as well.
    let lists_it = |portal: &StoredObject| {
        let status: PortalStatus = lenient(portal, "status");
        status.retained.iter().any(|retained| UserId::new(&retained.id) == *id)
    };
    let leads_there =
        |portal: &StoredObject| place_of(portal).is_some_and(|other| other.is_same_portal(&place));
    if lists_it(portal) || ctx.portals.all().iter().any(|other| leads_there(other) && lists_it(other)) {
        return Err(retained(id));
    }
    if !matches!(user.status, UserStatus::Active | UserStatus::Pending) {
        return Err(format!("User {id} is deleted or inactive already"));
    }
    for object in ctx.caches.all_users() {
        let is_elsewhere = portal_of(&object)
            .and_then(|key| ctx.portals.get(&key))
            .and_then(|portal| place_of(&portal))
            .is_some_and(|other| !other.is_same_portal(&place));
        if let Some(why) = has(ctx, (&object, is_elsewhere), &user, &mark) {
            return Err(format!("TechnicalUser {} has user {id}: {why}", Key::of(&object)));
        }
    }
    let cluster = cluster(ctx, portal, &mark);
    Ok(Unclaimed { user, mark, cluster })
}

fn retained(id: &UserId) -> String {
    format!(
        "User {id} is kept in the portal by the deletionPolicy or the annotation of a TechnicalUser that was deleted"
    )
}

fn cluster(ctx: &Context, portal: &StoredObject, mark: &Mark) -> Cluster {
    if mark.owner.instance != ctx.installation.instance {
        Cluster::OtherInstallation
    } else if mark.hint == ctx.installation.hint || taken_over(portal).contains(&mark.hint) {
        Cluster::This
    } else {
        Cluster::Other
    }
}

/// Why a resource may have a user, in words. One of another installation in this cluster counts too.
fn has(
    ctx: &Context,
    (object, is_elsewhere): (&StoredObject, bool),
    user: &UserDetails,
    mark: &Mark,
) -> Option<&'static str> {
    let key = Key::of(object);
    let is_marked = mark.owner.namespace == key.namespace && mark.owner.name == key.name;
    let prefix = owner(ctx, &key).name_prefix();
    if is_marked {
        Some("the mark names it")
    } else if parse_own_name(&user.name).is_some_and(|own| own.prefix == prefix) {
        Some("the user has a name of it")
    } else if names(object, is_elsewhere, user) {
        Some("it names the user in its spec, its status or an annotation")
    } else {
        None
    }
}

/// Whether a resource names a user, wherever that is. One of another portal may have users with the same names and client IDs.
fn names(object: &StoredObject, is_elsewhere: bool, user: &UserDetails) -> bool {
    let is_same = |text: &str| {
        text == user.name
            || user.client_id.as_deref().is_some_and(|client_id| text.eq_ignore_ascii_case(client_id))
    };
    let is_named =
        |text: &str| text.to_ascii_lowercase().contains(user.id.as_str()) || !is_elsewhere && is_same(text);
    ["spec", "status"].iter().any(|field| says(&object.value(field), &is_named))
        || says(&json!(object.metadata.annotations), &is_named)
}

fn says(value: &Value, is_named: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_named(text),
        Value::Array(values) => values.iter().any(|value| says(value, is_named)),
        Value::Object(fields) => fields.values().any(|value| says(value, is_named)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::test_support::apiserver::{Apiserver, context};
    use crate::controller::test_support::{Users, connection_to};
    use crate::domain::test_support::{details, owner as owner_named};
    use crate::portal::PortalError;

    fn user() -> UserDetails {
        UserDetails { name: "by-hand".into(), ..details(&UserId::new("0b6c-1"), "sa42") }
    }

    /// A login that no portal has accepted yet has the rights of a login all the same.
    #[tokio::test]
    async fn a_login_is_never_unclaimed() {
        let ctx = context(Apiserver::default().client());
        let connection = connection_to(Users::none(PortalError::NotFound));
        let portal = json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
            "metadata": {"namespace": "ops", "name": "portal"},
        });
        let portal: StoredObject = serde_json::from_value(portal).unwrap();
        let mark = Mark {
            owner: owner_named("gone"),
            generation: 1,
            hint: ctx.installation.hint.clone(),
            retained: false,
            login: false,
        };
        let marked = || UserDetails { mark: Some(mark.clone()), ..user() };
        assert!(judge(&ctx, &connection, &portal, marked()).is_ok());
        let place = LoginPlace::new(&connection.url, &connection.token_url);
        let login = ["SA42".to_owned()].into();
        ctx.connections.logins.configure(&Key::of(&portal), &place, &login, true);
        let words = judge(&ctx, &connection, &portal, marked()).err().unwrap();
        assert!(words.contains("is a login"), "{words}");
        let words = judge(&ctx, &connection, &portal, user()).err().unwrap();
        assert!(words.contains("no mark"), "{words}");
    }

    #[test]
    fn a_resource_names_a_user_wherever_its_id_client_id_or_name_is() {
        let object = |value: Value| -> StoredObject { serde_json::from_value(value).unwrap() };
        for (value, expected) in [
            (json!({"metadata": {}, "status": {"user": {"id": "0B6C-1"}}}), true),
            (json!({"metadata": {}, "status": {"retiring": [{"id": "0b6c-1"}]}}), true),
            (json!({"metadata": {}, "spec": {"user": {"existing": {"clientId": "SA42"}}}}), true),
            (json!({"metadata": {}, "spec": {"user": {"create": {"adopt": {"name": "by-hand"}}}}}), true),
            (json!({"metadata": {"annotations": {"a": "the user 0b6c-1 of edc"}}}), true),
            (json!({"metadata": {"annotations": {"a": "by-hand-2"}}, "spec": {"x": "sa421"}}), false),
        ] {
            assert_eq!(names(&object(value.clone()), false, &user()), expected, "{value}");
        }
        for (status, expected) in [
            (json!({"user": {"id": "0b6c-1"}}), true),
            (json!({"user": {"id": "0b6c-2", "clientId": "sa42", "name": "by-hand"}}), false),
        ] {
            let of_another_portal = object(json!({"metadata": {}, "status": status}));
            assert_eq!(names(&of_another_portal, true, &user()), expected, "{status}");
        }
    }
}
