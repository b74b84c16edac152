//! The Helm chart, rendered by the real Helm: what it allows, what it refuses, and what its objects say.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use technical_user_operator::preflight::permissions;

/// The Secret and the Lease of the instance in these tests.
const OWN_OBJECT: &str = "technical-user-operator-prod-eu";

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The path of the chart.
fn chart() -> String {
    format!("{ROOT}/charts/technical-user-operator")
}

/// Runs helm with nothing of the developer's own settings; its output, or what it complained about.
fn helm(args: &[&str]) -> Result<String, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
    let output = Command::new(&testbed::binaries().expect("the programs of the testbed").helm)
        .args(args)
        .current_dir(Path::new(ROOT).join("charts"))
        .env("HELM_CACHE_HOME", home.join("cache"))
        .env("HELM_CONFIG_HOME", home.join("config"))
        .env("HELM_DATA_HOME", home.join("data"))
        .env("KUBECONFIG", "/dev/null")
        .env_remove("HELM_NAMESPACE")
        .output()
        .expect("helm runs");
    let text = |bytes| String::from_utf8(bytes).expect("helm writes UTF-8");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn template(settings: &[&str]) -> Result<String, String> {
    let mut args = vec!["template", "tuo", "technical-user-operator", "--namespace", "ops"];
    args.extend(settings);
    helm(&args)
}

/// The objects of a release in namespace `ops` with these settings.
fn render(settings: &[&str]) -> Vec<Value> {
    documents(&template(&[&["--set", "instance=prod-eu"], settings].concat()).expect("the chart renders"))
}

fn documents(yaml: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(yaml)
        .expect("valid YAML")
        .into_iter()
        .filter(|document| !document.is_null())
        .collect()
}

/// The value with 1.0 written as 1, which Kubernetes takes for the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), plain(field))).collect(),
        Value::Number(number) => {
            let text = number.to_string();
            serde_json::from_str(text.strip_suffix(".0").unwrap_or(&text)).expect("a number")
        }
        other => other.clone(),
    }
}

/// Why the chart is refused with these settings.
fn refusal(settings: &[&str]) -> String {
    template(settings).expect_err("the chart must be refused")
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().expect("a kind")
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().expect("a name")
}

fn of_kind<'a>(objects: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| kind(object) == wanted).collect()
}

fn deployment(objects: &[Value]) -> &Value {
    of_kind(objects, "Deployment")[0]
}

fn pod(objects: &[Value]) -> &Value {
    &deployment(objects)["spec"]["template"]["spec"]
}

fn env(objects: &[Value], variable: &str) -> Option<String> {
    let all = pod(objects)["containers"][0]["env"].as_array().expect("an environment");
    all.iter().find(|entry| entry["name"] == variable)?["value"].as_str().map(str::to_owned)
}

/// Each permission of a role in one line: group/resource[/name] verb.
fn permissions(role: &Value) -> BTreeSet<String> {
    let strings = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| item.as_str().expect("a string").to_owned())
            .collect()
    };
    let mut all = BTreeSet::new();
    for rule in role["rules"].as_array().expect("rules") {
        let names = strings(&rule["resourceNames"]);
        let names = if names.is_empty() { vec![String::new()] } else { names };
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                for name in &names {
                    for verb in strings(&rule["verbs"]) {
                        let name = if name.is_empty() { String::new() } else { format!("[{name}]") };
                        all.insert(format!("{group}/{resource}{name} {verb}"));
                    }
                }
            }
        }
    }
    all
}

/// All that the operator does in a namespace that it watches, by its own list.
fn watched_permissions() -> BTreeSet<String> {
    permissions::watched().iter().map(ToString::to_string).collect()
}

fn own_permissions() -> BTreeSet<String> {
    permissions::own(OWN_OBJECT, None).iter().map(ToString::to_string).collect()
}

