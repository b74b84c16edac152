#!/usr/bin/env bash
# Shows the operator from the installation to the deletion of its users, with a real Kubernetes API server and a simulated
# portal. KEEP=1 keeps everything running at the end; `tools/demo.sh stop` ends it then. VERSION=2.3 simulates a portal of that
# version.
set -euo pipefail
cd "$(dirname "$0")/.."
state="target/demo"
cargo_flags=(--quiet --workspace --bins)

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*" >&2; "$@"; }

stop() {
  [ -f "$state/pids" ] || return 0
  # In the reverse order of the start.
  tac "$state/pids" | while read -r pid name; do
    # Only what this script started: another process may have the id by now.
    if [ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -c -- "$name")" = 1 ]; then
      kill "$pid" 2>/dev/null || true
      for _ in $(seq 1 300); do [ -d "/proc/$pid" ] || break; sleep 0.1; done
    fi
  done
  rm -rf "$state"
}
if [ "${1:-}" = stop ]; then stop; exit 0; fi
if [ -f "$state/pids" ]; then echo "a demo is running already; end it with: tools/demo.sh stop" >&2; exit 1; fi
rm -rf "$state" && mkdir -p "$state"
: >"$state/pids"
ended() {
  code=$?
  if [ $code -ne 0 ] && [ -f "$state/operator.log" ]; then
    echo "the demo failed; the last lines of the operator's log:" >&2
    tail -n 30 "$state/operator.log" >&2
  fi
  if [ $code -ne 0 ] || [ -z "${KEEP:-}" ]; then stop; fi
  exit $code
}
trap ended EXIT

start() { # name, what must occur in its command line, then the command; output to files
  local name="$1" mark="$2"; shift 2
  "$@" >"$state/$name.out" 2>"$state/$name.log" &
  echo "$! $mark" >>"$state/pids"
}
until_line() { # file: waits for its first line
  for _ in $(seq 1 1800); do
    if [ -s "$1" ] && [ "$(wc -l <"$1")" -ge 1 ]; then head -n 1 "$1"; return 0; fi
    sleep 0.1
  done
  echo "$1 is still empty" >&2
  return 1
}
field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

say "1. Build what is missing (the first time on a machine takes about a quarter of an hour)"
bash tests/testbed/build.sh >/dev/null
vault="$(bash tests/testbed/build.sh vault | sed -n 's/^vault=//p')"
cargo build "${cargo_flags[@]}"
# CARGO_TARGET_DIR may name another directory.
bin="${CARGO_TARGET_DIR:-target}/debug"

say "2. Start a Kubernetes API server and a portal of version ${VERSION:-2.6}"
mkfifo "$state/testbed.stdin"
sleep infinity >"$state/testbed.stdin" &
echo "$! sleep" >>"$state/pids"
# Redirected here and not in `start`: a program in the background would read from /dev/null.
"$bin/testbed" up <"$state/testbed.stdin" >"$state/testbed.out" 2>"$state/testbed.log" &
echo "$! testbed up" >>"$state/pids"
plane="$(until_line "$state/testbed.out")"
KUBECONFIG="$(field kubeconfig <<<"$plane")"
export KUBECONFIG
kubectl() { "$(field kubectl <<<"$plane")" "$@"; }
helm() { "$(field helm <<<"$plane")" "$@"; }
export HELM_CACHE_HOME="$state/helm" HELM_CONFIG_HOME="$state/helm" HELM_DATA_HOME="$state/helm"
cat >"$state/seed.json" <<'SEED'
{"companies": [{"name": "One", "bpn": "BPNL00000003CRHK", "roles": ["ACTIVE_PARTICIPANT"]}],
 "callers": [{"clientId": "sa12", "secret": "the-secret-of-the-demo", "company": "One",
              "permissions": ["view_tech_user_management", "add_tech_user_management", "delete_tech_user_management",
                              "technical_roles_management"]}],
 "walletDelay": "3s"}
SEED
start simulator "portal-simulator" "$bin/portal-simulator" --port 0 --version "${VERSION:-2.6}" --seed "$state/seed.json"
portal="$(until_line "$state/simulator.out")"
api="$(field portal <<<"$portal")"
url="${api%/api/administration}"
token_url="$(field token <<<"$portal")"
show kubectl version

say "3. Install the operator with Helm"
show kubectl apply -f examples/namespaces/
show helm install technical-user-operator charts/technical-user-operator \
  --namespace technical-user-operator --create-namespace \
  --set instance=demo --set 'watchNamespaces={dataspace,connector}' >/dev/null
