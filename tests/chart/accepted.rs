//! Everything that can be switched on is accepted by a real apiserver, in a namespace of restricted pods.

use std::path::Path;

use crate::cluster::kubectl;
use crate::helm::{documents, helm};

/// Everything that can be switched on.
const EVERYTHING: &str = "
instance: prod-eu
crds: {install: false}
replicas: 3
leaderElection: {enabled: true}
image: {pullSecrets: [{name: my-registry}]}
proxy: {https: 'http://proxy.example.org:3128'}
serviceAccount: {annotations: {a: b}}
rbac: {aggregateToView: true, aggregateToEdit: true, aggregateToAdmin: true}
restart: {enabled: true}
openshift: {adaptSecurityContext: force}
listenAddress: '::'
global: {imagePullSecrets: [another], commonLabels: {cost: a}}
hostAliases: [{ip: 10.0.0.5, hostnames: [portal.example.test]}]
dnsPolicy: None
dnsConfig: {nameservers: [10.0.0.2], searches: [example.test], options: [{name: ndots, value: '1'}]}
extraObjects:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ .Release.Name }}-more'}}
  - 'apiVersion: v1

    kind: ConfigMap

    metadata: {name: {{ .Release.Name }}-text}'
metrics:
  service: {enabled: true, annotations: {a: b}}
networkPolicy:
  enabled: true
  ingressFrom: [{namespaceSelector: {}}]
  apiServerPorts: [8443]
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
        kubectl(create).await.expect("it is created");
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
