//! Workloads that are restarted after a change of what they read, with the right and the policy of the chart. No kubelet runs, so
//! the pods of a workload with replicas never become available, and the roll-out of one without replicas is complete at once.

use jiff::{SignedDuration, Timestamp};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::{Action, Matcher};

use crate::crash::{Call, Killed, Recording, crash_everywhere};
use crate::support::{World, WorldBuilder, condition, connected, create, reason, user_status, world};

const NAME: &str = "edc";

/// The operator may restart workloads.
pub fn with_the_right() -> WorldBuilder {
    world().value("restart.enabled=true")
}

fn api(world: &World, kind: &str) -> Api<DynamicObject> {
    let plural = format!("{}s", kind.to_lowercase());
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("apps", "v1", kind), &plural);
    Api::namespaced_with(world.client.clone(), &world.namespace, &resource)
}

/// A workload with this consent.
pub async fn workload(world: &World, kind: &str, name: &str, replicas: u8, consent: &str) {
    let container = json!({"name": "edc", "image": "example.org/edc:1"});
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {
            "name": name, "namespace": world.namespace,
            "annotations": {"technicaluser.dev/restart": consent},
        },
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    });
    if kind != "DaemonSet" {
        object["spec"]["replicas"] = json!(replicas);
    }
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = json!(name);
    }
    world.kubectl_apply(&object).await;
}

