//! The definitions in a real apiserver, and cases to try against them.

use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use technical_user_operator::api;
use testbed::{ControlPlane, eventually};
use tokio::sync::OnceCell;

/// A kind of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Portal,
    TechnicalUser,
    Vault,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Portal, Self::TechnicalUser, Self::Vault];

    pub fn name(self) -> &'static str {
        match self {
            Self::Portal => "Portal",
            Self::TechnicalUser => "TechnicalUser",
            Self::Vault => "Vault",
        }
    }

    pub fn plural(self) -> &'static str {
        match self {
            Self::Portal => "portals",
            Self::TechnicalUser => "technicalusers",
            Self::Vault => "vaults",
        }
    }
}

/// The control plane with the definitions of `crds/` in it.
pub async fn cluster() -> &'static ControlPlane {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    let cluster = testbed::shared().await;
    DEFINED
        .get_or_init(|| async {
            for kind in Kind::ALL {
                let file = format!("{}/crds/{}.yaml", env!("CARGO_MANIFEST_DIR"), kind.plural());
                cluster.kubectl(&["create", "-f", &file]).await.unwrap().success().unwrap();
                let name = format!("crd/{}.{}", kind.plural(), api::GROUP);
                let wait = ["wait", "--for=condition=Established", "--timeout=30s", &name];
                cluster.kubectl(&wait).await.unwrap().success().unwrap();
                // Established is said a moment before every handler knows it.
                eventually("the kind is served", || async {
                    let answer = cluster.kubectl(&["get", kind.plural()]).await.ok()?;
                    answer.success().ok()
                })
                .await
                .unwrap();
            }
        })
        .await;
    cluster
}

/// A namespace of its own, and a client for one kind in it.
pub struct Server {
    pub namespace: String,
    client: kube::Client,
}

impl Server {
    pub async fn new(prefix: &str) -> Self {
        let cluster = cluster().await;
        let namespace = cluster.namespace(prefix).await.unwrap();
        Self { namespace, client: cluster.admin_client().await.unwrap() }
    }

    fn api(&self, kind: Kind) -> Api<DynamicObject> {
        let gvk = GroupVersionKind::gvk(api::GROUP, "v1alpha1", kind.name());
        let resource = ApiResource::from_gvk_with_plural(&gvk, kind.plural());
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// Makes an object, or only tries to. The answer of a refusal is `code message`.
    pub async fn create(&self, kind: Kind, name: &str, spec: &Value, dry: bool) -> Result<Value, String> {
        let object = json!({
            "apiVersion": format!("{}/v1alpha1", api::GROUP),
            "kind": kind.name(),
            "metadata": { "name": name },
            "spec": spec,
        });
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let params = PostParams { dry_run: dry, ..PostParams::default() };
        self.api(kind).create(&params, &object).await.map(|made| made.data["spec"].clone()).map_err(words)
    }

    /// Writes a status over what is there, by a merge patch.
    pub async fn write_status(&self, kind: Kind, name: &str, status: &Value) -> Result<Value, String> {
        let patch = Patch::Merge(json!({ "status": status }));
        let written = self.api(kind).patch_status(name, &PatchParams::default(), &patch).await;
        written.map(|written| written.data["status"].clone()).map_err(words)
    }

    /// Tries to change the spec of an object, by a merge patch.
    pub async fn change(&self, kind: Kind, name: &str, change: &Value) -> Result<Value, String> {
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        let patch = Patch::Merge(json!({ "spec": change }));
        let changed = self.api(kind).patch(name, &params, &patch).await;
        changed.map(|changed| changed.data["spec"].clone()).map_err(words)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "map_err gives it away")]
fn words(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}", status.code, status.message),
        other => panic!("no answer: {other}"),
    }
}

/// Asserts what the apiserver says to a case: accepted, or refused with 422 and these words.
#[track_caller]
pub fn assert_answer(case: &str, answer: &Result<Value, String>, refused: Option<&str>) {
    match (answer, refused) {
        (Ok(_), None) => {}
        (Err(message), Some(words)) if message.starts_with("422 ") && message.contains(words) => {}
        (Ok(_), Some(words)) => panic!("{case}: accepted, but expected {words:?}"),
        (Err(message), Some(words)) => panic!("{case}: expected {words:?}, but got {message}"),
        (Err(message), None) => panic!("{case}: refused: {message}"),
    }
}

/// One manifest to try: a spec, and the words of the refusal.
pub struct Case {
    pub spec: Value,
    pub refused: Option<&'static str>,
}

/// A case that is accepted: the change to a valid spec, as a merge patch.
pub fn yes(base: &Value, change: &Value) -> Case {
    Case { spec: merged(base, change), refused: None }
}

/// A case that is refused with these words.
pub fn no(base: &Value, change: &Value, words: &'static str) -> Case {
    Case { spec: merged(base, change), refused: Some(words) }
}

/// A merge patch (RFC 7386).
pub fn merged(base: &Value, change: &Value) -> Value {
    let Value::Object(changes) = change else { return change.clone() };
    let mut object = base.as_object().cloned().unwrap_or_default();
    for (name, change) in changes {
        if change.is_null() {
            object.remove(name);
        } else {
            let value = merged(object.get(name).unwrap_or(&Value::Null), change);
            object.insert(name.clone(), value);
        }
    }
    Value::Object(object)
}

/// Tries all cases of a table, and reports every one with another answer.
pub async fn try_all(kind: Kind, prefix: &str, cases: &[Case]) {
    let server = Server::new(prefix).await;
    for Case { spec, refused } in cases {
        let answer = server.create(kind, "x", spec, true).await;
        assert_answer(&spec.to_string(), &answer, *refused);
    }
}
