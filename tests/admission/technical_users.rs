//! The rules of `TechnicalUser` on create.

use serde_json::{Value, json};
use technical_user_operator::domain::format::Format;

use crate::support::{Case, Kind, no, try_all, yes};

const CRON: &str = "cron has five fields with one space between: minute, hour, day of the month, month and day of the week, such as 0 2 * * SAT";
const NO_ROTATION: &str = "rotation.interval and rotation.strategy have no effect on an existing user: the operator does not replace its credential";
const ONE_VARIANT: &str = "name exactly one of create and existing";
const ONE_SELECTOR: &str = "name exactly one of id, clientId, name and offer";
const ONE_OFFER: &str = "name the offer by exactly one of id and name";
const NO_DURATION: &str = "a window of rotation.windows needs a duration";
const ONE_ADOPTED: &str = "name the user to adopt by exactly one of id and name";
const ROLE_OF_OFFER: &str = "role distinguishes the users of an offer: give it with offer";
const NO_POLICY: &str =
    "deletionPolicy has no effect on an existing user: the operator never changes or deletes it";
const MARK: &str = "description must not contain the operator's mark";
const LABELS: &str = "labels of technicaluser.dev belong to the operator";
const ANNOTATIONS: &str = "annotations of technicaluser.dev belong to the operator";
const DIALECT: &str = "edcDialect is for the format EdcHelmValues";
const STYLE: &str = "keyStyle and keyPrefix are for the formats Raw and Dotenv, without keys";
const DASHES: &str = "a variable of the format Dotenv has no dashes: use another keyStyle";
const KEYS: &str = "keys is not for the formats SpringEnv and Template";
const TEMPLATE: &str = "template is for the format Template, which needs it";
const REGISTRATION: &str = "springRegistration is for the formats SpringEnv and SpringApplication";
const RESTARTED_TWICE: &str = "two entries of restart name the same workload";
const NO_RESTART: &str = "restart has no effect: no output has a reader that needs a restart to see a change";
const MERGE: &str =
    "type, labels and annotations are not for creationPolicy Merge: the Secret belongs to another owner";
const NOT_IMMUTABLE: &str = "immutable is not for creationPolicy Merge: the Secret belongs to another owner";
const NUMBERED: &str =
    "the name of an immutable Secret has at most 240 characters, because a dash and a number follow";
const ALIAS_NEEDED: &str = "the formats EdcEnv, EdcHelmValues, EdcMemory and Properties need secretAlias, or a vault output with creationPolicy Owner, whose alias they use";
const ONE_KIND: &str = "an output names exactly one of secret and vault";
const PATH: &str =
    "path has letters, digits and . _ - in segments with a / between them, and no segment . or ..";
const CLUSTER: &str = "the operator writes no Secret of a type that gives access to the cluster";
const ALIAS: &str =
    "secretAlias is for the formats EdcEnv, EdcHelmValues, EdcMemory, Properties and Template";

/// A user that the operator creates.
pub fn create() -> Value {
    json!({ "portalRef": { "name": "p" }, "user": { "create": { "roles": ["Dataspace Discovery"] } } })
}

/// Entries in a Vault.
fn vault_entries() -> Vec<Case> {
    let create = create();
    let entry = |fields: Value| {
        let mut entry = json!({ "vaultRef": { "name": "vault" } });
        entry.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "vault": entry })
    };
    let outputs = |outputs: Vec<Value>| json!({ "outputs": outputs });
    let one = |fields: Value| outputs(vec![entry(fields)]);
    let other = json!({ "vaultRef": { "name": "vault", "namespace": "other" } });
    let variables = || json!({ "secret": { "format": "EdcEnv" } });
    let merged = || entry(json!({ "creationPolicy": "Merge", "path": "a/b" }));
    let mut cases = vec![
        yes(&create, &one(json!({}))),
        yes(&create, &one(json!({ "path": "connectors/tenant/edc_1.x" }))),
        yes(&create, &one(json!({ "keys": { "client-id": "id", "client-secret": "secret" } }))),
        yes(&create, &one(json!({ "creationPolicy": "Merge", "path": "a/b" }))),
        no(&create, &one(json!({ "creationPolicy": "Orphan" })), "creationPolicy"),
        no(&create, &one(json!({ "keys": { "client-id": "a b" } })), "keys"),
        no(&create, &one(json!({ "vaultRef": { "name": "Vault" } })), "vaultRef.name"),
        no(&create, &one(json!({ "path": "a".repeat(191) })), "path: Too long"),
        yes(&create, &outputs(vec![entry(json!({})), entry(json!({ "path": "y" }))])),
        yes(&create, &outputs(vec![entry(json!({})), entry(other)])),
        no(
            &create,
            &json!({ "outputs": [{ "secret": {}, "vault": { "vaultRef": { "name": "v" } } }] }),
            ONE_KIND,
        ),
        yes(&create, &outputs(vec![variables(), entry(json!({}))])),
        yes(&create, &outputs(vec![variables(), merged(), entry(json!({ "creationPolicy": "Owner" }))])),
        no(&create, &outputs(vec![variables(), merged()]), ALIAS_NEEDED),
        yes(
            &create,
            &outputs(vec![merged(), json!({ "secret": { "format": "EdcEnv", "secretAlias": "a/b" } })]),
        ),
    ];
    for wrong in ["/a", "a/", "a//b", ".", "a/../b", "a%2fb", "a b", "did:web:x"] {
        cases.push(no(&create, &one(json!({ "path": wrong })), PATH));
    }
    cases
}

