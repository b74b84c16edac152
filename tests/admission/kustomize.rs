//! kustomize with `examples/kustomize/`: every name by which the operator's kinds name other objects follows prefixes,
//! suffixes and hashes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use technical_user_operator::api;

use crate::support::cluster;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/kustomize");

/// A new directory for what a test writes.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kustomize-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the kustomize in kubectl builds of a directory.
fn build(folder: &Path) -> Vec<Value> {
    let kubectl = testbed::binaries().unwrap().kubectl;
    let output = Command::new(kubectl).arg("kustomize").arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_saphyr::from_multiple(&String::from_utf8(output.stdout).unwrap()).unwrap()
}

/// A directory with objects, `kustomizeconfig.yaml` of the example and what else its kustomization says.
fn kustomization(name: &str, objects: &[Value], settings: Value) -> PathBuf {
    let folder = folder(name);
    fs::copy(format!("{EXAMPLE}/kustomizeconfig.yaml"), folder.join("kustomizeconfig.yaml")).unwrap();
    let mut kustomization = settings;
    kustomization["configurations"] = json!(["kustomizeconfig.yaml"]);
    let files: Vec<_> = (0..objects.len()).map(|number| format!("{number}.json")).collect();
    for (file, object) in files.iter().zip(objects) {
        fs::write(folder.join(file), object.to_string()).unwrap();
    }
    kustomization["resources"] = json!(files);
    fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).unwrap();
    folder
}

/// The example with the files that its reader saves.
fn example(name: &str) -> PathBuf {
    let folder = folder(name);
    for file in fs::read_dir(EXAMPLE).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    for (file, text) in [("client-id", "sa12"), ("client-secret", "s3cret"), ("ca.crt", "a certificate")] {
        fs::write(folder.join(file), text).unwrap();
    }
    folder
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap()
}

fn name<'a>(objects: &'a [Value], kind: &str) -> &'a str {
    of_kind(objects, kind)["metadata"]["name"].as_str().unwrap()
}

/// Where each name leads in what was built of the example.
fn assert_names_lead(objects: &[Value]) {
    let portal = &of_kind(objects, "Portal")["spec"];
    let secret = &portal["catenaX"]["auth"]["clientCredentials"]["secretRef"]["name"];
    assert_eq!(secret, name(objects, "Secret"));
    assert_eq!(&portal["tls"]["caBundle"]["configMapRef"]["name"], name(objects, "ConfigMap"));
    let user = &of_kind(objects, "TechnicalUser")["spec"];
    assert_eq!(&user["portalRef"]["name"], name(objects, "Portal"));
    let container = &of_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    for variable in container["env"].as_array().unwrap() {
        assert_eq!(&variable["valueFrom"]["secretKeyRef"]["name"], name(objects, "TechnicalUser"));
    }
}

#[tokio::test]
async fn the_example_and_an_overlay_on_it_are_accepted_and_lead_to_the_right_names() {
    let base = example("base");
    let objects = build(&base);
    assert_names_lead(&objects);
    let secret = name(&objects, "Secret");
    assert!(
        secret.starts_with("test-portal-login-") && secret.len() > "test-portal-login-".len(),
        "{secret}"
    );

    let overlay = folder("overlay");
    let above = json!({"resources": ["../kustomize-base"], "namePrefix": "prod-", "nameSuffix": "-eu"});
    fs::write(overlay.join("kustomization.yaml"), above.to_string()).unwrap();
    let changed = build(&overlay);
    assert_names_lead(&changed);
    assert_eq!(name(&changed, "Portal"), "prod-test-catena-x-eu");

    let cluster = cluster().await;
    let namespace = cluster.namespace("kustomize").await.unwrap();
    for mut object in objects.into_iter().chain(changed) {
        object["metadata"]["namespace"] = namespace.as_str().into();
        let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        cluster.kubectl_with_input(&apply, &object.to_string()).await.unwrap().success().unwrap();
    }
}

/// The paths of all fields of a schema that name another object.
fn references(schema: &Value, path: &str, found: &mut Vec<String>) {
    for (field, below) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{field}");
        if field.ends_with("Ref") {
            found.push(path.clone());
        }
        references(below, &path, found);
    }
    if let Some(items) = schema.get("items") {
        references(items, path, found);
    }
}

/// The kinds that the definitions name, each with the group or the version by which kustomize finds it, what the end of a field
/// says that names it, and a comment.
const NAMED: [(&str, &str, &str, &str); 4] = [
    ("Secret", "version: v1", "ecretRef", ""),
    ("ConfigMap", "version: v1", "configMapRef", ""),
    (
        "Portal",
        "group: technicaluser.dev",
        "portalRef",
        "  # The Portal of a TechnicalUser, where it is in the same namespace. For another namespace see examples/README.md.\n",
    ),
    (
        "Vault",
        "group: technicaluser.dev",
        "vaultRef",
        "  # The Vault of an output, where it is in the same namespace.\n",
    ),
];

