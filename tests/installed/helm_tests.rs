//! `helm test` on a real node, with each Helm that the chart works with.

use portal_simulator::role_names::DATASPACE_DISCOVERY;

use crate::support::{Release, company_one, create, one_user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_3_installs_tests_upgrades_and_uninstalls() {
    let release = Release::prepare(company_one()).await;
    release.helm3("install", &["log.filter=debug"]).await.unwrap();
    let of_release = ["technical-user-operator", "--namespace", &release.namespace];
    // Twice: the pod of the first test is replaced.
    for _ in 0..2 {
        let test = [&["test"], &of_release[..], &["--logs"]].concat();
        let printed = release.plane.helm3(&test).await.unwrap().success().unwrap();
        assert!(printed.contains("nothing is missing"), "{printed}");
    }
    release.helm3("upgrade", &["--reuse-values", "concurrency=4"]).await.unwrap();
    release.apply_portal().await;
    release.apply(&create("edc", &release.namespace, DATASPACE_DISCOVERY)).await;
    one_user(&release, "edc").await;
    // The logs end with the pods.
    release.assert_no_secret().await;
    let uninstall = [&["uninstall"], &of_release[..], &["--wait"]].concat();
    release.plane.helm3(&uninstall).await.unwrap().success().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_4_shows_the_log_of_the_test() {
    let release = Release::prepare(company_one()).await;
    release.helm("install", &[]).await.unwrap();
    for _ in 0..2 {
        let test = ["test", "technical-user-operator", "--namespace", &release.namespace, "--logs"];
        let printed = release.plane.helm(&test).await.unwrap().success().unwrap();
        assert!(printed.contains("nothing is missing"), "{printed}");
    }
}
