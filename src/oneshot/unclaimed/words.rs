//! A user in words, without its credential. What the portal says may hold any character.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::controller::once::{Cluster, Unclaimed, spelled};
use crate::domain::roles::quoted;
use crate::domain::text::printable;
use crate::domain::user::UserKind;

/// The longest text of the portal that is shown.
const MOST: usize = 2048;

/// A user for people.
pub(super) fn user(unclaimed: &Unclaimed) -> String {
    let shown = document(unclaimed);
    let field = |field: &str| shown.get(field).and_then(Value::as_str);
    let text = |name: &str| field(name).unwrap_or("none").to_owned();
    let roles = shown.get("roles").and_then(Value::as_array).into_iter().flatten();
    let roles: Vec<&str> = roles.filter_map(Value::as_str).collect();
    let mut lines = vec![
        ("id", text("id")),
        ("client ID", text("clientId")),
        ("state", format!("{}, {}", text("state"), text("kind"))),
        ("roles", quoted(&roles)),
        (
            "created for",
            format!("TechnicalUser {}, generation {}", text("technicalUser"), unclaimed.mark.generation),
        ),
        (
            "created by",
            format!("instance {}, hint {}: {}", text("instance"), text("hint"), words(unclaimed.cluster)),
        ),
        ("description", text("description")),
    ];
    if let Some(connector) = field("connector") {
        lines.push(("connector", connector.to_owned()));
    }
    let mut described = format!("{}\n", text("name"));
    for (label, text) in lines {
        // Writing into a String does not fail.
        let _ = writeln!(described, "  {label:<12} {text}");
    }
    described
}

fn words(cluster: Cluster) -> &'static str {
    match cluster {
        Cluster::This => "this cluster, where that TechnicalUser does not exist any more",
        Cluster::Other => "another cluster, which may be running",
        Cluster::OtherInstallation => "another installation, which may be running",
    }
}

/// A user for programs.
pub(super) fn document(Unclaimed { user, mark, cluster }: &Unclaimed) -> Value {
    let shown = |text: &str| printable(text, MOST);
    json!({
        "id": user.id.as_str(),
        "name": shown(&user.name),
        "clientId": user.client_id.as_deref().map(shown),
        "state": spelled(user.status),
        "kind": if user.kind == UserKind::External { "External" } else { "Internal" },
        "roles": user.roles.iter().map(|role| shown(role)).collect::<Vec<_>>(),
        "description": shown(&user.description),
        "connector": user.connector.as_ref().map(|linked| shown(linked.name.as_ref().unwrap_or(&linked.id))),
        "technicalUser": shown(&format!("{}/{}", mark.owner.namespace, mark.owner.name)),
        "generation": mark.generation,
        "instance": shown(&mark.owner.instance),
        "hint": shown(mark.hint.as_str()),
        "cluster": match cluster {
            Cluster::This => "This",
            Cluster::Other => "Other",
            Cluster::OtherInstallation => "OtherInstallation",
        },
    })
}

#[cfg(test)]
pub(super) mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::domain::identity::{Hint, Mark, Owner};
    use crate::domain::user::{Credential, Ownership, UserDetails, UserId, UserStatus};

    /// A user with a secret, whose name has a control character.
    pub(in crate::oneshot::unclaimed) fn an_unclaimed_user() -> Unclaimed {
        let owner = Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc".into() };
        let mark = Mark { owner, generation: 2, hint: Hint::read("abc123"), retained: false, login: false };
        let secret = SecretString::from("very-secret".to_owned());
        let user = UserDetails {
            id: UserId::new("u1"),
            client_id: Some("sa42".into()),
            name: "edc\u{1B}[31m".into(),
            description: mark.describe(Some("for\nthe EDC")),
            mark: Some(mark.clone()),
            roles: vec!["Dataspace Discovery".into()],
            roles_in_tokens: true,
            kind: UserKind::Internal,
            status: UserStatus::Active,
            ownership: Ownership::Own,
            credential: Some(Credential::with_secret("sa42".into(), secret, "https://idp/token".into())),
            connector: None,
            offer: None,
        };
        Unclaimed { user, mark, cluster: Cluster::This }
    }

    #[test]
    fn everything_but_the_secret_is_shown_without_control_characters() {
        let unclaimed = an_unclaimed_user();
        let text = super::user(&unclaimed);
        for shown in [
            "u1",
            "sa42",
            "Active, Internal",
            "\"Dataspace Discovery\"",
            "connector/edc, generation 2",
            "prod, hint abc123",
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        for text in [text, document(&unclaimed).to_string()] {
            assert!(!text.contains("very-secret") && !text.contains('\u{1B}'), "{text}");
        }
    }
}
