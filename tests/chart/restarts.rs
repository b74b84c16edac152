//! The right to restart workloads: absent unless a value asks for it, and limited by a policy to what a restart changes.

use serde_json::{Value, json};
use technical_user_operator::preflight::permissions;

use crate::cluster::{self, installed, kubectl};
use crate::helm::{chart, render};
use crate::objects::{name, of_kind};

const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// The rules on workloads of the role in the watched namespace.
fn rules(objects: &[Value]) -> Vec<Value> {
    let role = of_kind(objects, "Role").into_iter().find(|role| !name(role).ends_with("-own"));
    let rules = role.expect("a Role")["rules"].as_array().expect("rules");
    rules.iter().filter(|rule| rule["apiGroups"] == json!(["apps"])).cloned().collect()
}

#[test]
fn the_right_exists_only_where_a_value_asks_for_it() {
    let none = render(&[]);
    assert!(rules(&none).is_empty());
    assert_eq!((of_kind(&none, POLICY).len(), of_kind(&none, BINDING).len()), (0, 0));

    let objects = render(&["--set", "restart.enabled=true"]);
    let granted = rules(&objects);
    let [rule] = granted.as_slice() else { panic!("one rule: {granted:?}") };
    let wanted: Vec<Value> = permissions::restart().iter().map(|p| json!(p.resource)).collect();
    for resource in rule["resources"].as_array().expect("resources") {
        assert!(wanted.contains(resource), "{resource}");
    }
    assert_eq!((&rule["resources"].as_array().expect("resources").len() * 2), wanted.len());
    assert_eq!(rule["verbs"], json!(["get", "patch"]));
    let (policy, binding) = (of_kind(&objects, POLICY)[0], of_kind(&objects, BINDING)[0]);
    assert_eq!((name(policy), name(binding)), ("tuo-technical-user-operator.ops", name(policy)));
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    let account = "request.userInfo.username == 'system:serviceaccount:ops:tuo-technical-user-operator'";
    assert_eq!(policy["spec"]["matchConditions"][0]["expression"], account);

    let unlimited = render(&["--set", "restart.enabled=true,restart.policy=false"]);
    assert_eq!((rules(&unlimited).len(), of_kind(&unlimited, POLICY).len()), (1, 0));
    let named = render(&[
        "--set",
        "restart.enabled=true,serviceAccount.create=false,serviceAccount.name=mine,rbac.create=false",
    ]);
    let expression = &of_kind(&named, POLICY)[0]["spec"]["matchConditions"][0]["expression"];
    assert_eq!(expression, "request.userInfo.username == 'system:serviceaccount:ops:mine'");
}

const KINDS: [(&str, &str); 3] =
    [("Deployment", "deployment"), ("StatefulSet", "statefulset"), ("DaemonSet", "daemonset")];

/// A workload with a field of most kinds; `consent` is its annotation.
fn workload(kind: &str, name: &str, consent: Option<&str>) -> Value {
    let mut annotations = json!({"team": "a"});
    if let Some(consent) = consent {
        annotations["technicaluser.dev/restart"] = json!(consent);
    }
    let container = json!({
        "name": "edc", "image": "example.org/edc:1",
        "env": [{"name": "A", "value": "1"}],
        "resources": {"limits": {"memory": "1024Mi", "cpu": "1000m"}},
    });
    let mut workload = json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": name, "labels": {"app": name}, "annotations": annotations},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    });
    if kind != "DaemonSet" {
        workload["spec"]["replicas"] = json!(0);
    }
    if kind == "StatefulSet" {
        workload["spec"]["serviceName"] = json!(name);
    }
    workload
}

fn pod(change: &Value) -> Value {
    json!({"spec": {"template": change}})
}

fn restart(time: &str) -> Value {
    pod(&json!({"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": time}}}))
}

/// Each change that the operator's account may not make, and a word of the refusal.
fn refused_changes() -> Vec<(Value, &'static str)> {
    let container = |change: Value| {
        let mut container = json!({"name": "edc", "image": "example.org/edc:1"});
        for (field, value) in change.as_object().expect("fields") {
            container[field] = value.clone();
        }
        pod(&json!({"spec": {"containers": [container]}}))
    };
    vec![
        (container(json!({"image": "example.org/evil:1"})), "the pods"),
        (container(json!({"env": [{"name": "A", "value": "2"}]})), "the pods"),
        (container(json!({"command": ["sh"]})), "the pods"),
        (pod(&json!({"spec": {"serviceAccountName": "admin"}})), "the pods"),
        (pod(&json!({"spec": {"hostNetwork": true}})), "the pods"),
        (pod(&json!({"metadata": {"labels": {"more": "x"}}})), "metadata of the pods"),
        (pod(&json!({"metadata": {"annotations": {"sidecar": "x"}}})), "no annotation of the pods"),
        (pod(&json!({"metadata": {"annotations": {"kept": null}}})), "no annotation of the pods"),
        (pod(&json!({"metadata": {"annotations": {"kept": "other"}}})), "no annotation of the pods"),
        (json!({"spec": {"minReadySeconds": 7}}), "the spec"),
        (json!({"spec": {"revisionHistoryLimit": 1}}), "the spec"),
        (json!({"metadata": {"annotations": {"technicaluser.dev/restart": "other"}}}), "the annotations"),
        (json!({"metadata": {"annotations": {"technicaluser.dev/restart": null}}}), "the annotations"),
        (json!({"metadata": {"annotations": {"team": "b"}}}), "the annotations"),
        (json!({"metadata": {"labels": {"more": "x"}}}), "the metadata"),
        (json!({"metadata": {"finalizers": ["example.org/hold"]}}), "the metadata"),
    ]
}