/// Changes a workload.
pub async fn change(world: &World, kind: &str, name: &str, patch: &Value) {
    api(world, kind).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

/// The time of the last restart of a workload.
async fn restarted_at(world: &World, kind: &str, name: &str) -> Option<String> {
    let object = api(world, kind).get(name).await.unwrap();
    let annotations = &object.data["spec"]["template"]["metadata"]["annotations"];
    annotations["kubectl.kubernetes.io/restartedAt"].as_str().map(str::to_owned)
}

/// How often the operator changed a workload. What another client changes at the same time is refused and tried again.
fn restarts(world: &World) -> usize {
    let patches = world.proxy.matching(&Matcher::any().method("PATCH").path_regex("^/apis/apps/").unwrap());
    patches.iter().filter(|patch| patch.apiserver_code == Some(200)).count()
}

/// A resource that restarts these workloads.
pub fn resource(world: &World, name: &str, targets: &[(&str, &str)]) -> Value {
    let mut manifest = create(name, &world.namespace, DATASPACE_DISCOVERY);
    let target = |(kind, name): &(&str, &str)| json!({"kind": kind, "name": name});
    manifest["spec"]["restart"] = targets.iter().map(target).collect();
    manifest
}

/// Changes what the Secret of a resource holds.
async fn change_secret(world: &World, name: &str, prefix: &str) {
    let outputs = json!([{"secret": {"keyPrefix": prefix}}]);
    world.patch_user(name, &json!({"spec": {"outputs": outputs}})).await;
}

/// Waits for a reason of the condition `ConsumersRestarted`, while the resource is ready. Returns the message.
pub async fn consumers(world: &World, name: &str, wanted: &str) -> String {
    let what = format!("the restarts have the reason {wanted}");
    let found = world.until(name, &what, |user| {
        let consumers = condition(user, "ConsumersRestarted");
        let current = user_status(user).observed_generation == user.metadata.generation;
        current && reason(user) == "Ready" && consumers.is_some_and(|found| found.reason == wanted)
    });
    condition(&found.await, "ConsumersRestarted").unwrap().message
}

/// The number of changes that the status records, and that of the last one for which all workloads are restarted.
async fn generations(world: &World, name: &str) -> (i64, Option<i64>) {
    let restart = user_status(&world.user(name).await.unwrap()).restart.unwrap();
    (restart.generation, restart.workloads.iter().map(|workload| workload.generation).min())
}

/// Waits until every restart for this number of changes is complete.
async fn restarted_for(world: &World, name: &str, changes: i64) {
    let what = format!("the workloads are restarted for {changes} changes");
    world.eventually(&what, async || generations(world, name).await == (changes, Some(changes))).await;
    consumers(world, name, "NoRestartDue").await;
}

/// Has a resource reconciled.
async fn touch(world: &World, name: &str) {
    world.patch_user(name, &json!({"metadata": {"annotations": {"example.org/touched": "x"}}})).await;
    world.patch_user(name, &json!({"metadata": {"annotations": {"example.org/touched": null}}})).await;
}

#[tokio::test]
async fn workloads_are_restarted_in_order_after_a_change_and_only_then() {
    let world = with_the_right().start().await;
    workload(&world, "Deployment", "control-plane", 1, NAME).await;
    workload(&world, "StatefulSet", "data-plane", 0, NAME).await;
    workload(&world, "DaemonSet", "proxy", 0, "other, edc").await;
    let targets = [("Deployment", "control-plane"), ("StatefulSet", "data-plane"), ("DaemonSet", "proxy")];
    world.apply(&resource(&world, NAME, &targets)).await;
    world.ready(NAME).await;
    consumers(&world, NAME, "NoRestartDue").await;
    assert_eq!((restarts(&world), generations(&world, NAME).await), (0, (0, Some(0))), "a first publication");

    change_secret(&world, NAME, "A_").await;
    let words = consumers(&world, NAME, "RestartPending").await;
    assert!(words.contains("Deployment \"control-plane\""), "{words}");
    let words = consumers(&world, NAME, "RollingOut").await;
    assert!(words.contains("control-plane") && !words.contains("data-plane"), "{words}");
    world.event(NAME, "WorkloadRestarted").await;
    let (first, second) = ("control-plane", "data-plane");
    assert!(restarted_at(&world, "Deployment", first).await.is_some());
    world.two_sweeps().await;
    touch(&world, NAME).await;
    consumers(&world, NAME, "RollingOut").await;
    assert_eq!((restarts(&world), restarted_at(&world, "StatefulSet", second).await), (1, None));

    change(&world, "Deployment", first, &json!({"spec": {"replicas": 0}})).await;
    restarted_for(&world, NAME, 1).await;
    assert!(restarted_at(&world, "StatefulSet", second).await.is_some());
    assert!(restarted_at(&world, "DaemonSet", "proxy").await.is_some());
    assert_eq!(restarts(&world), 3);

    // The same content is written again: its readers have it.
    let edit = json!({"stringData": {"A_client-secret": "wrong"}});
    world.secrets_api().patch(NAME, &PatchParams::default(), &Patch::Merge(edit)).await.unwrap();
    world.event(NAME, "OutputHealed").await;
    world.ready(NAME).await;
    consumers(&world, NAME, "NoRestartDue").await;
    let calls = || world.proxy.count(&Matcher::any().path_regex("^/apis/apps/").unwrap());
    let before = calls();
    world.two_sweeps().await;
    touch(&world, NAME).await;
    world.ready(NAME).await;
    assert_eq!((restarts(&world), calls()), (3, before), "a calm system asks for no workload");
    let log = world.log();
    assert!(log.lines().any(|line| line.contains("Audit") && line.contains("restart")), "no audit line");
    let unused = world.unused_rights().await;
    assert!(!unused.iter().any(|right| right.is_of_group("apps")), "{unused:?}");
}

#[tokio::test]
async fn a_roll_out_that_does_not_end_is_reported_and_holds_up_the_later_ones() {
    let world = with_the_right().start().await;
    workload(&world, "Deployment", "first", 1, NAME).await;
    workload(&world, "Deployment", "second", 0, NAME).await;
    change(&world, "Deployment", "first", &json!({"spec": {"progressDeadlineSeconds": 2}})).await;
    world.apply(&resource(&world, NAME, &[("Deployment", "first"), ("Deployment", "second")])).await;
    world.ready(NAME).await;
    change_secret(&world, NAME, "A_").await;
    let words = consumers(&world, NAME, "RollOutStuck").await;
    assert!(words.contains("Deployment \"first\"") && words.contains("timed out progressing"), "{words}");
    let (kind, _) = world.event(NAME, "RollOutStuck").await;
    assert_eq!((kind.as_str(), restarted_at(&world, "Deployment", "second").await), ("Warning", None));

    change(&world, "Deployment", "first", &json!({"spec": {"replicas": 0}})).await;
    world
        .eventually("the roll-out ends", async || {
            let first = api(&world, "Deployment").get("first").await.unwrap();
            let status = &first.data["status"];
            status["observedGeneration"].as_i64() == first.metadata.generation && status["replicas"].is_null()
        })
        .await;
    touch(&world, NAME).await;
    restarted_for(&world, NAME, 1).await;
    assert_eq!(restarts(&world), 2);
}

/// A Deployment, and two resources that restart it.
async fn two_of_one_workload(replicas: u8, consent: &str) -> World {
    let world = with_the_right().start().await;
    workload(&world, "Deployment", "edc", replicas, consent).await;
    for name in ["one", "two"] {
        world.apply(&resource(&world, name, &[("Deployment", "edc")])).await;
        world.ready(name).await;
    }
    world
}

#[tokio::test]
async fn several_changes_lead_to_one_restart() {
    let world = two_of_one_workload(0, "another").await;
    for (prefix, changes) in [("A_", 1), ("B_", 2)] {
        for name in ["one", "two"] {
            change_secret(&world, name, prefix).await;
            let what = format!("change {changes} of {name} is recorded");
            world.eventually(&what, async || generations(&world, name).await == (changes, Some(0))).await;
        }
    }
    for name in ["one", "two"] {
        consumers(&world, name, "RestartNotPermitted").await;
    }
    let consent = json!({"metadata": {"annotations": {"technicaluser.dev/restart": "one, two"}}});
    change(&world, "Deployment", "edc", &consent).await;
    for name in ["one", "two"] {
        touch(&world, name).await;
        restarted_for(&world, name, 2).await;
    }
    assert_eq!(restarts(&world), 1);
}

/// Another process recorded the changes by a clock that ran ahead. Compared with such times, the restart for each of the two would come
/// before the change of the other, again and again.
#[tokio::test]
async fn changes_in_the_future_of_two_resources_lead_to_no_more_than_a_restart_of_each() {
    let world = two_of_one_workload(1, "one, two").await;
    let now = Timestamp::now();
    for (name, minutes) in [("one", 10), ("two", 20)] {
        let at = now + SignedDuration::from_mins(minutes);
        let restart = json!({"generation": 1, "changedAt": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()});
        let patch = Patch::Merge(json!({"status": {"restart": restart}}));
        world.users_api().patch_status(name, &PatchParams::default(), &patch).await.unwrap();
    }
    let reads = || world.proxy.count(&Matcher::any().method("GET").path_regex("^/apis/apps/").unwrap());
    for name in ["one", "two"] {
        consumers(&world, name, "RollingOut").await;
    }
    let before = reads();
    world.eventually("the roll-out is read many times", async || reads() > before + 12).await;
    assert!((1..=2).contains(&restarts(&world)), "{}", restarts(&world));
    change(&world, "Deployment", "edc", &json!({"spec": {"replicas": 0}})).await;
    for name in ["one", "two"] {
        restarted_for(&world, name, 1).await;
    }
    assert!((1..=2).contains(&restarts(&world)), "{}", restarts(&world));
}

#[tokio::test]
async fn a_workload_that_does_not_consent_or_does_not_exist_is_reported() {
    let world = with_the_right().start().await;
    workload(&world, "Deployment", "silent", 0, "another").await;
    workload(&world, "Deployment", "willing", 0, NAME).await;
    let targets = [("Deployment", "silent"), ("Deployment", "missing"), ("Deployment", "willing")];
    world.apply(&resource(&world, NAME, &targets)).await;
    world.ready(NAME).await;
    change_secret(&world, NAME, "A_").await;
    let words = consumers(&world, NAME, "RestartNotPermitted").await;
    assert!(words.contains("Deployment \"silent\"") && words.contains("Deployment \"missing\""), "{words}");
    assert_eq!(restarted_at(&world, "Deployment", "silent").await, None);
    assert!(restarted_at(&world, "Deployment", "willing").await.is_some());
    let (kind, note) = world.event(NAME, "RestartNotPermitted").await;
    assert!(kind == "Warning" && note.contains("silent"), "{note}");

    let consent = json!({"metadata": {"annotations": {"technicaluser.dev/restart": "another, edc"}}});
    change(&world, "Deployment", "silent", &consent).await;
    touch(&world, NAME).await;
    let words = consumers(&world, NAME, "WorkloadNotFound").await;
    assert!(!words.contains("silent"), "{words}");
    assert!(restarted_at(&world, "Deployment", "silent").await.is_some());
    workload(&world, "Deployment", "missing", 0, NAME).await;
    touch(&world, NAME).await;
    restarted_for(&world, NAME, 1).await;
    assert_eq!(restarts(&world), 3);
}

#[tokio::test]
async fn without_the_right_the_value_of_the_chart_is_named() {
    let world = world().start().await;
    workload(&world, "Deployment", "edc", 0, NAME).await;
    world.apply(&resource(&world, NAME, &[("Deployment", "edc")])).await;
    world.ready(NAME).await;
    change_secret(&world, NAME, "A_").await;
    let words = consumers(&world, NAME, "RestartForbidden").await;
    assert!(words.contains("restart.enabled"), "{words}");
    assert_eq!(restarted_at(&world, "Deployment", "edc").await, None);
    // A restart by hand is as good.
    let rollout = ["rollout", "restart", "deployment/edc", "-n", &world.namespace];
    world.plane.kubectl(&rollout).await.unwrap().success().unwrap();
    world.patch_user(NAME, &json!({"spec": {"restart": null}})).await;
    let user = world
        .until(NAME, "nothing is restarted", |user| condition(user, "ConsumersRestarted").is_none())
        .await;
    assert_eq!(user_status(&user).restart, None);
}

/// Another client writes one output again and again: what is written into the other one is recorded, and so is the restart.
#[tokio::test]
async fn a_change_beside_an_output_that_cannot_be_written_is_recorded() {
    let world = with_the_right().start().await;
    workload(&world, "Deployment", "edc", 0, NAME).await;
    let outputs = |prefix: &str, label: &str| {
        let labels = json!({"example.org/label": label});
        json!([
            {"secret": {"name": "one", "keyPrefix": prefix}},
            {"secret": {"name": "two", "format": "VaultJson", "labels": labels}},
        ])
    };
    let mut manifest = resource(&world, NAME, &[("Deployment", "edc")]);
    manifest["spec"]["outputs"] = outputs("A_", "a");
    world.apply(&manifest).await;
    world.ready(NAME).await;
    consumers(&world, NAME, "NoRestartDue").await;

    let conflicting = Matcher::any().method("PATCH").path_regex("/secrets/two$").unwrap().dry_run(false);
    let conflicts = world.proxy.on(conflicting).action(Action::status(409, "Conflict", "on demand"));
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs("B_", "b")}})).await;
    world.eventually("the change is recorded", async || generations(&world, NAME).await.0 == 1).await;
    conflicts.remove();
    restarted_for(&world, NAME, 1).await;
    assert_eq!(restarts(&world), 1);
}

