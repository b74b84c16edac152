//! What a person may get wrong, and what the surroundings may: reported in words, and repaired in place.

use portal_simulator::Part;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::support::{Release, company_one, create, create_from, message, one_user, reason};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_is_not_there_is_named_and_an_upgrade_repairs_it() {
    let release = Release::prepare(company_one()).await;
    let missing = ["image.tag=not-built", "--timeout=5s"];
    let words = release.helm("install", &missing).await.unwrap_err();
    assert!(words.contains("technical-user-operator"), "{words}");
    release
        .eventually("the pod says so", async || {
            let pods = release.pods().await;
            let waiting = pods
                .first()
                .and_then(|pod| pod.status.as_ref()?.container_statuses.as_ref()?.first()?.state.as_ref())
                .and_then(|state| state.waiting.clone());
            waiting.is_some_and(|waiting| {
                let reason = waiting.reason.unwrap_or_default();
                let words = waiting.message.unwrap_or_default();
                reason.contains("ImagePull") && words.contains("technical-user-operator:not-built")
            })
        })
        .await;
    release.helm("upgrade", &[]).await.unwrap();
    release.apply_portal().await;
    release.portal_because("LoggedIn").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_values_are_refused_before_anything_is_created() {
    let release = Release::prepare(company_one()).await;
    for (value, words) in [
        ("instance=Prod_EU", "instance"),
        ("replicas=two", "replicas"),
        ("watchNamespace={a}", "watchNamespace"),
        ("replicas=2", "leaderElection"),
    ] {
        let refused = release.helm("install", &[value]).await.unwrap_err();
        assert!(refused.contains(words), "{value}: {refused}");
    }
    let made = release
        .cluster
        .kubectl(&["-n", &release.namespace, "get", "deployments,roles,serviceaccounts", "-o", "name"])
        .await;
    assert_eq!(made.trim(), "serviceaccount/default");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_cannot_be_reached_keeps_no_pod_from_being_ready() {
    let release = Release::prepare(company_one()).await;
    release.simulator.stop(Part::Portal).await;
    release.simulator.stop(Part::Idp).await;
    release.helm("install", &[]).await.unwrap();
    release.apply_portal().await;
    release.apply(&create("edc", &release.namespace, DATASPACE_DISCOVERY)).await;
    release.portal_because("Unreachable").await;
    release.simulator.restart(Part::Idp).await.unwrap();
    release.simulator.restart(Part::Portal).await.unwrap();
    one_user(&release, "edc").await;
    assert_eq!(release.restarts().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_secret_is_allowed_no_user_is_created_until_one_is() {
    let release = Release::prepare(company_one()).await;
    let narrow = release.plane.namespace("narrow").await.unwrap();
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": narrow},
        "spec": {"hard": {"secrets": "0"}},
    });
    release.kubectl_apply(&quota).await;
    let watched = format!("watchNamespaces={{{},{narrow}}}", release.namespace);
    release.helm("install", &[&watched]).await.unwrap();
    release.apply_portal().await;
    let access = json!([{"namespaces": {"from": "All"}, "roles": [DATASPACE_DISCOVERY]}]);
    release.patch_portal(&json!({"spec": {"access": access}})).await;
    let name = format!("{narrow}/edc");
    release.apply(&create_from("edc", &narrow, &release.namespace, DATASPACE_DISCOVERY)).await;
    let refused = release.until(&name, "it is reported", |object| message(object).contains("quota")).await;
    assert_eq!(reason(&refused), "OutputNotWritable", "{}", message(&refused));
    assert!(release.ours().is_empty());
    release.cluster.kubectl(&["-n", &narrow, "delete", "resourcequota", "none"]).await;
    release.ready(&name).await;
    assert_eq!(release.ours().len(), 1);
    assert_eq!(release.token_with(&name).await, 200);
}
