//! The pages, followed from the first command to the last in a cluster where nothing is installed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal_simulator::role_names::CONNECTOR_MANAGEMENT;
use portal_simulator::{Caller, Company, CompanyRole, Config, Simulator, Status, Version, WalletDelay};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use testbed::{Vault, eventually};

use crate::support::{Cluster, Page, Reader, assert_no_secret, vault};

/// The company, the login and its secret, as the README has them.
fn portal() -> Config {
    Config::new(Version::V2_6)
        .company(Company::new("Example Company", "BPNL00000003CRHK").roles([CompanyRole::ActiveParticipant]))
        .caller(Caller::with_role("sa12", "…", CONNECTOR_MANAGEMENT).of("Example Company"))
        .wallet_delay(WalletDelay::After(std::time::Duration::from_secs(2)))
}

/// The addresses of the pages, and what the certificates of portal and Vault need.
fn instead(simulator: &Simulator, vault: &Vault) -> BTreeMap<String, String> {
    let authority = simulator.ca_pem().replace('\n', "\n    ");
    let config_map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: simulator-ca\n  namespace: dataspace\ndata:";
    let words = [
        ("https://portal-backend.example.org", simulator.portal_url().to_owned()),
        (
            "https://centralidp.example.org/auth/realms/CX-Central/protocol/openid-connect/token",
            simulator.token_url(),
        ),
        (
            "spec:\n  catenaX:",
            "spec:\n  tls:\n    caBundle:\n      configMapRef:\n        name: simulator-ca\n        key: ca.crt\n  catenaX:"
                .to_owned(),
        ),
        (
            "        - --client-id=$(CLIENT_ID)\n",
            "        - --client-id=$(CLIENT_ID)\n        - --ca-file=/ca/ca.crt\n".to_owned(),
        ),
        (
            "      volumeMounts:\n        - name: login\n",
            "      volumeMounts:\n        - name: ca\n          mountPath: /ca\n        - name: login\n".to_owned(),
        ),
        (
            "  volumes:\n    - name: login\n",
            "  volumes:\n    - name: ca\n      configMap:\n        name: simulator-ca\n    - name: login\n".to_owned(),
        ),
        ("https://vault.example.org:8200", vault.address().to_owned()),
        (
            "  mount: secret\n",
            "  mount: secret\n  tls:\n    caBundle:\n      configMapRef:\n        name: vault-ca\n        key: ca.crt\n".to_owned(),
        ),
        // Comes with the namespaces, before the Portal that needs it.
        (
            "# The Portal's access selects by this label.\n    dataspace: \"yes\"\n",
            format!("dataspace: \"yes\"\n{config_map}\n  ca.crt: |\n    {authority}\n"),
        ),
    ];
    words.map(|(from, to)| (from.to_owned(), to)).into()
}

/// Our users: those that are not the login.
fn users(simulator: &Simulator) -> Vec<(String, Status)> {
    let users = simulator.users("Example Company");
    let made = users.into_iter().filter(|user| user.client_id.as_deref() != Some("sa12"));
    let mut made: Vec<_> = made.map(|user| (user.id.to_string(), user.status)).collect();
    made.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    made
}

/// What the Secrets of the connectors' namespace hold.
async fn secrets(reader: &Reader) -> BTreeMap<String, Value> {
    let printed = reader.run("kubectl -n connector get secrets -o json").await;
    let list: Value = serde_json::from_str(&printed).unwrap();
    let secrets = list["items"].as_array().unwrap().iter();
    secrets.map(|one| (one["metadata"]["name"].as_str().unwrap().to_owned(), one["data"].clone())).collect()
}

/// Waits until the program in a pod has obtained a token, and after that one more.
async fn obtains_tokens(reader: &Reader, pod: &str) {
    let obtained = async || {
        let outcome = reader.cluster().outcome("connector", pod).await;
        outcome["obtained"].as_u64().unwrap()
    };
    let before = obtained().await;
    eventually(&format!("{pod} obtains tokens"), || async { (obtained().await > before).then_some(()) })
        .await
        .unwrap();
}

/// Fails where a secret of the portal occurs in the operator's log, in Events or in our resources.
async fn no_secret_is_shown(reader: &Reader, simulator: &Simulator) {
    for command in [
        "kubectl -n dataspace logs -l app.kubernetes.io/name=technical-user-operator --tail=-1",
        "kubectl get events --all-namespaces -o yaml",
        "kubectl get portals.technicaluser.dev,technicalusers.technicaluser.dev --all-namespaces -o yaml",
    ] {
        assert_no_secret(simulator.secrets_handed_out(), command, &reader.run(command).await);
    }
}