/// What belongs together in an output.
fn formats() -> Vec<Case> {
    let create = create();
    let secret = |secret: Value| json!({ "outputs": [{ "secret": secret }] });
    let good = |spec: Value| yes(&create, &secret(spec));
    let bad = |spec: Value, refused| no(&create, &secret(spec), refused);
    vec![
        good(json!({ "format": "EdcEnv", "secretAlias": "edc-wallet" })),
        good(json!({ "format": "EdcHelmValues", "secretAlias": "edc/wallet_1.x", "edcDialect": "Iatp" })),
        good(
            json!({ "format": "EdcMemory", "secretAlias": "a", "keys": { "TX_EDC_VAULT_SECRETS": "EDC_VAULT_SECRETS" } }),
        ),
        good(json!({ "format": "Properties", "secretAlias": "a" })),
        good(json!({ "format": "VaultJson" })),
        good(json!({ "format": "SpringEnv", "springRegistration": "discoveryfinder-client" })),
        good(json!({ "format": "SpringApplication", "keys": { "application.yml": "secrets.yml" } })),
        good(json!({ "format": "Dotenv", "keyStyle": "UpperSnake", "keyPrefix": "PORTAL_" })),
        good(json!({ "format": "DataSpaceIntegration" })),
        good(json!({ "format": "Template", "template": { "a.yml": "{{ clientId }}" }, "secretAlias": "a" })),
        good(json!({ "keyStyle": "Camel", "keyPrefix": "portal" })),
        good(json!({ "creationPolicy": "Merge", "keys": { "client-id": "id" } })),
        good(json!({ "creationPolicy": "Owner", "type": "Opaque", "labels": { "a": "b" } })),
        bad(json!({ "creationPolicy": "None" }), "Unsupported value"),
        bad(json!({ "creationPolicy": "Merge", "type": "Opaque" }), MERGE),
        bad(json!({ "creationPolicy": "Merge", "labels": { "a": "b" } }), MERGE),
        bad(json!({ "creationPolicy": "Merge", "annotations": { "a": "b" } }), MERGE),
        good(json!({ "immutable": true, "labels": { "a": "b" }, "name": "a".repeat(240) })),
        good(json!({ "immutable": false, "name": "a".repeat(253) })),
        good(json!({ "immutable": false, "creationPolicy": "Merge" })),
        bad(json!({ "immutable": true, "name": "a".repeat(241) }), NUMBERED),
        bad(json!({ "immutable": true, "creationPolicy": "Merge" }), NOT_IMMUTABLE),
        bad(json!({ "immutable": "yes" }), "immutable"),
        good(json!({ "keys": { "client-id": "username" }, "type": "kubernetes.io/basic-auth" })),
        bad(json!({ "edcDialect": "Dcp" }), DIALECT),
        bad(json!({ "format": "EdcEnv", "secretAlias": "a", "edcDialect": "Dcp" }), DIALECT),
        bad(
            json!({ "format": "EdcHelmValues", "secretAlias": "a", "edcDialect": "0.12" }),
            "Unsupported value",
        ),
        bad(json!({ "format": "VaultJson", "keyStyle": "Camel" }), STYLE),
        bad(json!({ "format": "VaultJson", "keyPrefix": "x" }), STYLE),
        bad(json!({ "keyStyle": "Camel", "keys": { "client-id": "id" } }), STYLE),
        bad(json!({ "keyStyle": "lower" }), "Unsupported value"),
        bad(json!({ "format": "Dotenv", "keyStyle": "Kebab" }), DASHES),
        bad(json!({ "format": "SpringEnv", "keys": { "a": "b" } }), KEYS),
        bad(json!({ "format": "Template", "template": { "a": "b" }, "keys": { "a": "b" } }), KEYS),
        bad(json!({ "keys": { "client-id": "client id" } }), "should match"),
        bad(json!({ "keys": { "client-id": "" } }), "at least 1 chars"),
        bad(json!({ "format": "Template" }), TEMPLATE),
        bad(json!({ "template": { "a": "b" } }), TEMPLATE),
        bad(json!({ "format": "Template", "template": { "a": "" } }), "at least 1 chars"),
        bad(json!({ "format": "Template", "template": { "a": "x".repeat(16_385) } }), "Too long"),
        bad(json!({ "springRegistration": "pool" }), REGISTRATION),
        bad(json!({ "format": "SpringEnv", "springRegistration": "Pool" }), "springRegistration"),
        bad(json!({ "format": "EdcEnv" }), ALIAS_NEEDED),
        bad(json!({ "format": "EdcHelmValues" }), ALIAS_NEEDED),
        bad(json!({ "format": "EdcMemory" }), ALIAS_NEEDED),
        bad(json!({ "format": "Properties" }), ALIAS_NEEDED),
        bad(json!({ "secretAlias": "a" }), ALIAS),
        bad(json!({ "type": "kubernetes.io/service-account-token" }), CLUSTER),
        bad(json!({ "type": "bootstrap.kubernetes.io/token" }), CLUSTER),
        bad(json!({ "format": "EdcEnv", "secretAlias": "did:web:x" }), "secretAlias"),
    ]
}