show kubectl get deployment,serviceaccount,role --all-namespaces -l app.kubernetes.io/name=technical-user-operator
echo "(There is no node to run the pod. The same program runs as a process, with a token of the chart's ServiceAccount.)"
server="$(field server <<<"$plane")"
kubectl config view --raw --minify --flatten -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d >"$state/ca.crt"
(
  umask 077
  kubectl --kubeconfig="$state/operator.kubeconfig" config set-cluster demo --server="$server" \
    --certificate-authority="$state/ca.crt" --embed-certs=true
  kubectl --kubeconfig="$state/operator.kubeconfig" config set-context demo --cluster=demo --user=operator
  kubectl --kubeconfig="$state/operator.kubeconfig" config use-context demo
  # The kubeconfig names a file, so that the token is not an argument of a process.
  kubectl create token technical-user-operator --namespace technical-user-operator --duration=8h >"$state/operator.token"
  python3 - "$state" <<'PY'
import pathlib, sys
state = pathlib.Path(sys.argv[1])
config = state / "operator.kubeconfig"
text = config.read_text().replace("users: null", "users: []")
token = (state / "operator.token").resolve()
user = f"users:\n- name: operator\n  user:\n    tokenFile: {token}\n"
config.write_text(text.replace("users: []\n", user) if "users: []\n" in text else text + user)
PY
) >/dev/null
start operator "technical-user-operator run" env -u HTTPS_PROXY -u HTTP_PROXY -u https_proxy -u http_proxy \
  KUBECONFIG="$state/operator.kubeconfig" POD_NAMESPACE=technical-user-operator POD_NAME=demo \
  TUO_INSTANCE=demo TUO_WATCH_NAMESPACES=dataspace,connector TUO_LISTEN=127.0.0.1:0 \
  TUO_ALLOW_INSECURE_HTTP=true \
  "$bin/technical-user-operator" run

say "4. Check what the login may do"
(umask 077; printf the-secret-of-the-demo >"$state/client-secret")
show "$bin/technical-user-operator" check --url "$url" --token-url "$token_url" --client-id sa12 \
  --client-secret-file "$state/client-secret" --allow-insecure-http

say "5. Create the login and the Portal, once for the company"
show kubectl create secret generic portal-login --namespace dataspace --from-literal=client-id=sa12 \
  --from-file=client-secret="$state/client-secret"
sed -e "s|https://portal-backend.example.org|$url|" -e "s|https://centralidp.example.org/[^ ]*|$token_url|" \
  -e "s|# walletTokenUrl: .*|walletTokenUrl: $url/oauth/token|" -e 's|^    auth:|    insecureHttp: true\n    auth:|' \
  examples/portal-catena-x.yaml | show kubectl apply -f -
show kubectl wait --namespace dataspace --for=condition=Ready portal/example-catena-x --timeout=180s
show kubectl get portals --all-namespaces

say "6. Create one TechnicalUser for each credential that a connector needs"
show kubectl apply -f examples/technicaluser-wallet.yaml -f examples/technicaluser-discovery.yaml
show kubectl get technicalusers --namespace connector
show kubectl wait --namespace connector --for=condition=Ready technicaluser --all --timeout=180s
show kubectl get technicalusers --namespace connector
echo
kubectl get technicaluser example-wallet --namespace connector \
  -o jsonpath='{range .status.conditions[*]}{.type}{"="}{.status}{"  "}{.reason}{": "}{.message}{"\n"}{end}'

say "7. Obtain a token with each Secret, as a connector does"
for secret in example-wallet example-discovery-credential; do
  show kubectl describe secret "$secret" --namespace connector | sed -n '/^Data/,$p'
  kubectl get secret "$secret" --namespace connector -o json | python3 -c '
import base64, json, sys, urllib.parse, urllib.request
data = {key: base64.b64decode(value).decode() for key, value in json.load(sys.stdin)["data"].items()}
form = {"grant_type": "client_credentials", "client_id": data["client-id"], "client_secret": data["client-secret"]}
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with opener.open(data["token-url"], urllib.parse.urlencode(form).encode()) as answer:
    token = json.load(answer)
print("token obtained from", data["token-url"], "- valid for", token["expires_in"], "seconds")'
done

say "8. Write a client secret into Vault, and read it there as a connector does"
mkfifo "$state/vault.stdin"
sleep infinity >"$state/vault.stdin" &
echo "$! sleep" >>"$state/pids"
"$vault" <"$state/vault.stdin" >"$state/vault.out" 2>"$state/vault.log" &
echo "$! vault" >>"$state/pids"
line="$(until_line "$state/vault.out")"
vault_address="$(field address <<<"$line")"
# The token goes through files only. It may do everything; docs/vault.md has the policy that the operator needs.
(umask 077; field root_token <<<"$line" | tr -d '\n' >"$state/vault-token")
show kubectl create secret generic vault-token --namespace connector --from-file=token="$state/vault-token"
show kubectl apply -f - <<MANIFEST
apiVersion: technicaluser.dev/v1alpha1
kind: Vault
metadata:
  name: vault
  namespace: connector
spec:
  address: $vault_address
  insecureHttp: true
  mount: secret
  auth:
    tokenSecretRef:
      name: vault-token
  access:
    - namespaces:
        from: Same
      prefix: connector
MANIFEST
show kubectl wait --namespace connector --for=condition=Ready vault.technicaluser.dev/vault --timeout=180s
show kubectl patch technicaluser example-discovery --namespace connector --type json --patch \
  '[{"op": "add", "path": "/spec/outputs/-", "value": {"vault": {"vaultRef": {"name": "vault"}}}}]'