/// The releases of the connector's chart, each with the values file of its version on the page.
const RELEASES: [(&str, &str); 3] = [
    ("connector-11", "values-0.11.yaml"),
    ("connector-12", "values-0.12.yaml"),
    ("connector", "values-0.13.yaml"),
];
const CHART: &str = "tractusx-dev/tractusx-connector";
/// Connectors that run with a user of before, as the chart is installed without the operator. They may read the new entry only.
async fn install_tractusx_connectors(reader: &Reader, server: &Vault) {
    reader.add(Path::new("tests/installed/tractusx-connector"), CHART);
    let token = vault::token_to_read(server, "connector/edc-wallet-*").await;
    let reads = format!(
        "vault.hashicorp.url={},vault.hashicorp.token={token},vault.hashicorp.paths.folder=connector",
        server.address()
    );
    for (release, values) in RELEASES {
        let (of, wallet) = if values == "values-0.13.yaml" { ("dcp", "div") } else { ("iatp", "dim") };
        let old = format!(
            "{of}.sts.oauth.token_url=https://idp.example.org/token,{of}.sts.oauth.client.id=sa-old,\
             {of}.sts.oauth.client.secret_alias=old,{of}.sts.{wallet}.url=https://wallet.example.org/api/sts"
        );
        reader
            .run(&format!(
                "helm install {release} {CHART} --namespace connector --set '{old}' --set '{reads}'"
            ))
            .await;
    }
}

/// The page upgrades one release; the others are upgraded with the values for their versions. Control plane and data plane of
/// each obtain tokens as the new user, with the client secret that the operator wrote into Vault.
async fn every_chart_has_the_new_user(reader: &Reader) {
    for (release, values) in RELEASES {
        let command = format!(
            "helm upgrade {release} {CHART} --namespace connector --reset-then-reuse-values --values {values}"
        );
        reader.run(&command).await;
    }
    let client_id = reader
        .run("kubectl -n connector get technicaluser edc-wallet -o jsonpath='{.status.user.clientId}'")
        .await;
    for (release, _) in RELEASES {
        for plane in ["controlplane", "dataplane"] {
            let deployment = format!("deployment/{release}-tractusx-connector-{plane}");
            reader.run(&format!("kubectl -n connector rollout status --timeout=5m {deployment}")).await;
            let pods = format!(
                "kubectl -n connector get pods -l release={release},plane={plane} \
                 --sort-by=.metadata.creationTimestamp -o jsonpath='{{.items[*].metadata.name}}'"
            );
            let pods = reader.run(&pods).await;
            // A pod of before may still be ending.
            let pod = pods.split_whitespace().last().unwrap();
            let outcome = reader.cluster().outcome("connector", pod).await;
            let login = json!([outcome["source"], outcome["clientId"], outcome["ready"], outcome["failed"]]);
            assert_eq!(login, json!(["vault", client_id, true, 0]), "{release} {plane}: {outcome}");
        }
    }
}

/// With the page about restarts, a change of the Secret restarts both planes, one after the other.
async fn a_change_of_the_secret_restarts_the_connector(reader: &mut Reader) {
    let page = Page::read("docs/restart.md");
    for heading in page.headings() {
        reader.follow(&page, heading).await;
    }
    let wallet = "https://wallet.example.org/api/another";
    let change = json!({ "spec": { "dataspace": { "walletUrl": wallet } } });
    reader
        .run(&format!(
            "kubectl -n dataspace patch portals.technicaluser.dev catena-x --type merge -p '{change}'"
        ))
        .await;
    let mut restarted = Vec::new();
    for plane in ["controlplane", "dataplane"] {
        let deployment = format!("deployment/connector-tractusx-connector-{plane}");
        let at = "{.spec.template.metadata.annotations.kubectl\\.kubernetes\\.io/restartedAt}";
        reader
            .run(&format!("kubectl -n connector wait --timeout=5m {deployment} --for=jsonpath='{at}'"))
            .await;
        reader.run(&format!("kubectl -n connector rollout status --timeout=5m {deployment}")).await;
        restarted
            .push(reader.run(&format!("kubectl -n connector get {deployment} -o jsonpath='{at}'")).await);
    }
    assert!(restarted[0] < restarted[1], "the control plane is first: {restarted:?}");
    let written = reader
        .run("kubectl -n connector get secret edc-wallet-env -o jsonpath='{.data.TX_EDC_IAM_STS_DIV_URL}'")
        .await;
    assert_eq!(written, STANDARD.encode(wallet));
}

async fn uninstall_tractusx_connectors(reader: &Reader) {
    for (release, _) in RELEASES {
        reader.run(&format!("helm uninstall {release} --namespace connector --wait")).await;
    }
    let without = json!({ "spec": { "restart": null } });
    reader
        .run(&format!("kubectl -n connector patch technicaluser edc-wallet --type merge -p '{without}'"))
        .await;
}

/// The page about Vault describes the server in another namespace, with another folder.
async fn the_entry_moves_to_the_vault_of_the_other_page(reader: &mut Reader, server: &Vault) {
    let page = Page::read("docs/vault.md");
    let former = vault::content(server, "connector/edc-wallet-1").await;
    apply(reader, &vault::certificate(server, "dataspace")).await;
    for heading in page.headings() {
        reader.follow(&page, heading).await;
    }
    assert_eq!(vault::content(server, ENTRY).await, former);
    assert_ne!(former, None);
    eventually("the former entry is deleted", async || {
        vault::content(server, "connector/edc-wallet-1").await.is_none().then_some(())
    })
    .await
    .unwrap();
}