/// A format with what it needs.
fn output_of(format: Format) -> Value {
    let name = format.entry().name;
    let mut secret = json!({ "name": name.to_lowercase(), "format": name });
    match format {
        Format::EdcEnv | Format::EdcHelmValues | Format::EdcMemory | Format::Properties => {
            secret["secretAlias"] = json!("a");
        }
        Format::Template => secret["template"] = json!({ "a": "b" }),
        _ => {}
    }
    json!({ "secret": secret })
}

/// The workloads to restart.
fn restarts() -> Vec<Case> {
    let create = create();
    let target = |kind: &str, name: &str| json!({ "kind": kind, "name": name });
    let restart = |targets: Value| json!({ "restart": targets });
    let many = |count: usize| (0..count).map(|n| target("Deployment", &format!("d{n}"))).collect::<Value>();
    let mut cases = vec![
        yes(&create, &restart(json!([target("Deployment", "edc"), target("StatefulSet", "edc")]))),
        yes(&existing(), &restart(json!([target("DaemonSet", "edc.1")]))),
        no(&create, &restart(json!([target("Deployment", "a"), target("Deployment", "a")])), RESTARTED_TWICE),
        no(&create, &restart(json!([target("CronJob", "edc")])), "Unsupported value"),
        no(&create, &restart(json!([target("Deployment", "Edc")])), "restart[0].name"),
        no(&create, &restart(json!([{ "kind": "Deployment" }])), "restart[0].name: Required value"),
        no(&create, &restart(json!([])), "should have at least 1 items"),
        yes(&create, &restart(many(16))),
        no(&create, &restart(many(17)), "must have at most 16 items"),
    ];
    let edc = json!([target("Deployment", "edc")]);
    for format in Format::ALL {
        let spec = |outputs: Value| json!({ "outputs": outputs, "restart": edc });
        let (alone, beside) =
            (json!([output_of(format)]), json!([output_of(Format::VaultJson), output_of(format)]));
        if format.entry().reader.needs_restart {
            cases.extend([yes(&create, &spec(alone)), yes(&create, &spec(beside))]);
        } else {
            cases.push(no(&create, &spec(alone), NO_RESTART));
        }
    }
    cases
}

/// Users of a marketplace offer, and users that are taken over.
fn users_of_others() -> Vec<Case> {
    let (create, existing) = (create(), existing());
    let adopt = |adopt: Value| json!({ "user": { "create": { "adopt": adopt } } });
    let id = "0b6c0000-0000-0000-0000-00000000000f";
    let offer = |offer: Value, beside: Value| {
        let mut change = json!({ "clientId": null, "offer": offer });
        change.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        json!({ "user": { "existing": change } })
    };
    vec![
        yes(&create, &adopt(json!({ "id": id }))),
        yes(&create, &adopt(json!({ "name": "by-hand" }))),
        no(&create, &adopt(json!({})), ONE_ADOPTED),
        no(&create, &adopt(json!({ "id": id, "name": "by-hand" })), ONE_ADOPTED),
        yes(&existing, &offer(json!({ "name": "SAP app" }), json!({}))),
        yes(&existing, &offer(json!({ "id": id, "subscriptionId": id }), json!({ "role": "A" }))),
        no(&existing, &offer(json!({ "name": "x", "id": id }), json!({})), ONE_OFFER),
        no(&existing, &offer(json!({ "subscriptionId": id }), json!({})), ONE_OFFER),
        no(&existing, &offer(json!({ "name": "x" }), json!({ "id": id })), ONE_SELECTOR),
        no(&existing, &offer(json!({ "id": "no-uuid" }), json!({})), "user.existing.offer.id"),
        no(&existing, &json!({ "user": { "existing": { "role": "A" } } }), ROLE_OF_OFFER),
    ]
}