/// Every binding must give the role of its own name to the operator's account in `ops`.
fn assert_bound(objects: &[Value], role_kind: &str) {
    for role in of_kind(objects, role_kind) {
        let bindings = of_kind(objects, &format!("{role_kind}Binding"));
        let binding = bindings
            .iter()
            .find(|b| name(b) == name(role) && b["metadata"]["namespace"] == role["metadata"]["namespace"])
            .unwrap_or_else(|| panic!("nobody is bound to {}", name(role)));
        assert_eq!(binding["roleRef"]["kind"], role_kind);
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        let account = of_kind(objects, "ServiceAccount")[0];
        assert_eq!(
            binding["subjects"],
            serde_json::json!([{"kind": "ServiceAccount", "name": name(account), "namespace": "ops"}])
        );
    }
}

/// Role name and namespace of each Role.
fn roles(objects: &[Value]) -> Vec<(String, String)> {
    let place = |role: &&Value| {
        (role["metadata"]["namespace"].as_str().expect("a namespace").to_owned(), name(role).to_owned())
    };
    let mut all: Vec<_> = of_kind(objects, "Role").iter().map(place).collect();
    all.sort();
    all
}

#[test]
fn lint_is_content() {
    helm(&["lint", "--strict", "technical-user-operator", "--set", "instance=prod-eu"])
        .expect("no complaint");
}

#[test]
fn the_instance_is_required_and_explained() {
    let message = refusal(&[]);
    for words in [
        "The value \"instance\" is required.",
        "the name under which this installation owns users in the portal",
        "stays the same when the cluster is rebuilt",
        "No two running installations of one company share a name",
        "--set instance=prod-eu",
    ] {
        assert!(message.contains(words), "{words:?} is missing in: {message}");
    }
}