async fn apply(reader: &Reader, manifest: &Value) {
    let arguments = ["apply", "-f", "-"];
    let applied = reader.cluster().plane().kubectl_with_input(&arguments, &manifest.to_string()).await;
    applied.unwrap().success().unwrap();
}

/// Where the page about Vault has the entry, in the mount `secret`.
const ENTRY: &str = "connectors/connector/edc-wallet-1";

/// Adds an optional field to a CRD of the reader's copy of the chart, as a later release has one.
fn add_a_field(reader: &Reader) {
    let file = reader.file("charts/technical-user-operator/files/crds/technicalusers.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let place = "              deletionPolicy:\n";
    assert_eq!(text.matches(place).count(), 1, "{}", file.display());
    let field = format!("              aLaterField:\n                type: string\n{place}");
    fs::write(&file, text.replacen(place, &field, 1)).unwrap();
}

const CONNECTORS: [&str; 4] = ["connector", "by-env-from", "by-reference", "by-volume"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_do_what_they_say() {
    let cluster = Cluster::empty("d").await;
    let simulator = cluster.simulator(portal()).await;
    let server = vault::start(&cluster, "default").await;
    let authorities = [&simulator.ca_pem(), server.ca().unwrap()];
    cluster.connector_image("registry.example.org/my-connector:1.0.0", &authorities).await;
    let mut reader = Reader::new(cluster, instead(&simulator, &server)).with_vault(&server);
    let (readme, first_user) = (Page::read("README.md"), Page::read("docs/first-user.md"));
    let (programs, connector) = (Page::read("docs/read-the-secret.md"), Page::read("docs/connector.md"));
    let operations = Page::read("docs/operations.md");

    reader.follow(&readme, "Install").await;
    reader.follow(&readme, "The first credentials").await;
    reader.follow(&readme, "").await;
    obtains_tokens(&reader, "connector").await;
    for heading in first_user.headings() {
        reader.follow(&first_user, heading).await;
    }
    for heading in programs.headings() {
        reader.follow(&programs, heading).await;
    }
    install_tractusx_connectors(&reader, &server).await;
    apply(&reader, &vault::certificate(&server, "connector")).await;
    for heading in connector.headings() {
        reader.follow(&connector, heading).await;
    }
    every_chart_has_the_new_user(&reader).await;
    a_change_of_the_secret_restarts_the_connector(&mut reader).await;
    uninstall_tractusx_connectors(&reader).await;
    the_entry_moves_to_the_vault_of_the_other_page(&mut reader, &server).await;
    for pod in CONNECTORS {
        obtains_tokens(&reader, pod).await;
    }
    let (made, published) = (users(&simulator), secrets(&reader).await);
    assert_eq!(made.len(), 3, "{made:?}");

    no_secret_is_shown(&reader, &simulator).await;
    add_a_field(&reader);
    let mut headings = operations.headings().into_iter();
    for heading in headings.by_ref() {
        reader.follow(&operations, heading).await;
        if heading == "Upgrade" {
            let image = reader
                .run("kubectl -n dataspace get pods -l app.kubernetes.io/name=technical-user-operator -o jsonpath='{.items[*].spec.containers[*].image}'")
                .await;
            assert_eq!(image, "registry.example.org/technical-user-operator:0.2.0");
            let explained = reader.run("kubectl explain technicaluser.spec.aLaterField").await;
            assert!(explained.contains("<string>"), "{explained}");
        }
        if heading == "Uninstall the operator and keep its users" {
            break;
        }
        assert_eq!(users(&simulator), made, "after {heading:?}");
        assert_eq!(secrets(&reader).await, published, "after {heading:?}");
    }
    // The readers of the Secrets notice nothing so far, and they notice no removal of the operator.
    for pod in CONNECTORS {
        obtains_tokens(&reader, pod).await;
        let outcome = reader.cluster().outcome("connector", pod).await;
        assert_eq!(outcome["failed"], 0, "{pod}: {outcome}");
    }
    assert_eq!(users(&simulator), made);
    assert_eq!(secrets(&reader).await, published);
    assert!(vault::content(&server, ENTRY).await.is_some());

    let again = headings.next().unwrap();
    reader.follow(&operations, again).await;
    let kept = secrets(&reader).await;
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["edc-discovery", "edc-wallet-env"]);
    assert!(kept.iter().all(|(name, data)| published[name] == *data), "the credentials are the same");
    assert_eq!(users(&simulator).len(), 3, "its user is revoked, as the login may not delete");

    for heading in headings {
        reader.follow(&operations, heading).await;
    }
    assert_eq!(secrets(&reader).await, BTreeMap::new());
    assert_eq!(vault::content(&server, ENTRY).await, None);
    let left =
        reader.run("kubectl get crd,clusterrole,clusterrolebinding -o name; kubectl -n dataspace get deploy,role,sa,secret -o name").await;
    assert!(!left.contains("technical"), "{left}");
}