/// A user that is there.
pub fn existing() -> Value {
    json!({ "portalRef": { "name": "p" }, "user": { "existing": { "clientId": "sa42" } } })
}

/// When a rotation by the interval begins.
fn rotation_windows() -> Vec<Case> {
    let create = create();
    vec![
        yes(&create, &windows(&json!({}))),
        yes(&create, &windows(&json!({ "cron": "*/15,7 22-23/2,0 1-7 JAN-MAR,12 SUN,1-5/2" }))),
        yes(&create, &windows(&json!({ "timeZone": "America/Argentina/Buenos_Aires" }))),
        yes(&create, &windows(&json!({ "timeZone": "Etc/GMT+5", "duration": "168h" }))),
        no(&create, &windows(&json!({ "cron": "0 2 * *" })), CRON),
        no(&create, &windows(&json!({ "cron": "60 2 * * *" })), CRON),
        no(&create, &windows(&json!({ "cron": "0 24 * * *" })), CRON),
        no(&create, &windows(&json!({ "cron": "0 2 32 * *" })), CRON),
        no(&create, &windows(&json!({ "cron": "0 2 * 13 *" })), CRON),
        no(&create, &windows(&json!({ "cron": "0 2 * * 8" })), CRON),
        no(&create, &windows(&json!({ "cron": "0 2 L * * " })), CRON),
        no(&create, &windows(&json!({ "cron": "@midnight" })), CRON),
        no(&create, &windows(&json!({ "duration": "14m" })), "duration of a window is from 15m to 168h"),
        no(&create, &windows(&json!({ "duration": "169h" })), "duration of a window is from 15m to 168h"),
        no(&create, &windows(&json!({ "timeZone": "Europe Berlin" })), "should match"),
        no(&create, &windows(&json!({ "timeZone": "" })), "timeZone"),
        no(
            &create,
            &json!({ "rotation": { "interval": "720h", "windows": [] } }),
            "should have at least 1 items",
        ),
        no(
            &create,
            &json!({ "rotation": { "windows": [{ "cron": "0 2 * * *", "duration": "1h" }] } }),
            "rotation.windows has no effect without rotation.interval: a rotation on request does not wait for a window",
        ),
        no(&create, &windows(&json!({ "duration": null })), NO_DURATION),
    ]
}

