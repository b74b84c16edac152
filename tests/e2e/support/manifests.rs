//! Manifests as a user would write them.

use portal_simulator::Simulator;
use serde_json::{Value, json};

/// The name of the Portal in every test.
pub const PORTAL: &str = "catena-x";

/// A Portal that leads to the simulator, with short intervals.
pub fn portal(simulator: &Simulator, namespace: &str) -> Value {
    json!({
        "apiVersion": "technicaluser.dev/v1alpha1",
        "kind": "Portal",
        "metadata": { "name": PORTAL, "namespace": namespace },
        "spec": {
            "catenaX": {
                "url": simulator.portal_url(),
                "tokenUrl": simulator.token_url(),
                "walletTokenUrl": format!("{}/oauth/token", simulator.wallet_url()),
                "insecureHttp": true,
                "auth": { "clientCredentials": { "secretRef": { "name": "portal-login" } } },
            },
            "resyncInterval": "10s",
            "limits": { "requestsPerSecond": 200, "burst": 200, "concurrency": 8 },
        },
    })
}

/// A resource whose user the operator creates.
pub fn create(name: &str, namespace: &str, role: &str) -> Value {
    json!({
        "apiVersion": "technicaluser.dev/v1alpha1",
        "kind": "TechnicalUser",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "portalRef": { "name": PORTAL }, "user": { "create": { "roles": [role] } } },
    })
}

/// A resource that publishes a user which is there.
pub fn existing(name: &str, namespace: &str, selector: &Value) -> Value {
    json!({
        "apiVersion": "technicaluser.dev/v1alpha1",
        "kind": "TechnicalUser",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "portalRef": { "name": PORTAL }, "user": { "existing": selector } },
    })
}

/// A resource of another namespace than its Portal's.
pub fn create_from(name: &str, namespace: &str, portal_namespace: &str, role: &str) -> Value {
    let mut manifest = create(name, namespace, role);
    manifest["spec"]["portalRef"]["namespace"] = portal_namespace.into();
    manifest
}