#[tokio::test]
async fn preflight_checks_the_right_where_it_is_wanted() {
    let mut world = with_the_right().stopped().start().await;
    world.set_env("TUO_RESTART", "true");
    let (code, said) = world.preflight(&[], &world.kubeconfig()).await;
    assert!(code == Some(0) && said.contains("all 16 permissions"), "{said}");
}

async fn a_changed_resource(world: &World) {
    change_secret(world, NAME, "A_").await;
    restarted_for(world, NAME, 1).await;
}

async fn before_the_change() -> World {
    let world = connected(with_the_right()).await;
    workload(&world, "Deployment", "one", 0, NAME).await;
    workload(&world, "Deployment", "two", 0, NAME).await;
    world.apply(&resource(&world, NAME, &[("Deployment", "one"), ("Deployment", "two")])).await;
    world.ready(NAME).await;
    consumers(&world, NAME, "NoRestartDue").await;
    world
}

async fn calls_of_a_change() -> Vec<Call> {
    let world = before_the_change().await;
    let recording = Recording::start(&world);
    a_changed_resource(&world).await;
    recording.calls(&world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_between_publication_and_restart_restarts_each_workload_once() {
    let mut calls = calls_of_a_change().await;
    calls.retain(Call::is_write);
    let restart =
        |call: &&Call| matches!(call, Call::Apiserver { path, .. } if path.contains("/deployments/"));
    assert_eq!(calls.iter().filter(restart).count(), 2, "{calls:?}");
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let mut world = before_the_change().await;
        let held = call.hold(&world, killed);
        change_secret(&world, NAME, "A_").await;
        let met = tokio::select! {
            () = held.reached() => true,
            () = restarted_for(&world, NAME, 1) => held.was_sent().await,
        };
        held.kill_and_restart(&mut world, NAME).await;
        restarted_for(&world, NAME, 1).await;
        for name in ["one", "two"] {
            let object = api(&world, "Deployment").get(name).await.unwrap();
            assert_eq!(object.metadata.generation, Some(2), "{name} is restarted once");
        }
        met
    })
    .await;
}