pub fn cases() -> Vec<Case> {
    let (create, existing) = (create(), existing());
    let create_user = |change: Value| json!({ "user": { "create": change } });
    let existing_user = |change: Value| json!({ "user": { "existing": change } });
    let secret = |secret: Value| json!({ "outputs": [{ "secret": secret }] });
    vec![
        yes(&create, &json!({})),
        yes(&existing, &json!({})),
        no(&create, &existing_user(json!({ "name": "x" })), ONE_VARIANT),
        no(&create, &create_user(Value::Null), ONE_VARIANT),
        no(&create, &json!({ "user": null }), "spec.user: Required value"),
        yes(&existing, &existing_user(json!({ "clientId": null, "name": "sa-x" }))),
        yes(
            &existing,
            &existing_user(json!({ "clientId": null, "id": "0b6c0000-0000-0000-0000-00000000000F" })),
        ),
        no(&existing, &existing_user(json!({ "clientId": null, "id": "no-uuid" })), "user.existing.id"),
        no(&existing, &existing_user(json!({ "clientId": null })), ONE_SELECTOR),
        no(&existing, &existing_user(json!({ "name": "x" })), ONE_SELECTOR),
        no(&existing, &json!({ "deletionPolicy": "Retain" }), NO_POLICY),
        yes(&existing, &json!({ "rotation": { "overlap": "1h" } })),
        no(&existing, &json!({ "rotation": { "interval": "720h" } }), NO_ROTATION),
        no(&existing, &json!({ "rotation": { "strategy": "Auto" } }), NO_ROTATION),
        yes(&create, &json!({ "deletionPolicy": "Delete" })),
        yes(&create, &json!({ "deletionPolicy": "Revoke" })),
        yes(&create, &json!({ "deletionPolicy": "Retain" })),
        no(&create, &json!({ "deletionPolicy": "Orphan" }), "Unsupported value"),
        no(&create, &create_user(json!({ "roles": [] })), "should have at least 1 items"),
        no(&create, &create_user(json!({ "roles": ["A", "A"] })), "Duplicate value"),
        yes(&create, &create_user(json!({ "name": "a".repeat(68) }))),
        no(&create, &create_user(json!({ "name": "a".repeat(69) })), "user.create.name: Too long"),
        yes(&create, &create_user(json!({ "name": "edc-1" }))),
        no(&create, &create_user(json!({ "name": "Edc" })), "user.create.name"),
        no(&create, &create_user(json!({ "name": "edc-" })), "user.create.name"),
        no(&create, &create_user(json!({ "name": "edc.1" })), "user.create.name"),
        yes(&create, &create_user(json!({ "description": "ä".repeat(512) }))),
        no(
            &create,
            &create_user(json!({ "description": "a".repeat(513) })),
            "user.create.description: Too long",
        ),
        yes(&create, &create_user(json!({ "description": "for [our] connector, see technicaluser.dev" }))),
        no(&create, &create_user(json!({ "description": "x [technicaluser.dev/1 a/b/c g1 d]" })), MARK),
        yes(&create, &secret(json!({}))),
        no(&create, &json!({ "outputs": [] }), "outputs"),
        no(
            &create,
            &json!({ "outputs": [{ "secret": {} }, { "secret": { "name": "x" } }] }),
            "two outputs name the same Secret",
        ),
        yes(&create, &json!({ "rotation": { "overlap": "0s" } })),
        yes(&create, &json!({ "rotation": { "overlap": "8760h" } })),
        no(&create, &json!({ "rotation": { "overlap": "8761h" } }), "rotation.overlap is from 0s to 8760h"),
        no(&create, &json!({ "rotation": { "overlap": "-1s" } }), "rotation.overlap is from 0s to 8760h"),
        yes(&create, &json!({ "rotation": { "interval": "1h", "overlap": "59m", "strategy": "InPlace" } })),
        yes(&create, &json!({ "rotation": { "interval": "26280h" } })),
        no(&create, &json!({ "rotation": { "interval": "59m" } }), "rotation.interval is from 1h to 26280h"),
        no(
            &create,
            &json!({ "rotation": { "interval": "26281h" } }),
            "rotation.interval is from 1h to 26280h",
        ),
        no(
            &create,
            &json!({ "rotation": { "interval": "24h", "overlap": "24h" } }),
            "rotation.overlap has to be shorter than rotation.interval",
        ),
        no(&create, &json!({ "rotation": { "strategy": "replace" } }), "Unsupported value"),
        no(&create, &json!({ "outputs": [{}] }), ONE_KIND),
        yes(&create, &secret(json!({ "name": "edc.wallet-1", "format": "Raw" }))),
        no(&create, &secret(json!({ "name": "Edc" })), "secret.name"),
        no(&create, &secret(json!({ "name": "../edc" })), "secret.name"),
        no(&create, &secret(json!({ "name": "edc..wallet" })), "secret.name"),
        yes(&create, &json!({ "portalRef": { "name": "catena-x.beta", "namespace": "dataspace-1" } })),
        no(&create, &json!({ "portalRef": { "name": "catena_x" } }), "portalRef.name"),
        no(&create, &json!({ "portalRef": { "namespace": "data.space" } }), "portalRef.namespace"),
        no(&create, &secret(json!({ "format": "raw" })), "Unsupported value"),
        yes(
            &create,
            &secret(json!({ "labels": { "reloader": "on" }, "annotations": { "example.org/a": "b" } })),
        ),
        no(&create, &secret(json!({ "labels": { "technicaluser.dev/instance": "x" } })), LABELS),
        no(&create, &secret(json!({ "annotations": { "technicaluser.dev/owner": "x" } })), ANNOTATIONS),
    ]
    .into_iter()
    .chain(formats())
    .chain(restarts())
    .chain(vault_entries())
    .chain(users_of_others())
    .chain(rotation_windows())
    .collect()
}

#[tokio::test]
async fn each_rule_lets_in_and_keeps_out() {
    try_all(Kind::TechnicalUser, "users", &cases()).await;
}

/// A rotation with one window.
fn windows(change: &Value) -> Value {
    let mut window = json!({ "cron": "0 2 * * SAT", "duration": "4h" });
    for (field, value) in change.as_object().unwrap() {
        window[field] = value.clone();
    }
    json!({ "rotation": { "interval": "720h", "windows": [window] } })
}
