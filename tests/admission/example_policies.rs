//! The policies of `examples/policies`: what they refuse, to whom, and what they say.

use std::fs;

use serde_json::{Value, json};
use testbed::eventually;

use crate::examples::objects;
use crate::support::{Server, cluster};

/// Applies a policy for the namespace of this test alone: the other tests share the apiserver.
async fn apply(file: &str, namespace: &str) {
    let path = format!("{}/examples/policies/{file}", env!("CARGO_MANIFEST_DIR"));
    for mut object in objects(&fs::read_to_string(path).unwrap()) {
        if object["kind"] == "ValidatingAdmissionPolicyBinding" {
            let name = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
            object["spec"]["matchResources"] = json!({"namespaceSelector": name});
        }
        let applied = cluster().await.kubectl_with_input(&["apply", "-f", "-"], &object.to_string()).await;
        applied.unwrap().success().unwrap();
    }
}

fn manifest(name: &str, user: &Value, annotations: &Value) -> String {
    json!({
        "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"portalRef": {"name": "catena-x"}, "user": user},
    })
    .to_string()
}

/// A person who may write `TechnicalUser`s in the namespace, and no more.
struct Person {
    name: &'static str,
    namespace: String,
}

impl Person {
    async fn with(name: &'static str, namespace: &str, verbs: &[&str]) -> Self {
        let verbs = [&["get", "create", "update", "patch", "delete"], verbs].concat();
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": name, "namespace": namespace},
            "rules": [{"apiGroups": ["technicaluser.dev"], "resources": ["technicalusers"], "verbs": verbs}],
        });
        let applied = cluster().await.kubectl_with_input(&["apply", "-f", "-"], &role.to_string()).await;
        applied.unwrap().success().unwrap();
        let (role, user) = (format!("--role={name}"), format!("--user={name}"));
        let bind = ["create", "rolebinding", name, &role, &user, "-n", namespace];
        cluster().await.kubectl(&bind).await.unwrap().success().unwrap();
        let person = Self { name, namespace: namespace.to_owned() };
        eventually("the role is in force", async || {
            person.kubectl(&["auth", "can-i", "patch", "technicalusers"], "").await.ok()
        })
        .await
        .unwrap();
        person
    }

    /// What the apiserver answers, or why it refuses.
    async fn kubectl(&self, args: &[&str], input: &str) -> Result<String, String> {
        let args = [args, &["-n", &self.namespace, "--as", self.name]].concat();
        let output = cluster().await.kubectl_with_input(&args, input).await.unwrap();
        output.success().map_err(|error| error.to_string())
    }

    async fn apply(&self, manifest: &str) -> Result<String, String> {
        self.kubectl(&["apply", "-f", "-"], manifest).await
    }

    async fn annotate(&self, name: &str, change: &str) -> Result<String, String> {
        self.kubectl(&["annotate", "--overwrite", "technicaluser", name, change], "").await
    }
}

#[tokio::test]
async fn a_protected_resource_cannot_be_deleted() {
    let server = Server::new("protected").await;
    apply("prevent-deletion.yaml", &server.namespace).await;
    let anna = Person::with("anna", &server.namespace, &[]).await;
    let create = json!({"create": {"roles": ["Dataspace Discovery"]}});
    for (name, annotations) in [
        ("plain", json!({})),
        ("lifted", json!({"technicaluser.dev/prevent-deletion": "false"})),
        ("kept", json!({"technicaluser.dev/prevent-deletion": "true"})),
        ("odd", json!({"technicaluser.dev/prevent-deletion": "no"})),
    ] {
        anna.apply(&manifest(name, &create, &annotations)).await.unwrap();
    }
    let delete = async |name: &'static str| anna.kubectl(&["delete", "technicaluser", name], "").await;
    let dry_run = ["delete", "technicaluser", "kept", "--dry-run=server"];
    let in_force = eventually("the policy is in force", async || anna.kubectl(&dry_run, "").await.err());
    let refusal = in_force.await.unwrap();
    assert!(refusal.contains("TechnicalUser kept is protected"), "{refusal}");
    assert!(refusal.contains("set technicaluser.dev/prevent-deletion=false"), "{refusal}");
    delete("odd").await.unwrap_err();
    delete("plain").await.unwrap();
    delete("lifted").await.unwrap();
    anna.annotate("kept", "technicaluser.dev/prevent-deletion-").await.unwrap();
    delete("kept").await.unwrap();
}

#[tokio::test]
async fn certain_fields_need_a_verb_of_their_own() {
    let server = Server::new("fields").await;
    apply("sensitive-fields.yaml", &server.namespace).await;
    let anna = Person::with("berta", &server.namespace, &[]).await;
    let chief = Person::with(
        "chief",
        &server.namespace,
        &["publish-existing", "adopt", "release", "permit-deletion"],
    )
    .await;
    let create = json!({"create": {"roles": ["Dataspace Discovery"]}});
    let existing = |client: &str| json!({"existing": {"clientId": client}});
    let keep = json!({"technicaluser.dev/prevent-deletion": "true"});
    let in_force = eventually("the policy is in force", async || {
        let dry_run = ["apply", "--dry-run=server", "-f", "-"];
        anna.kubectl(&dry_run, &manifest("found", &existing("sa1"), &json!({}))).await.err()
    });
    let refusal = in_force.await.unwrap();
    assert!(refusal.contains("this needs the verb publish-existing on technicalusers"), "{refusal}");
    let both = manifest("both", &existing("sa1"), &json!({"technicaluser.dev/release": "true"}));
    let refusal = anna.apply(&both).await.unwrap_err();
    let verbs = ["publish-existing", "release"].map(|verb| refusal.contains(&format!("the verb {verb}")));
    assert_eq!(verbs, [true, true], "{refusal}");

    let adopts = json!({"create": {"roles": ["Dataspace Discovery"], "adopt": {"name": "by-hand"}}});
    let adopts = manifest("adopts", &adopts, &json!({}));
    let refusal = anna.apply(&adopts).await.unwrap_err();
    assert!(refusal.contains("this needs the verb adopt on technicalusers"), "{refusal}");
    chief.apply(&adopts).await.unwrap();

    // What is not on the list needs no verb, nor does what the chief has set.
    anna.apply(&manifest("made", &create, &keep)).await.unwrap();
    chief.apply(&manifest("found", &existing("sa1"), &keep)).await.unwrap();
    anna.annotate("found", "example.org/note=mine").await.unwrap();
    anna.annotate("found", "technicaluser.dev/prevent-deletion=yes").await.unwrap();
    for (name, change, verb) in [
        ("found", "technicaluser.dev/prevent-deletion-", "permit-deletion"),
        ("made", "technicaluser.dev/prevent-deletion=false", "permit-deletion"),
        ("made", "technicaluser.dev/release=true", "release"),
    ] {
        let refusal = anna.annotate(name, change).await.unwrap_err();
        assert!(refusal.contains(&format!("this needs the verb {verb} on")), "{change}: {refusal}");
        chief.annotate(name, change).await.unwrap();
    }
    anna.annotate("made", "technicaluser.dev/release-").await.unwrap();
}
