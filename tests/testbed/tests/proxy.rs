//! What tests rely on in the proxy: it passes on everything, records it, and breaks what a test requests.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{pin::pin, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::json;
use testbed::{Action, ApiProxy, Matcher, Stage, eventually, shared};

/// A proxy with a client behind it that may do everything in a namespace of its own.
struct Setup {
    proxy: ApiProxy,
    token: String,
    namespace: String,
    /// Through the proxy.
    api: Api<ConfigMap>,
    /// Past the proxy.
    direct: Api<ConfigMap>,
}

async fn setup() -> Setup {
    let cluster = shared().await;
    let namespace = cluster.namespace("proxy").await.unwrap();
    cluster.create_service_account(&namespace, "user").await.unwrap();
    let user = format!("{namespace}:user");
    let args = ["create", "rolebinding", "user", "--clusterrole=edit", "--serviceaccount", &user];
    let args = [&args[..], &["--namespace", &namespace]].concat();
    cluster.kubectl(&args).await.unwrap().success().unwrap();
    let proxy = ApiProxy::start(cluster).await.unwrap();
    let token = cluster.service_account_token(&namespace, "user").await.unwrap();
    let kubeconfig = cluster.kubeconfig_for_token(&token, Some(proxy.url())).unwrap();
    let client = cluster.client_for_kubeconfig(&kubeconfig).await.unwrap();
    let admin: Client = cluster.admin_client().await.unwrap();
    let api = Api::namespaced(client, &namespace);
    // The apiserver learns of a new role binding by a watch, a moment after it was created.
    eventually("the role binding is in effect", || async {
        api.list(&ListParams::default()).await.ok().map(drop)
    })
    .await
    .unwrap();
    Setup { proxy, token, direct: Api::namespaced(admin, &namespace), namespace, api }
}

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    }
}

fn creations() -> Matcher {
    Matcher::any().method("POST").path("/configmaps")
}

impl Setup {
    async fn create(&self, name: &str) -> kube::Result<ConfigMap> {
        self.api.create(&PostParams::default(), &config_map(name)).await
    }

