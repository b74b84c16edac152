//! The manifests in `examples/` are taken by an apiserver as they are, and so are those in the README.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use technical_user_operator::api::portal::PortalSpec;
use technical_user_operator::api::technical_user::TechnicalUserSpec;

use crate::support::cluster;

fn read(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The YAML files of a folder, the folders in it left out.
fn manifests(folder: &str) -> Vec<(String, String)> {
    let mut names: Vec<_> = fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR")))
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

/// All examples but those of kustomize, which are not complete on their own.
fn examples() -> Vec<(String, String)> {
    ["examples", "examples/namespaces", "examples/cofinity-x", "examples/policies"]
        .into_iter()
        .flat_map(manifests)
        .collect()
}

/// The fenced blocks of a page that are manifests of ours.
pub fn blocks(page: &str) -> Vec<(String, String)> {
    let text = read(page);
    let fenced = text.split("```").skip(1).step_by(2);
    let blocks =
        fenced.filter_map(|block| block.strip_prefix("yaml")?.split_once('\n')).map(|(_, text)| text);
    let ours = blocks.filter(|block| block.contains("apiVersion:"));
    ours.enumerate().map(|(number, block)| (format!("{page}, block {number}"), block.to_owned())).collect()
}

/// The objects of a text with several documents.
pub fn objects(text: &str) -> Vec<Value> {
    let documents = text.split("\n---").map(str::trim).filter(|document| document.contains("kind:"));
    documents.map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

/// Kind, namespace and name of an object.
fn identity(object: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    (text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]))
}

/// `kubectl delete -f examples/` deletes no namespace, and with it the operator and its login.
#[test]
fn the_folder_as_a_whole_has_no_namespace_and_no_real_address() {
    for (file, text) in manifests("examples") {
        for object in objects(&text) {
            assert_ne!(object["kind"], "Namespace", "{file}");
            assert!(object["spec"]["cofinityX"].is_null(), "{file} has the address of a real portal");
        }
    }
}

/// `kubectl apply -f examples/` in a cluster that was set up by the pages.
#[test]
fn they_overwrite_nothing_that_the_pages_create() {
    let pages =
        ["README.md", "docs/connector.md", "docs/argo-cd.md", "docs/first-user.md", "docs/operations.md"];
    let created = pages.iter().flat_map(|page| blocks(page)).flat_map(|(_, text)| objects(&text));
    let created: BTreeSet<_> = created.map(|object| identity(&object)).collect();
    assert!(created.iter().any(|(kind, _, name)| kind == "Portal" && name == "catena-x"), "{created:?}");
    for (file, text) in examples() {
        for object in objects(&text) {
            let identity = identity(&object);
            // A namespace only gets the labels that the pages ask for.
            if identity.0 == "Namespace" {
                continue;
            }
            assert!(!created.contains(&identity), "{file}: {identity:?} is in a page, too");
            let (kind, _, name) = identity;
            // A login with placeholders would replace a real one.
            assert_ne!(kind, "Secret", "{file}");
            assert!(name.starts_with("example-"), "{file}: {kind} {name}");
        }
    }
}

/// A secret in an argument is seen in the list of processes, and kept in the shell's history.
#[test]
fn no_example_puts_a_secret_on_a_command_line() {
    let readme = ("README.md".to_owned(), read("examples/README.md"));
    for (file, text) in examples().into_iter().chain([readme]) {
        assert!(!text.contains("--from-literal=client-secret"), "{file}");
    }
}

#[tokio::test]
async fn an_apiserver_takes_them() {
    let cluster = cluster().await;
    let examples = examples();
    assert!(examples.len() >= 7, "{} examples", examples.len());
    for namespace in ["dataspace", "connector"] {
        cluster.kubectl(&["create", "namespace", namespace]).await.unwrap().success().unwrap();
    }
    for (name, text) in examples.into_iter().chain(blocks("README.md")) {
        let args = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        let answer = cluster.kubectl_with_input(&args, &text).await.unwrap();
        answer.success().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_operator_reads_them() {
    let mut read = 0;
    for (name, text) in examples().into_iter().chain(blocks("README.md")) {
        for object in objects(&text) {
            let spec = object["spec"].clone();
            let parsed = match object["kind"].as_str().unwrap() {
                "Portal" => serde_json::from_value::<PortalSpec>(spec).map(drop),
                "TechnicalUser" => serde_json::from_value::<TechnicalUserSpec>(spec).map(drop),
                _ => continue,
            };
            parsed.unwrap_or_else(|error| panic!("{name}: {error}"));
            read += 1;
        }
    }
    assert!(read >= 6, "only {read} manifests of ours");
}
