//! The pods: restricted, of the right image, with the right environment, and found by what reads their metrics.

use crate::helm::render;
use crate::objects::{deployment, env, of_kind, pod};

#[test]
fn the_pod_is_restricted() {
    let objects = render(&[]);
    let pod = pod(&objects);
    assert_eq!(
        pod["securityContext"],
        serde_json::json!({"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"}})
    );
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"],
        serde_json::json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
    );
    assert_eq!(pod["automountServiceAccountToken"], true);
    assert_eq!(of_kind(&objects, "ServiceAccount")[0]["automountServiceAccountToken"], false);
    assert!(pod["terminationGracePeriodSeconds"].as_i64() >= Some(60));
    assert_eq!(container["args"], serde_json::json!(["run"]));
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/livez");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert!(container["resources"]["limits"]["memory"].is_string());
}

#[test]
fn the_preflight_asks_as_the_operator_would() {
    let render = |more: &str| {
        let settings = format!(
            "crds.install=false,leaderElection.enabled=true,networkPolicy.enabled=true,tolerations[0].operator=Exists,\
             image.tag=edge,podLabels.team=connector,preflight.annotations.a=b{more}"
        );
        render(&["--set", &settings])
    };
    let objects = render("");
    let test = of_kind(&objects, "Pod")[0];
    let annotations = &test["metadata"]["annotations"];
    assert_eq!(annotations["helm.sh/hook"], "test");
    assert_eq!(annotations["helm.sh/hook-delete-policy"], "before-hook-creation,hook-succeeded");
    assert_eq!(annotations["a"], "b");
    assert_eq!(test["metadata"]["labels"]["team"], "connector");
    let (theirs, own) = (pod(&objects), &test["spec"]);
    for field in ["serviceAccountName", "securityContext", "tolerations", "automountServiceAccountToken"] {
        assert_eq!(own[field], theirs[field], "{field}");
    }
    let (theirs, own) = (&theirs["containers"][0], &own["containers"][0]);
    for field in ["image", "imagePullPolicy", "securityContext", "resources"] {
        assert_eq!(own[field], theirs[field], "{field}");
    }
    assert_eq!(own["args"], serde_json::json!(["preflight"]));
    let variables = own["env"].as_array().expect("an environment");
    assert_eq!(variables.len(), 5);
    for variable in variables {
        assert!(theirs["env"].as_array().expect("an environment").contains(variable), "{variable}");
    }
    // Nothing takes it for one of the operator's pods, but the policy lets it out.
    let labels = &test["metadata"]["labels"];
    let selector = &deployment(&objects)["spec"]["selector"]["matchLabels"];
    assert_ne!(labels["app.kubernetes.io/name"], selector["app.kubernetes.io/name"]);
    let policy = of_kind(&objects, "NetworkPolicy")[0];
    let names = &policy["spec"]["podSelector"]["matchExpressions"][0]["values"];
    let wanted = [&selector["app.kubernetes.io/name"], &labels["app.kubernetes.io/name"]];
    assert_eq!(names, &serde_json::json!(wanted));
    assert_eq!(of_kind(&render(",preflight.enabled=false"), "Pod").len(), 0);
}

#[test]
fn a_platform_that_chooses_the_user_gets_its_way() {
    let objects = render(&["--set", "podSecurityContext.runAsUser=null,podSecurityContext.runAsGroup=null"]);
    assert_eq!(
        pod(&objects)["securityContext"],
        serde_json::json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
    );
}

#[test]
fn the_image_is_named_by_registry_tag_or_digest() {
    let image = |settings: &str| {
        pod(&render(&["--set", &format!("crds.install=false,{settings}")]))["containers"][0]["image"].clone()
    };
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    assert_eq!(image("replicas=1"), "technical-user-operator:0.1.0");
    assert_eq!(
        image("image.registry=ghcr.io/acme,image.tag=edge"),
        "ghcr.io/acme/technical-user-operator:edge"
    );
    assert_eq!(
        image(&format!("image.registry=ghcr.io/acme,image.tag=edge,image.digest={digest}")),
        format!("ghcr.io/acme/technical-user-operator@{digest}")
    );
    let objects = render(&["--set", "image.pullSecrets[0].name=my-registry,image.pullPolicy=Always"]);
    assert_eq!(pod(&objects)["imagePullSecrets"], serde_json::json!([{"name": "my-registry"}]));
    assert_eq!(pod(&objects)["containers"][0]["imagePullPolicy"], "Always");
}

#[test]
fn proxies_reach_the_environment() {
    let objects = render(&[]);
    for variable in ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        assert_eq!(env(&objects, variable), None);
    }
    let objects = render(&[
        "--set",
        "proxy.https=http://proxy.example.org:3128,proxy.http=http://proxy.example.org:3129",
        "--set",
        r"proxy.noProxy=.internal.example.org\,10.0.0.0/8",
    ]);
    assert_eq!(env(&objects, "HTTPS_PROXY").as_deref(), Some("http://proxy.example.org:3128"));
    assert_eq!(env(&objects, "HTTP_PROXY").as_deref(), Some("http://proxy.example.org:3129"));
    assert_eq!(env(&objects, "NO_PROXY").as_deref(), Some(".internal.example.org,10.0.0.0/8"));
}

#[test]
fn plain_http_is_allowed_on_request_alone() {
    assert_eq!(env(&render(&[]), "TUO_ALLOW_INSECURE_HTTP"), None);
    let objects = render(&["--set", "allowInsecureHttp=true"]);
    assert_eq!(env(&objects, "TUO_ALLOW_INSECURE_HTTP").as_deref(), Some("true"));
}

#[test]
fn a_service_monitor_finds_its_service() {
    let objects =
        render(&["--set", "metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.labels.release=prom"]);
    let monitor = of_kind(&objects, "ServiceMonitor")[0];
    let service = of_kind(&objects, "Service")[0];
    assert_eq!(monitor["metadata"]["labels"]["release"], "prom");
    for (label, value) in monitor["spec"]["selector"]["matchLabels"].as_object().expect("labels") {
        assert_eq!(&service["metadata"]["labels"][label], value);
    }
    for (label, value) in service["spec"]["selector"].as_object().expect("labels") {
        assert_eq!(&deployment(&objects)["spec"]["template"]["metadata"]["labels"][label], value);
    }
    assert_eq!(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
}