#[test]
fn wrong_values_are_refused_before_anything_is_installed() {
    for (setting, complaint) in [
        ("instance=Prod", "/instance"),
        ("instance=prod_eu", "/instance"),
        ("instance=prod-", "/instance"),
        ("instance=a12345678901234567890", "/instance"),
        ("watchNamespaces=connector", "/watchNamespaces"),
        ("watchNamespaces={Connector}", "/watchNamespaces/0"),
        ("watchNamespaces={*,connector}", "/watchNamespaces"),
        ("watchNamespaces={connector,connector}", "/watchNamespaces"),
        ("watchNamespace={connector}", "watchNamespace"),
        ("image.digest=sha256:abc", "/image/digest"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("image.tagg=1", "tagg"),
        ("image.pullSecrets={my-registry}", "/image/pullSecrets/0"),
        ("crds.install=1", "/crds/install"),
        ("replicas=two", "/replicas"),
        ("log.format=xml", "/log/format"),
        ("concurrency=0", "/concurrency"),
        ("concurrency=65", "/concurrency"),
        ("proxy.https=proxy.example.org:3128", "/proxy/https"),
        ("terminationGracePeriodSeconds=30", "/terminationGracePeriodSeconds"),
        ("replicas=2", "leaderElection.enabled=true"),
        ("serviceAccount.create=false", "serviceAccount.name"),
    ] {
        let message = refusal(&["--set", "instance=prod-eu", "--set", setting]);
        assert!(message.contains(complaint), "{setting} is refused with: {message}");
    }
}

#[test]
fn kubernetes_before_1_30_is_refused() {
    let settings = |version| ["--set", "instance=prod-eu", "--kube-version", version];
    assert!(refusal(&settings("1.29.9")).contains("incompatible with Kubernetes"));
    template(&settings("1.30.0-eks-a1b2c3")).expect("builds of cloud providers are accepted");
}

#[test]
fn by_default_only_the_namespace_of_the_release_is_opened() {
    let objects = render(&[]);
    let cluster_wide: Vec<_> = objects
        .iter()
        .filter(|object| kind(object).starts_with("Cluster"))
        .map(|object| format!("{} {}", kind(object), name(object)))
        .collect();
    assert_eq!(cluster_wide, Vec::<String>::new());
    let place = |name: &str| ("ops".to_owned(), name.to_owned());
    assert_eq!(
        roles(&objects),
        [place("tuo-technical-user-operator"), place("tuo-technical-user-operator-own")]
    );
    assert_eq!(permissions(of_kind(&objects, "Role")[0]), watched_permissions());
    assert_eq!(permissions(of_kind(&objects, "Role")[1]), own_permissions());
    assert_bound(&objects, "Role");
    assert_eq!(env(&objects, "TUO_WATCH_NAMESPACES").as_deref(), Some("ops"));
    assert_eq!(env(&objects, "TUO_INSTANCE").as_deref(), Some("prod-eu"));
}

#[test]
fn nothing_optional_is_made_by_default() {
    let mut kinds: Vec<_> = render(&[]).iter().map(|object| kind(object).to_owned()).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(
        kinds,
        ["CustomResourceDefinition", "Deployment", "Pod", "Role", "RoleBinding", "ServiceAccount"],
        "the pod is that of `helm test`"
    );
}

#[test]
fn each_watched_namespace_has_a_role_of_its_own() {
    let objects = render(&["--set", "watchNamespaces={connector,portal}"]);
    assert_eq!(of_kind(&objects, "ClusterRole").len(), 0);
    let place = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
    assert_eq!(
        roles(&objects),
        [
            place("connector", "tuo-technical-user-operator"),
            place("ops", "tuo-technical-user-operator-own"),
            place("portal", "tuo-technical-user-operator"),
        ]
    );
    for role in of_kind(&objects, "Role") {
        let expected =
            if role["metadata"]["namespace"] == "ops" { own_permissions() } else { watched_permissions() };
        assert_eq!(permissions(role), expected);
    }
    assert_bound(&objects, "Role");
    assert_eq!(env(&objects, "TUO_WATCH_NAMESPACES").as_deref(), Some("connector,portal"));
}

#[test]
fn all_namespaces_need_a_cluster_role() {
    let objects = render(&["--set", "watchNamespaces={*}"]);
    let cluster_roles = of_kind(&objects, "ClusterRole");
    assert_eq!(cluster_roles.len(), 1);
    assert_eq!(permissions(cluster_roles[0]), watched_permissions());
    assert_bound(&objects, "ClusterRole");
    assert_eq!(roles(&objects), [("ops".to_owned(), "tuo-technical-user-operator-own".to_owned())]);
    assert_bound(&objects, "Role");
    assert_eq!(env(&objects, "TUO_WATCH_NAMESPACES").as_deref(), Some("*"));
}

#[test]
fn every_permission_says_what_it_is_for() {
    let yaml = template(&["--set", "instance=prod-eu,leaderElection.enabled=true,crds.install=false"])
        .expect("the chart renders");
    let lines: Vec<_> = yaml.lines().map(str::trim).collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("- apiGroups:")) {
        // A rule without a comment of its own follows one for the same resource.
        let before = lines[index - 1];
        let resource =
            |line: &str| line.trim_start_matches("resources: [").split(['/', ']']).next().map(str::to_owned);
        let explained = before.starts_with('#')
            || lines[..index]
                .iter()
                .rev()
                .find(|line| line.starts_with("resources:"))
                .and_then(|line| resource(line))
                == resource(lines[index + 1]);
        assert!(explained, "no comment above {line} {}", lines[index + 1]);
    }
    assert!(yaml.contains("RBAC cannot say that"), "what RBAC cannot narrow is told beside the rule");
}

