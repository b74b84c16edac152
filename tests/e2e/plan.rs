//! The command `plan`: what it says of manifests and of the resources of the cluster, and that it changes nothing.

use std::path::PathBuf;

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::Matcher;

use crate::support::{FULL_LOGIN, World, connected, create, portal, world};

/// A file with these manifests, in the folder of the test's build.
fn file(world: &World, name: &str, manifests: &[Value]) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&world.namespace);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let documents: Vec<String> = manifests.iter().map(ToString::to_string).collect();
    std::fs::write(&path, documents.join("\n---\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn plan(world: &World, arguments: &[&str]) -> (i32, String) {
    let arguments = [arguments, &["--allow-insecure-http"]].concat();
    let (code, said) = world.command("plan", &arguments, &world.kubeconfig()).await;
    (code.unwrap(), said)
}

#[tokio::test]
async fn it_says_what_would_be_done_and_does_nothing() {
    let world = connected(world()).await;
    let namespace = world.namespace.as_str();
    world.apply(&create("edc", namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    let writes = || world.proxy.matching(&Matcher::writes().dry_run(false)).len();
    let (before, portal_writes) = (writes(), world.portal_writes());

    // The resources of the cluster. A user that no resource has is of no concern.
    let mark = world.mark_of(world.owner("lost")).await;
    let lost = world.seed_marked(&mark).id.to_string();
    let (code, said) = plan(&world, &["-n", namespace]).await;
    assert_eq!((code, said), (0, format!("TechnicalUser {namespace}/edc\n  nothing to do")));
    let read = world.simulator.calls_of(Endpoint::Details);
    assert!(read.iter().all(|call| !call.path.contains(&lost)), "{read:?}");

    // Manifests: a new one, one that is changed, and one that cannot be carried out.
    let new = create("new", namespace, DATASPACE_DISCOVERY);
    let mut changed = create("edc", namespace, DATASPACE_DISCOVERY);
    changed["spec"]["user"]["create"]["description"] = "later".into();
    changed["spec"]["outputs"] = json!([{"secret": {}}, {"secret": {"name": "other"}}]);
    let both = file(&world, "both.yaml", &[new.clone(), changed]);
    let (code, said) = plan(&world, &["-f", &both, "-o", "json"]).await;
    assert_eq!(code, 2, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let planned = |name: &str| -> Vec<&str> {
        let resources = said["resources"].as_array().unwrap();
        let resource = resources.iter().find(|resource| resource["name"] == name).unwrap();
        resource["planned"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()).collect()
    };
    let steps = planned("new");
    assert!(steps[0].starts_with("create user t") && steps[0].contains(DATASPACE_DISCOVERY), "{steps:?}");
    assert!(steps[1].ends_with("into Secret \"new\"") && steps.len() == 2, "{steps:?}");
    let id = user.id.to_string();
    assert_eq!(
        planned("edc"),
        [
            format!("change name and description of user {id} in the portal"),
            format!("write the credential of user {id} into Secret \"other\""),
        ]
    );
    let wrong = file(&world, "wrong.yaml", &[create("wrong", namespace, "No such role")]);
    let (code, said) = plan(&world, &["-f", &wrong]).await;
    assert!(code == 1 && said.contains("failed: RoleNotOffered"), "{code} {said}");

    // Without a cluster, by manifests alone.
    let login = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "portal-login", "namespace": namespace},
        "stringData": {"client-id": FULL_LOGIN.client_id, "client-secret": FULL_LOGIN.secret},
    });
    let alone = file(&world, "alone.yaml", &[portal(&world.simulator, namespace), login, new]);
    let (code, said) = plan(&world, &["--offline", "-f", &alone]).await;
    assert!(code == 2 && said.contains("create user t"), "{code} {said}");
    let (code, said) = plan(&world, &["--no-such-option"]).await;
    assert_eq!(code, 64, "{said}");
    let (code, said) = plan(&world, &["-f", "/no/such/file"]).await;
    assert!(code == 1 && said.contains("cannot read /no/such/file"), "{code} {said}");

    assert_eq!((writes(), world.portal_writes()), (before, portal_writes));
    assert!(world.get_secret("new").await.is_none() && world.user("new").await.is_none());
}