show kubectl wait --namespace connector --timeout=180s technicaluser/example-discovery \
  --for=jsonpath='{.status.outputs[?(@.kind=="VaultEntry")].resourceVersion}'=1
kubectl get technicaluser example-discovery --namespace connector -o json >"$state/discovery.json"
kubectl get secret example-discovery-credential --namespace connector -o json | python3 -c '
import base64, json, sys, urllib.parse, urllib.request
state, address = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
outputs = json.load(open(state + "/discovery.json"))["status"]["outputs"]
entry = next(output["entry"] for output in outputs if output["kind"] == "VaultEntry")
path = "/".join(part for part in (entry["pathsSecret"], "data", entry.get("folder"), entry["secretAlias"]) if part)
request = urllib.request.Request(address + path, headers={"X-Vault-Token": open(state + "/vault-token").read()})
with opener.open(request) as answer:
    content = json.load(answer)["data"]["data"]["content"]
data = {key: base64.b64decode(value).decode() for key, value in json.load(sys.stdin)["data"].items()}
form = {"grant_type": "client_credentials", "client_id": data["client-id"], "client_secret": content}
with opener.open(data["token-url"], urllib.parse.urlencode(form).encode()) as answer:
    token = json.load(answer)
print("client secret read from", path, "- token obtained, valid for", token["expires_in"], "seconds")' "$state" "$vault_address"

say "9. Delete a Secret: the operator creates it again with the same credential"
show kubectl delete secret example-discovery-credential --namespace connector
show kubectl wait --namespace connector --for=create secret/example-discovery-credential --timeout=180s

say "10. Replace a user: both credentials are valid during the overlap, and after it only the new one"
# Prints what the token endpoint answers to a credential that was read from a Secret.
ask_token() { # file with the Secret as JSON, which credential it is
  python3 - "$@" <<'PY'
import base64, json, sys, urllib.error, urllib.parse, urllib.request
data = {key: base64.b64decode(value).decode() for key, value in json.load(open(sys.argv[1]))["data"].items()}
form = {"grant_type": "client_credentials", "client_id": data["client-id"], "client_secret": data["client-secret"]}
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(data["token-url"], urllib.parse.urlencode(form).encode()):
        print(sys.argv[2], data["client-id"] + ": token obtained")
except urllib.error.HTTPError as error:
    print(sys.argv[2], data["client-id"] + ": refused with", error.code)
PY
}
read_secret() { (umask 077; kubectl get secret example-discovery-credential --namespace connector -o json >"$state/$1.json"); }
show kubectl patch technicaluser example-discovery --namespace connector --type merge --patch '{"spec": {"rotation": {"strategy": "Replace", "overlap": "15s"}}}'
read_secret former
show kubectl annotate technicaluser example-discovery --namespace connector technicaluser.dev/rotate=now
show kubectl wait --namespace connector --timeout=180s technicaluser/example-discovery --for=jsonpath='{.status.handled.rotate}'=now
kubectl wait --namespace connector --timeout=180s technicaluser/example-discovery \
  --for=jsonpath='{.status.retiring[0].deleteAfter}' >/dev/null
read_secret next
ask_token "$state/former.json" "the former user"
ask_token "$state/next.json" "the new user"
show kubectl get technicaluser example-discovery --namespace connector \
  -o jsonpath='{range .status.retiring[*]}{"user "}{.clientId}{" is deleted after "}{.deleteAfter}{"\n"}{end}'
# Read until the status names no former user any more.
former_user() { kubectl get technicaluser example-discovery --namespace connector -o jsonpath='{.status.retiring[0].id}'; }
for _ in $(seq 1 1800); do [ -z "$(former_user)" ] && break; sleep 0.1; done
ask_token "$state/former.json" "the former user"
ask_token "$state/next.json" "the new user"

if [ -n "${KEEP:-}" ]; then
  say "Everything keeps running. Use it with"
  echo "export KUBECONFIG=$KUBECONFIG"
  echo "alias kubectl=$(field kubectl <<<"$plane")"
  echo "and end it with: tools/demo.sh stop"
  exit 0
fi

say "11. Delete the TechnicalUsers with their users, then the Portal"
case "${VERSION:-}" in 2.0 | 2.1)
  echo "(A portal of version 2.0 or 2.1 cannot delete wallet users. This setting releases their resources.)"
  show kubectl patch portal example-catena-x --namespace dataspace --type merge --patch '{"spec": {"whenUndeletable": "Release"}}'
  ;;
esac
show kubectl delete technicalusers --all --namespace connector --timeout=180s
show "$bin/technical-user-operator" check --url "$url" --token-url "$token_url" --client-id sa12 \
  --client-secret-file "$state/client-secret" --allow-insecure-http | grep -i "user" || true
show kubectl delete portal example-catena-x --namespace dataspace --timeout=180s
case "${VERSION:-}" in
  2.0 | 2.1) say "Done. The wallet user is kept in the portal and marked as retained. Nothing is running any more." ;;
  *) say "Done. No user is left in the portal, and nothing is running any more." ;;
esac
