//! kubectl and helm at a real apiserver.

pub async fn kubectl(arguments: &[&str]) -> Result<String, String> {
    let answer = testbed::shared().await.kubectl(arguments).await.expect("kubectl runs");
    answer.success().map(|text| text.trim().to_owned()).map_err(|error| error.to_string())
}

pub async fn installed(arguments: &[&str]) -> String {
    let cluster = testbed::shared().await;
    cluster.helm(arguments).await.expect("helm runs").success().expect("helm succeeds")
}