#[test]
fn leader_election_brings_its_lease_and_lets_pods_overlap() {
    let alone = render(&[]);
    assert_eq!(deployment(&alone)["spec"]["strategy"]["type"], "Recreate");
    assert_eq!(env(&alone, "TUO_LEADER_ELECTION").as_deref(), Some("false"));

    let several = render(&["--set", "leaderElection.enabled=true,replicas=2"]);
    assert_eq!(deployment(&several)["spec"]["strategy"]["type"], "RollingUpdate");
    assert_eq!(deployment(&several)["spec"]["replicas"], 2);
    assert_eq!(env(&several, "TUO_LEADER_ELECTION").as_deref(), Some("true"));
    let own =
        of_kind(&several, "Role").into_iter().find(|role| name(role).ends_with("-own")).expect("a Role");
    let with_lease = permissions::own(OWN_OBJECT, Some(OWN_OBJECT));
    assert_eq!(permissions(own), with_lease.iter().map(ToString::to_string).collect());
    assert_eq!(of_kind(&several, "PodDisruptionBudget").len(), 1);

    let one = render(&["--set", "leaderElection.enabled=true"]);
    assert_eq!(of_kind(&one, "PodDisruptionBudget").len(), 0, "a single pod would block every drain");
}

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
    assert_eq!(variables.len(), 4);
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
fn crds_are_upgraded_with_the_release_and_stay_without_it() {
    let objects = render(&[]);
    let crds = of_kind(&objects, "CustomResourceDefinition");
    let mut generated: Vec<(String, Value)> = Vec::new();
    for file in std::fs::read_dir(format!("{ROOT}/crds")).expect("the generated CRDs") {
        let file = file.expect("a file").file_name().into_string().expect("a name in UTF-8");
        let source = std::fs::read_to_string(format!("{ROOT}/crds/{file}")).expect("a generated CRD");
        let copy = std::fs::read_to_string(format!("{}/files/crds/{file}", chart())).unwrap_or_default();
        // Not assert_eq, here and below: it would print both.
        assert!(source == copy, "crds/{file} has changed: run charts/sync-crds.sh");
        let crd = documents(&source).remove(0);
        generated.push((name(&crd).to_owned(), crd));
    }
    let in_chart = std::fs::read_dir(format!("{}/files/crds", chart())).expect("copies");
    assert!(generated.len() >= 2);
    assert_eq!(in_chart.count(), generated.len(), "run charts/sync-crds.sh");
    assert_eq!(crds.len(), generated.len());
    for (crd_name, source) in &generated {
        let rendered = crds.iter().find(|crd| name(crd) == crd_name).expect("each CRD is rendered");
        assert_eq!(rendered["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
        assert!(plain(&rendered["spec"]) == plain(&source["spec"]), "templating changes {crd_name}");
    }
    assert_eq!(of_kind(&render(&["--set", "crds.install=false"]), "CustomResourceDefinition").len(), 0);
}

#[test]
fn every_value_is_in_the_readme() {
    fn paths(prefix: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    paths(
                        &if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") },
                        field,
                        found,
                    );
                }
            }
            _ => found.push(prefix.to_owned()),
        }
    }
    let read =
        |file: &str| std::fs::read_to_string(format!("{}/{file}", chart())).expect("a file of the chart");
    let mut all = Vec::new();
    paths("", &documents(&read("values.yaml"))[0], &mut all);
    let readme = read("README.md");
    let documented = |path: &str| {
        // A whole block may be told in one row, such as `resources`.
        path.match_indices('.')
            .map(|(end, _)| &path[..end])
            .chain([path])
            .any(|part| readme.contains(&format!("| `{part}` |")))
    };
    let missing: Vec<_> = all.into_iter().filter(|path| !documented(path)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn it_works_as_a_part_of_another_chart() {
    // A parent hands down `global`, and `enabled` where that is its dependency's condition.
    render(&["--set", "global.imageRegistry=x,enabled=true"]);
}

/// Everything that can be switched on.
const EVERYTHING: &str = "
instance: prod-eu
crds: {install: false}
replicas: 3
leaderElection: {enabled: true}
image: {pullSecrets: [{name: my-registry}]}
proxy: {https: 'http://proxy.example.org:3128'}
serviceAccount: {annotations: {a: b}}
metrics:
  service: {enabled: true, annotations: {a: b}}
networkPolicy:
  enabled: true
  ingressFrom: [{namespaceSelector: {}}]
  extraEgress: [{ports: [{port: 3128, protocol: TCP}]}]
extraEnv: [{name: SSL_CERT_FILE, value: /ca/ca.crt}]
extraVolumes: [{name: ca, configMap: {name: ca}}]
extraVolumeMounts: [{name: ca, mountPath: /ca, readOnly: true}]
podAnnotations: {a: b}
podLabels: {team: connector}
commonLabels: {team: connector}
priorityClassName: important
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: dedicated, operator: Exists}]
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 1
        podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {app.kubernetes.io/instance: tuo}}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {app.kubernetes.io/instance: tuo}}
