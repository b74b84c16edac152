//! Logins by a service account.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use technical_user_operator::vault::{Auth, JwtSource, LoginRefusal, NoJwt, VaultError};
use testbed::{service_account_token, shared};

use crate::server::{Server, facts};
use crate::support::{POLICY, client, entry, mount, policy, set_up};

facts!(a_service_account_logs_in_where_the_role_is_bound_to_it);

const ACCOUNTS: [&str; 3] = ["reviewer", "writer", "stranger"];

/// Tokens of a service account, as the caller gets them.
struct Jwt(Result<SecretString, NoJwt>);

#[async_trait]
impl JwtSource for Jwt {
    async fn jwt(&self) -> Result<SecretString, NoJwt> {
        self.0.clone()
    }
}

/// The token with another signature, as an apiserver of another cluster would have signed it.
fn unknown_key(jwt: &str) -> String {
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let other: String = signature.chars().rev().collect();
    format!("{signed}.{other}")
}

/// Service accounts of a namespace: its name, and the token of each, which the server can verify.
async fn accounts(vault: &Server) -> (String, BTreeMap<&'static str, String>) {
    if let Server::Simulated(_) = vault {
        let token = |name| (name, service_account_token("vault-client", name, "https://kubernetes"));
        return ("vault-client".to_owned(), ACCOUNTS.map(token).into());
    }
    let plane = shared().await;
    let namespace = plane.namespace("vault-client").await.unwrap();
    let mut tokens = BTreeMap::new();
    for name in ACCOUNTS {
        plane.create_service_account(&namespace, name).await.unwrap();
        tokens.insert(name, plane.service_account_token(&namespace, name).await.unwrap());
    }
    let reviewer = format!("--serviceaccount={namespace}:reviewer");
    let bind = ["create", "clusterrolebinding", &namespace, "--clusterrole=system:auth-delegator", &reviewer];
    plane.kubectl(&bind).await.unwrap().success().unwrap();
    let cluster = json!({
        "kubernetes_host": plane.server(),
        "kubernetes_ca_cert": std::fs::read_to_string(plane.ca()).unwrap(),
        "token_reviewer_jwt": tokens["reviewer"],
    });
    set_up(vault, "POST", "auth/kubernetes/config", &cluster).await;
    (namespace, tokens)
}

async fn a_service_account_logs_in_where_the_role_is_bound_to_it(vault: &Server) {
    policy(vault, "writer", POLICY).await;
    set_up(vault, "POST", "sys/auth/kubernetes", &json!({"type": "kubernetes"})).await;
    let (namespace, tokens) = accounts(vault).await;
    for (role, audience) in [("writer", None), ("audience", Some("vault"))] {
        let mut settings = json!({
            "bound_service_account_names": "writer",
            "bound_service_account_namespaces": namespace,
            "token_policies": "writer",
        });
        if let Some(audience) = audience {
            settings["audience"] = json!(audience);
        }
        set_up(vault, "POST", &format!("auth/kubernetes/role/{role}"), &settings).await;
    }
    let with = |path: &str, role: &str, jwt: Result<String, NoJwt>| {
        let jwt = Arc::new(Jwt(jwt.map(Into::into)));
        client(vault, Auth::Kubernetes { mount: mount(path), role: role.into(), jwt })
    };
    let (writer, stranger) = (tokens["writer"].clone(), tokens["stranger"].clone());
    let holder = with("kubernetes", "writer", Ok(writer.clone()));
    assert!(holder.read(&entry("none")).await.unwrap().is_none());
    for (path, role, jwt, why) in [
        ("kubernetes", "writer", stranger, LoginRefusal::ServiceAccount),
        ("kubernetes", "none", writer.clone(), LoginRefusal::Role),
        ("kubernetes", "audience", writer.clone(), LoginRefusal::Audience),
        ("elsewhere", "writer", writer.clone(), LoginRefusal::NoMethodOrReview),
        ("kubernetes", "writer", unknown_key(&writer), LoginRefusal::NoMethodOrReview),
    ] {
        assert_eq!(
            with(path, role, Ok(jwt)).log_in().await,
            Err(VaultError::LoginRefused(why)),
            "{path} {role}"
        );
    }
    let busy = NoJwt { reason: "the apiserver is busy".into(), denied: false };
    let none = with("kubernetes", "writer", Err(busy.clone()));
    assert_eq!(none.log_in().await, Err(VaultError::NoJwt(busy)));
}
