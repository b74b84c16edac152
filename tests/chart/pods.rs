//! The pods: restricted, of the right image, with the right environment, and found by what reads their metrics.

use serde_json::{Value, json};

use crate::helm::{folder, render, write};
use crate::objects::{deployment, env, name, of_kind, pod};

#[test]
fn the_pod_is_restricted() {
    let objects = render(&[]);
    let pod = pod(&objects);
    assert_eq!(
        pod["securityContext"],
        json!({"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"}})
    );
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"],
        json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
    );
    assert_eq!(pod["automountServiceAccountToken"], true);
    assert_eq!(of_kind(&objects, "ServiceAccount")[0]["automountServiceAccountToken"], false);
    assert!(pod["terminationGracePeriodSeconds"].as_i64() >= Some(60));
    assert_eq!(container["args"], json!(["run"]));
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
    // Helm 3 reads the log for `--logs` after the test, when a policy that deletes the pod on success has done so.
    assert_eq!(annotations["helm.sh/hook-delete-policy"], "before-hook-creation");
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
    assert_eq!(own["args"], json!(["preflight"]));
    let variables = own["env"].as_array().expect("an environment");
    assert_eq!(variables.len(), 7);
    // The operator uses these rights where a resource needs them.
    let rights = [json!("TUO_RESTART"), json!("TUO_VAULT_KUBERNETES_AUTH")];
    for variable in variables.iter().filter(|variable| !rights.contains(&variable["name"])) {
        assert!(theirs["env"].as_array().expect("an environment").contains(variable), "{variable}");
    }
    // Nothing takes it for one of the operator's pods, but the policy lets it out.
    let labels = &test["metadata"]["labels"];
    let selector = &deployment(&objects)["spec"]["selector"]["matchLabels"];
    assert_ne!(labels["app.kubernetes.io/name"], selector["app.kubernetes.io/name"]);
    let policy = of_kind(&objects, "NetworkPolicy")[0];
    let names = &policy["spec"]["podSelector"]["matchExpressions"][0]["values"];
    let wanted = [&selector["app.kubernetes.io/name"], &labels["app.kubernetes.io/name"]];
    assert_eq!(names, &json!(wanted));
    assert_eq!(of_kind(&render(",preflight.enabled=false"), "Pod").len(), 0);
}

/// The pods of the operator and of the preflight.
fn both(objects: &[Value]) -> [&Value; 2] {
    [pod(objects), &of_kind(objects, "Pod")[0]["spec"]]
}

#[test]
fn names_are_resolved_as_the_values_say() {
    for pod in both(&render(&[])) {
        for field in ["hostAliases", "dnsPolicy", "dnsConfig"] {
            assert!(pod.get(field).is_none(), "{field}");
        }
    }
    let alias = "hostAliases[0].ip=10.0.0.5,hostAliases[0].hostnames={portal.example.test}";
    let dns = "dnsPolicy=None,dnsConfig.nameservers={10.0.0.2}";
    for pod in both(&render(&["--set", alias, "--set", dns])) {
        let alias = json!([{"ip": "10.0.0.5", "hostnames": ["portal.example.test"]}]);
        assert_eq!(pod["hostAliases"], alias);
        assert_eq!(pod["dnsPolicy"], "None");
        assert_eq!(pod["dnsConfig"], json!({"nameservers": ["10.0.0.2"]}));
    }
}

#[test]
fn the_process_chooses_where_it_listens_unless_a_value_does() {
    assert_eq!(env(&render(&[]), "TUO_LISTEN"), None);
    for (value, expected) in [("0.0.0.0", "0.0.0.0:8080"), ("::", "[::]:8080"), ("fd00::1", "[fd00::1]:8080")]
    {
        let objects = render(&["--set-string", &format!("listenAddress={value}")]);
        assert_eq!(env(&objects, "TUO_LISTEN").as_deref(), Some(expected));
    }
}

#[test]
fn more_objects_come_with_the_release() {
    let values = json!({"instance": "prod-eu", "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-one"}, "data": {"a": "1e3"}},
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n  namespace: {{ .Release.Namespace | quote }}\n",
    ]});
    let values = write(&folder("more-objects"), "values.json", &values.to_string());
    let objects = render(&["--values", &values]);
    let more = of_kind(&objects, "ConfigMap");
    assert_eq!((name(more[0]), &more[0]["data"]["a"]), ("tuo-one", &json!("1e3")));
    assert_eq!((name(more[1]), &more[1]["metadata"]["namespace"]), ("two", &json!("ops")));
}

#[test]
fn the_image_is_named_by_registry_tag_or_digest() {
    let image = |settings: &str| {
        pod(&render(&["--set", &format!("crds.install=false,{settings}")]))["containers"][0]["image"].clone()
    };
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    assert_eq!(image("replicas=1"), concat!("technical-user-operator:", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        image("image.registry=ghcr.io/acme,image.tag=edge"),
        "ghcr.io/acme/technical-user-operator:edge"
    );
    assert_eq!(
        image(&format!("image.registry=ghcr.io/acme,image.tag=edge,image.digest={digest}")),
        format!("ghcr.io/acme/technical-user-operator@{digest}")
    );
    let objects = render(&["--set", "image.pullSecrets[0].name=my-registry,image.pullPolicy=Always"]);
    assert_eq!(pod(&objects)["imagePullSecrets"], json!([{"name": "my-registry"}]));
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