";

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

#[tokio::test(flavor = "multi_thread")]
async fn a_real_apiserver_knows_every_field() {
    let values = Path::new(env!("CARGO_TARGET_TMPDIR")).join("everything.yaml");
    std::fs::write(&values, EVERYTHING).expect("a values file");
    let cluster = testbed::shared().await;
    let namespace = cluster.namespace("chart").await.expect("a namespace");
    let label = ["label", "namespace", &namespace, "pod-security.kubernetes.io/enforce=restricted"];
    cluster.kubectl(&label).await.expect("kubectl runs").success().expect("the namespace is restricted");
    let values = values.to_str().expect("a path in UTF-8");
    let arguments = |namespace: &str| {
        ["template", "tuo", "technical-user-operator", "--values", values, "--namespace", namespace]
            .map(str::to_owned)
    };
    let arguments = arguments(&namespace);
    let yaml = helm(&arguments.each_ref().map(String::as_str)).expect("the chart renders");
    // A pod is only admitted with its account and priority there.
    let account =
        ["create", "serviceaccount", "tuo-technical-user-operator", "-n", &namespace, "--save-config"];
    for create in [&account[..], &["create", "priorityclass", "important", "--value=1"]] {
        kubectl(create).await.expect("it is made");
    }
    let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
    let answer = cluster.kubectl_with_input(&apply, &yaml).await.expect("kubectl runs");
    assert!(!answer.stderr.contains("Warning"), "the apiserver warns: {}", answer.stderr);
    let objects = answer.success().expect("the apiserver accepts every object");
    assert_eq!(objects.lines().count(), documents(&yaml).len());
    for kind in ["networkpolicy.networking.k8s.io/", "pod/", "deployment.apps/"] {
        assert!(objects.lines().any(|line| line.starts_with(kind)), "{kind} in {objects}");
    }
}

async fn kubectl(arguments: &[&str]) -> Result<String, String> {
    let answer = testbed::shared().await.kubectl(arguments).await.expect("kubectl runs");
    answer.success().map(|text| text.trim().to_owned()).map_err(|error| error.to_string())
}

async fn installed(arguments: &[&str]) -> String {
    let cluster = testbed::shared().await;
    cluster.helm(arguments).await.expect("helm runs").success().expect("helm succeeds")
}