async fn patch(target: &str, namespace: &str, change: &Value, more: &[&str]) -> Result<String, String> {
    let change = change.to_string();
    let patch = ["patch", target, "-n", namespace, "--type=merge", "-p", &change];
    kubectl(&[&patch[..], more].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_account_can_change_nothing_but_the_time_of_a_restart() {
    let testbed = testbed::shared().await;
    let (own, watched) = (testbed.namespace("own").await, testbed.namespace("watched").await);
    let (own, watched) = (own.expect("a namespace"), watched.expect("a namespace"));
    let settings = format!(
        "instance=prod-eu,replicas=0,crds.install=false,restart.enabled=true,watchNamespaces={{{watched}}}"
    );
    installed(&["install", "tuo", &chart(), "-n", &own, "--set", &settings]).await;
    let user = format!("system:serviceaccount:{own}:tuo-technical-user-operator");
    let account = format!("--as={user}");
    let operator = [account.as_str()];

    for (kind, resource) in KINDS {
        for (name, consent) in [("yes", Some("edc")), ("no", None), ("empty", Some(""))] {
            let mut object = workload(kind, name, consent);
            object["spec"]["template"]["metadata"]["annotations"] = json!({"kept": "as it is"});
            let create = ["create", "-n", &watched, "-f", "-"];
            let answer = testbed.kubectl_with_input(&create, &object.to_string()).await;
            answer.expect("kubectl runs").success().expect("it is created");
        }
        let target = format!("{resource}/yes");
        // The policy is in force a moment after it was created.
        let evil = &refused_changes()[0].0;
        let dry_run = [account.as_str(), "--dry-run=server"];
        testbed::eventually("the policy is in force", || async {
            patch(&target, &watched, evil, &dry_run).await.is_err().then_some(())
        })
        .await
        .expect("it is");

        for (change, words) in refused_changes() {
            let refused = patch(&target, &watched, &change, &operator).await.expect_err("it is refused");
            assert!(refused.contains(words), "{kind} {change}: {refused}");
            if !change.to_string().contains("finalizers") {
                patch(&target, &watched, &change, &["--dry-run=server"])
                    .await
                    .unwrap_or_else(|error| panic!("{kind}: others may: {change}: {error}"));
            }
        }
        for time in ["2026-11-27T12:00:00Z", "2026-11-27T13:00:00Z"] {
            patch(&target, &watched, &restart(time), &operator).await.expect("a restart");
        }
        let both = {
            let mut both = restart("2026-11-27T14:00:00Z");
            both["spec"]["template"]["spec"] = json!({"hostNetwork": true});
            both
        };
        let refused = patch(&target, &watched, &both, &operator).await.expect_err("more than a restart");
        assert!(refused.contains("the pods"), "{refused}");

        for silent in ["no", "empty"] {
            let target = format!("{resource}/{silent}");
            let time = restart("2026-11-27T12:00:00Z");
            let refused = patch(&target, &watched, &time, &operator).await.expect_err("it does not consent");
            assert!(refused.contains("technicaluser.dev/restart"), "{refused}");
            patch(&target, &watched, &time, &[]).await.expect("others may restart it");
        }
        for (verb, expected) in [("get", true), ("patch", true), ("list", false), ("delete", false)] {
            let what = format!("{resource}s.apps");
            assert_eq!(cluster::may(&user, verb, &what, &watched).await, expected, "{verb} {what}");
            assert!(!cluster::may(&user, verb, &what, &own).await, "{verb} {what} elsewhere");
        }
        kubectl(&["delete", &target, "-n", &watched]).await.expect("others may delete it");
    }
    let types = ["get", "validatingadmissionpolicy", &format!("tuo-technical-user-operator.{own}")];
    let warnings = ["-o", "jsonpath={.status.typeChecking.expressionWarnings}"];
    assert_eq!(kubectl(&[&types[..], &warnings].concat()).await.expect("it is there"), "");
}

/// A policy limits what a wider role grants, too: an administrator may have bound one to the same account.
#[tokio::test(flavor = "multi_thread")]
async fn the_policy_holds_for_rights_that_the_chart_does_not_grant() {
    let testbed = testbed::shared().await;
    let own = testbed.namespace("own").await.expect("a namespace");
    let settings = "instance=prod-eu,replicas=0,crds.install=false,restart.enabled=true";
    installed(&["install", "tuo", &chart(), "-n", &own, "--set", settings]).await;
    let user = format!("system:serviceaccount:{own}:tuo-technical-user-operator");
    let account = format!("--as={user}");
    let bind = ["create", "rolebinding", "wide", "--clusterrole=admin", "-n", &own];
    let subject = format!("--serviceaccount={own}:tuo-technical-user-operator");
    kubectl(&[&bind[..], &[subject.as_str()]].concat()).await.expect("an administrator binds it");
    let object = workload("Deployment", "yes", Some("edc")).to_string();
    let create = ["create", "-n", &own, "-f", "-"];
    testbed
        .kubectl_with_input(&create, &object)
        .await
        .expect("kubectl runs")
        .success()
        .expect("it is created");
    for arguments in [
        &["delete", "deployment", "yes"][..],
        &["scale", "deployment", "yes", "--replicas=1"],
        &["create", "deployment", "new", "--image=example.org/evil:1"],
    ] {
        let refused = testbed::eventually("it is refused", || async {
            let dry = ["-n", &own, &account];
            let more: &[&str] = if arguments[0] == "scale" { &[] } else { &["--dry-run=server"] };
            kubectl(&[arguments, &dry, more].concat()).await.err()
        });
        let refused = refused.await.expect("it is");
        assert!(refused.contains("may neither create nor delete a workload"), "{arguments:?}: {refused}");
    }
}