    async fn exists(&self, name: &str) -> bool {
        self.direct.get_opt(name).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn requests_pass_as_they_are_and_are_recorded() {
    let setup = setup().await;
    let created = setup.create("a").await.unwrap();
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    setup.api.create(&dry, &config_map("b")).await.unwrap();
    let patch = json!({ "metadata": { "annotations": { "x": "y" } } });
    setup.api.patch("absent", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap_err();
    assert_eq!(setup.direct.get("a").await.unwrap().uid(), created.uid());

    let writes = setup.proxy.matching(&Matcher::writes());
    let base = format!("/api/v1/namespaces/{}/configmaps", setup.namespace);
    let seen: Vec<_> =
        writes.iter().map(|r| (r.method.as_str(), r.target.as_str(), r.answered_code)).collect();
    let expected = [
        ("POST", format!("{base}?"), Some(201)),
        ("POST", format!("{base}?&dryRun=All"), Some(201)),
        ("PATCH", format!("{base}/absent?"), Some(404)),
    ];
    assert_eq!(seen, expected.each_ref().map(|(method, target, code)| (*method, target.as_str(), *code)));
    assert!(
        writes.iter().all(|request| request.forwarded && request.apiserver_code == request.answered_code)
    );
    assert_eq!(setup.proxy.count(&creations().dry_run(true)), 1);
    assert_eq!(setup.proxy.count(&creations().dry_run(false)), 1);
}

#[tokio::test]
async fn the_user_agent_is_recorded_but_never_the_token() {
    let setup = setup().await;
    client_process(&setup, "a").wait_for_line(|line| line.starts_with("HTTP/1.1 201")).await.unwrap();
    let request = setup.proxy.matching(&creations()).pop().unwrap();
    assert_eq!(request.user_agent, "raw-client");
    assert!(!format!("{:?}", setup.proxy).contains(&setup.token));
}

#[tokio::test]
async fn watches_stream_and_can_be_closed() {
    let setup = setup().await;
    let version = setup.api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut events = pin!(setup.api.watch(&WatchParams::default(), &version).await.unwrap());
    for name in ["first", "second"] {
        setup.direct.create(&PostParams::default(), &config_map(name)).await.unwrap();
        let event = events.next().await.unwrap().unwrap();
        let WatchEvent::Added(added) = event else { unreachable!("{event:?}") };
        assert_eq!(added.name_any(), name);
    }
    assert_eq!(setup.proxy.count(&Matcher::any().watch(true)), 1);
    setup.proxy.drop_connections();
    // The stream ends, with or without an error about it.
    while let Some(event) = events.next().await {
        assert!(event.is_err(), "{event:?}");
    }
    setup.create("afterwards").await.unwrap();
}

#[tokio::test]
async fn a_status_is_answered_for_the_nth_request_only() {
    let setup = setup().await;
    let rule =
        setup.proxy.on(creations()).nth(2).action(Action::status(503, "ServiceUnavailable", "try later"));
    setup.create("a").await.unwrap();
    let kube::Error::Api(status) = setup.create("b").await.unwrap_err() else { unreachable!() };
    assert_eq!((status.code, status.reason.as_str()), (503, "ServiceUnavailable"));
    assert!(!setup.exists("b").await);
    setup.create("b").await.unwrap();
    assert_eq!(rule.hits(), 1);
    let refused = &setup.proxy.matching(&creations())[1];
    assert_eq!((refused.forwarded, refused.apiserver_code, refused.answered_code), (false, None, Some(503)));
}

#[tokio::test]
async fn a_connection_is_cut_before_the_request_arrives() {
    let setup = setup().await;
    let rule = setup.proxy.on(creations()).action(Action::DropBefore);
    let error = setup.create("a").await.unwrap_err();
    assert!(!matches!(error, kube::Error::Api(_)), "{error}");
    assert!(!setup.exists("a").await);
    rule.remove();
    setup.create("a").await.unwrap();
    assert_eq!(setup.proxy.count(&creations()), 2, "no client repeated the request");
}

#[tokio::test]
async fn a_connection_is_cut_before_the_answer_arrives() {
    let setup = setup().await;
    let _ = setup.proxy.on(creations()).nth(1).action(Action::DropAfter);
    let error = setup.create("a").await.unwrap_err();
    assert!(!matches!(error, kube::Error::Api(_)), "{error}");
    assert!(setup.exists("a").await);
    let lost = &setup.proxy.matching(&creations())[0];
    assert_eq!((lost.forwarded, lost.apiserver_code, lost.answered_code), (true, Some(201), None));
}

#[tokio::test]
async fn a_request_is_delayed() {
    let setup = setup().await;
    let rule = setup.proxy.on(creations()).action(Action::Delay(Duration::from_millis(1)));
    setup.create("a").await.unwrap();
    assert_eq!(rule.hits(), 1);
    assert!(setup.exists("a").await);
}

#[tokio::test]
async fn a_request_hangs_until_its_client_gives_up() {
    let setup = setup().await;
    let rule = setup.proxy.on(creations()).action(Action::Hang);
    {
        let mut creation = pin!(setup.create("a"));
        let hit = eventually("the request is there", || async { (rule.hits() == 1).then_some(()) });
        tokio::select! {
            answer = &mut creation => unreachable!("{answer:?}"),
            hit = hit => hit.unwrap(),
        }
    }
    setup.proxy.clear_rules();
    setup.create("b").await.unwrap();
    assert!(!setup.exists("a").await);
}

#[tokio::test]
async fn a_gate_holds_a_request_before_the_apiserver_sees_it() {
    let setup = setup().await;
    let gate = setup.proxy.on(creations()).nth(1).hold(Stage::Before);
    let (created, ()) = tokio::join!(setup.create("a"), async {
        gate.reached().await.unwrap();
        assert!(!setup.exists("a").await);
        gate.release();
    });
    created.unwrap();
    assert!(setup.exists("a").await);
    assert_eq!(gate.count(), 1);
}

#[tokio::test]
async fn a_gate_holds_the_answer_of_a_request_that_was_carried_out() {
    let setup = setup().await;
    let gate = setup.proxy.on(creations()).nth(1).hold(Stage::After);
    assert!(!gate.is_expected());
    let (created, ()) = tokio::join!(setup.create("a"), async {
        eventually("it is there", || async { setup.exists("a").await.then_some(()) }).await.unwrap();
        assert!(gate.is_expected());
        gate.reached().await.unwrap();
        gate.release();
    });
    created.unwrap();
}

#[tokio::test]
async fn a_client_killed_at_a_gate_before_forwarding_has_done_nothing() {
    let setup = setup().await;
    let gate = setup.proxy.on(creations()).nth(1).hold(Stage::Before);
    let victim = client_process(&setup, "a");
    gate.reached().await.unwrap();
    victim.kill9().unwrap();
    gate.abandoned().await.unwrap();
    gate.release();
    // A later request, so that the released one would have gone its way.
    setup.create("b").await.unwrap();
    assert!(!setup.exists("a").await);
    assert!(!setup.proxy.matching(&creations())[0].forwarded);
}

#[tokio::test]
async fn a_client_killed_at_a_gate_after_forwarding_has_done_it() {
    let setup = setup().await;
    let gate = setup.proxy.on(creations()).nth(1).hold(Stage::After);
    let victim = client_process(&setup, "a");
    gate.reached().await.unwrap();
    victim.kill9().unwrap();
    gate.abandoned().await.unwrap();
    assert!(setup.exists("a").await);
}

#[tokio::test]
async fn a_pause_holds_everything_until_it_ends() {
    let setup = setup().await;
    let version = setup.api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut events = pin!(setup.api.watch(&WatchParams::default(), &version).await.unwrap());
    setup.proxy.pause_all();
    setup.direct.create(&PostParams::default(), &config_map("unseen")).await.unwrap();
    let mut creation = pin!(setup.create("a"));
    let arrived =
        eventually("the request is there", || async { (setup.proxy.count(&creations()) == 1).then_some(()) });
    tokio::select! {
        answer = &mut creation => unreachable!("{answer:?}"),
        event = events.next() => unreachable!("{event:?}"),
        arrived = arrived => arrived.unwrap(),
    }
    assert!(!setup.exists("a").await);
    setup.proxy.resume();
    creation.await.unwrap();
    let event = events.next().await.unwrap().unwrap();
    assert!(matches!(event, WatchEvent::Added(_)), "{event:?}");
}

/// A client that can be killed: bash with a raw connection.
fn client_process(setup: &Setup, name: &str) -> testbed::Process {
    let script = r#"exec 3<>"/dev/tcp/${ADDRESS%:*}/${ADDRESS#*:}"
        printf 'POST %s HTTP/1.1\r\nHost: x\r\nUser-Agent: raw-client\r\nAuthorization: Bearer %s\r\n' "$URI" "$TOKEN" >&3
        printf 'Content-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' "${#BODY}" "$BODY" >&3
        exec cat <&3"#;
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
    testbed::Process::builder("bash")
        .args(["-c", script])
        .env("ADDRESS", setup.proxy.url().trim_start_matches("http://"))
        .env("URI", format!("/api/v1/namespaces/{}/configmaps", setup.namespace))
        .env("TOKEN", &setup.token)
        .env("BODY", body.to_string())
        .spawn()
        .unwrap()
}
