//! The Applications of `docs/argo-cd.md` against Argo CD's own definition.

use crate::examples::{blocks, objects};
use crate::support::cluster;

/// What an apiserver with Argo CD's definition answers to an Application, strict about unknown fields.
async fn apply(application: &str) -> Result<String, String> {
    let args = ["apply", "--validate=strict", "--dry-run=server", "-f", "-"];
    let answer = cluster().await.kubectl_with_input(&args, application).await.unwrap();
    answer.success().map_err(|error| error.to_string())
}

#[tokio::test]
async fn argo_cd_takes_the_applications_of_the_page() {
    let cluster = cluster().await;
    testbed::install_applications(cluster).await.unwrap();
    cluster.kubectl(&["create", "namespace", "argocd"]).await.unwrap().success().unwrap();

    let texts = blocks("docs/argo-cd.md").into_iter().flat_map(|(_, text)| objects(&text));
    let applications: Vec<_> = texts.filter(|object| object["kind"] == "Application").collect();
    assert_eq!(applications.len(), 3, "the parent, the operator and the TechnicalUsers");
    for application in applications {
        let answer = apply(&application.to_string()).await.unwrap();
        assert!(answer.contains("created (server dry run)"), "{answer}");

        // A field that Argo CD does not have is noticed.
        let mut misspelt = application.clone();
        misspelt["spec"]["syncPolicy"]["automated"]["selfHeals"] = true.into();
        let error = apply(&misspelt.to_string()).await.unwrap_err();
        assert!(error.contains("selfHeals"), "{error}");
    }
}