/// The part of `kustomizeconfig.yaml` that the definitions decide.
fn of_definitions() -> String {
    let mut fields = Vec::new();
    for definition in api::definitions() {
        let definition = serde_json::to_value(definition).unwrap();
        let kind = definition["spec"]["names"]["kind"].as_str().unwrap();
        let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut paths = Vec::new();
        references(spec, "spec", &mut paths);
        fields.extend(paths.into_iter().map(|path| (kind.to_owned(), path)));
    }
    assert!(fields.len() >= 11, "{fields:?}");
    let mut text = String::new();
    for (kind, found_by, end, comment) in NAMED {
        write!(text, "{comment}  - kind: {kind}\n    {found_by}\n    fieldSpecs:\n").unwrap();
        let (named, others) = fields.into_iter().partition(|(_, path)| path.ends_with(end));
        fields = others;
        let named: Vec<(String, String)> = named;
        for (of, path) in named {
            let entry =
                format!("      - path: {path}/name\n        group: technicaluser.dev\n        kind: {of}\n");
            text.push_str(&entry);
        }
    }
    assert_eq!(fields, [], "name their kind in NAMED");
    text
}

/// `UPDATE_PAGES=1 cargo test --test admission kustomizeconfig` writes it.
#[test]
fn kustomizeconfig_has_all_fields_that_name_an_object() {
    const BEGIN: &str = "nameReference:\n";
    const END: &str = "  # A TechnicalUser publishes a Secret of its own name.";
    let file = format!("{EXAMPLE}/kustomizeconfig.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let wanted = format!("{head}{BEGIN}{}{END}{tail}", of_definitions());
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(&file, wanted).unwrap();
    } else {
        assert_eq!(text, wanted, "run UPDATE_PAGES=1 cargo test --test admission kustomizeconfig");
    }
}

/// Every way in which a Portal names a Secret or a `ConfigMap`.
#[test]
fn all_logins_and_bundles_follow() {
    let meta = |name: &str| json!({"name": name, "namespace": "dataspace"});
    let secret = |name: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta(name)});
    let bundle = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("bundle")});
    let login = |kind: &str, name: &str| json!({kind: {"secretRef": {"name": name}}});
    for portal in ["catenaX", "cofinityX"] {
        for kind in ["clientCredentials", "refreshToken"] {
            for (field, name) in [("configMapRef", "bundle"), ("secretRef", "login")] {
                let spec = json!({
                    portal: {"auth": login(kind, "login"), "deleteAuth": login(kind, "deletion")},
                    "tls": {"caBundle": {field: {"name": name, "key": "ca.crt"}}},
                });
                let object = json!({
                    "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal", "metadata": meta("catena-x"), "spec": spec,
                });
                let all = [secret("login"), secret("deletion"), bundle.clone(), object];
                let folder = kustomization("logins", &all, json!({"namePrefix": "a-"}));
                let built = build(&folder);
                let spec = &of_kind(&built, "Portal")["spec"];
                assert_eq!(spec[portal]["auth"][kind]["secretRef"]["name"], "a-login");
                assert_eq!(spec[portal]["deleteAuth"][kind]["secretRef"]["name"], "a-deletion");
                assert_eq!(spec["tls"]["caBundle"][field]["name"], format!("a-{name}"));
            }
        }
    }
}

/// As `examples/README.md` says: kustomize itself follows no name into another namespace.
#[test]
fn a_portal_of_another_namespace_is_followed_by_a_replacement() {
    let object = |kind: &str, namespace: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        })
    };
    let reference = json!({"portalRef": {"name": "catena-x", "namespace": "dataspace"}});
    let all = [
        object("Portal", "dataspace", "catena-x", json!({})),
        object("TechnicalUser", "connector", "edc", reference),
    ];
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/README.md")).unwrap();
    let block = readme.split("```yaml\n").find(|block| block.starts_with("replacements:")).unwrap();
    let mut settings: Value = serde_saphyr::from_str(block.split("```").next().unwrap()).unwrap();
    settings["namePrefix"] = "a-".into();
    let built = build(&kustomization("namespaces", &all, settings));
    let reference = &of_kind(&built, "TechnicalUser")["spec"]["portalRef"];
    assert_eq!(reference, &json!({"name": "a-catena-x", "namespace": "dataspace"}));
}

#[test]
fn names_of_what_is_not_there_are_left_as_they_are() {
    let user = json!({
        "apiVersion": "technicaluser.dev/v1alpha1", "kind": "TechnicalUser", "metadata": {"name": "edc"},
        "spec": {"portalRef": {"name": "catena-x", "namespace": "dataspace"}},
    });
    let built = build(&kustomization("alone", &[user], json!({"namePrefix": "a-"})));
    assert_eq!(built[0]["metadata"]["name"], "a-edc");
    // Not so much as a namespace is added: the reference of a resource that exists cannot be changed.
    assert_eq!(built[0]["spec"]["portalRef"], json!({"name": "catena-x", "namespace": "dataspace"}));
    let built = build(&example("reference"));
    assert_eq!(of_kind(&built, "TechnicalUser")["spec"]["portalRef"], json!({"name": "test-catena-x"}));
}