#[tokio::test(flavor = "multi_thread")]
async fn crds_are_upgraded_and_outlive_the_release_with_all_resources() {
    const FIELD: &str =
        "jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.suspend.type}";
    let cluster = testbed::shared().await;
    let namespace = cluster.namespace("crds").await.expect("a namespace");
    let suspend =
        async || kubectl(&["get", "crd", "portals.technicaluser.dev", "-o", FIELD]).await.expect("the CRD");

    // A former chart, whose Portal had no field `suspend`.
    let former = Path::new(env!("CARGO_TARGET_TMPDIR")).join("former-chart");
    let _ = std::fs::remove_dir_all(&former);
    copy(Path::new(&chart()), &former);
    let file = former.join("files/crds/portals.yaml");
    let mut crd = documents(&std::fs::read_to_string(&file).expect("a CRD")).remove(0);
    crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties")
        .and_then(Value::as_object_mut)
        .and_then(|fields| fields.remove("suspend"))
        .expect("the field is there today");
    std::fs::write(&file, crd.to_string()).expect("a CRD");

    let release = ["-n", &namespace, "--set", "instance=prod-eu,replicas=0"];
    let former = former.to_str().expect("a path in UTF-8");
    let notes = installed(&[&["install", "tuo", former], &release[..]].concat()).await;
    assert_eq!(suspend().await, "");
    installed(&[&["upgrade", "tuo", &chart()], &release[..]].concat()).await;
    assert_eq!(suspend().await, "boolean");

    // What the notes propose is accepted.
    let proposals: Vec<_> =
        notes.split("<<EOF\n").skip(1).filter_map(|rest| rest.split("EOF").next()).collect();
    assert_eq!(proposals.len(), 2);
    for proposal in proposals {
        let apply = cluster.kubectl_with_input(&["apply", "--validate=strict", "-f", "-"], proposal).await;
        apply.expect("kubectl runs").success().expect("the apiserver accepts it");
    }

    installed(&["uninstall", "tuo", "-n", &namespace, "--wait"]).await;
    let left = "get deployment,role,rolebinding,serviceaccount -o name -l app.kubernetes.io/instance=tuo -n";
    let left: Vec<_> = left.split(' ').chain([namespace.as_str()]).collect();
    assert_eq!(kubectl(&left).await.expect("an answer"), "");
    let resources = "get portals.technicaluser.dev,technicalusers.technicaluser.dev -o name -n";
    let resources: Vec<_> = resources.split(' ').chain([namespace.as_str()]).collect();
    let both = "portal.technicaluser.dev/catena-x\ntechnicaluser.technicaluser.dev/edc-wallet";
    assert_eq!(kubectl(&resources).await.expect("an answer"), both);

    // And it can be installed again over what stayed.
    installed(&[&["install", "tuo", &chart()], &release[..]].concat()).await;
    assert_eq!(kubectl(&resources).await.expect("an answer"), both);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_authorizer_allows_what_is_needed_and_no_more() {
    let cluster = testbed::shared().await;
    let own = cluster.namespace("own").await.expect("a namespace");
    let watched = cluster.namespace("watched").await.expect("a namespace");
    let other = cluster.namespace("other").await.expect("a namespace");
    let settings = format!(
        "instance=prod-eu,replicas=0,crds.install=false,leaderElection.enabled=true,watchNamespaces={{{watched}}}"
    );
    installed(&["install", "tuo", &chart(), "-n", &own, "--set", &settings]).await;

    let account = format!("--as=system:serviceaccount:{own}:tuo-technical-user-operator");
    let may = async |namespace: &str, verb: &str, what: &str| {
        let question = ["auth", "can-i", verb, what, "-n", namespace, &account];
        kubectl(&question).await.is_ok_and(|answer| answer == "yes")
    };
    for (namespace, verb, what, expected) in [
        (&watched, "list", "secrets", true),
        (&watched, "delete", "secrets", true),
        (&watched, "update", "secrets", false),
        (&watched, "deletecollection", "secrets", false),
        (&watched, "list", "namespaces", false),
        (&watched, "list", "resourcequotas", true),
        (&watched, "create", "pods", false),
        (&own, "get", "secrets/technical-user-operator-prod-eu", true),
        (&own, "get", "secrets/another", false),
        (&own, "create", "secrets", true),
        (&own, "list", "secrets", false),
        (&own, "update", "leases.coordination.k8s.io/technical-user-operator-prod-eu", true),
        (&own, "update", "leases.coordination.k8s.io/another", false),
        (&other, "get", "secrets", false),
        (&other, "create", "events.events.k8s.io", false),
    ] {
        assert_eq!(may(namespace, verb, what).await, expected, "{verb} {what} in {namespace}");
    }
    // A Role may open the namespace that it is in, and that one alone.
    kubectl(&["get", "namespace", &watched, &account]).await.expect("the labels of a watched namespace");
    kubectl(&["get", "namespace", &other, &account]).await.expect_err("another namespace is closed");
}
