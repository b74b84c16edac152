//! Logins: by AppRole, by a service account and by a token; tokens that expire or are revoked.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use technical_user_operator::vault::{Auth, JwtSource, LoginRefusal, NoJwt, VaultClient, VaultError};
use testbed::{Vault, eventually, shared};

use crate::support::{POLICY, app_role, client, content, entry, mount, policy, set_up, token};

fn refused(why: LoginRefusal) -> Result<(), VaultError> {
    Err(VaultError::LoginRefused(why))
}

/// Revokes all tokens that AppRole has issued.
async fn revoke(vault: &Vault) {
    set_up(vault, "PUT", "sys/leases/revoke-prefix/auth/approle", &json!({})).await;
}

async fn assert_reads(client: &VaultClient) {
    assert!(client.read(&entry("none")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_wrong_app_role_is_a_refused_login() {
    let vault = Vault::start().await.unwrap();
    let auth = app_role(&vault, json!({})).await;
    assert_reads(&client(&vault, auth.clone())).await;
    let Auth::AppRole { mount: path, role_id, secret_id } = auth else { panic!("no AppRole") };
    let with = |path, role_id, secret_id| client(&vault, Auth::AppRole { mount: path, role_id, secret_id });
    let wrong_secret = with(path.clone(), role_id.clone(), "s3cret-id".into());
    assert_eq!(wrong_secret.log_in().await, refused(LoginRefusal::AppRole));
    let wrong_role = with(path, "nobody".into(), secret_id.clone());
    assert_eq!(wrong_role.log_in().await, refused(LoginRefusal::AppRole));
    let elsewhere = with(mount("approle2"), role_id, secret_id);
    assert_eq!(elsewhere.log_in().await, refused(LoginRefusal::NoMethod));
}

#[tokio::test]
async fn one_login_serves_many_calls_and_a_revoked_token_costs_one_more() {
    let vault = Vault::start().await.unwrap();
    // The third login would be refused.
    let client = client(&vault, app_role(&vault, json!({"secret_id_num_uses": 2})).await);
    for _ in 0..3 {
        assert_reads(&client).await;
    }
    revoke(&vault).await;
    for _ in 0..3 {
        assert_reads(&client).await;
    }
    revoke(&vault).await;
    let error = client.read(&entry("none")).await.unwrap_err();
    assert_eq!(error, VaultError::LoginRefused(LoginRefusal::AppRole));
}

#[tokio::test]
async fn too_few_rights_cost_no_login() {
    let vault = Vault::start().await.unwrap();
    let client = client(&vault, app_role(&vault, json!({"secret_id_num_uses": 1})).await);
    let elsewhere = crate::support::entry_in("other", "wallet");
    for _ in 0..3 {
        let error = client.write(&elsewhere, &content("s3cret"), 0).await.unwrap_err();
        assert_eq!(error, VaultError::Forbidden { call: "POST other/data/connectors/wallet".into() });
    }
    assert_reads(&client).await;
}

#[tokio::test]
async fn a_token_that_expires_is_followed_by_a_new_login() {
    let vault = Vault::start().await.unwrap();
    let settings = json!({"token_ttl": "2s", "token_max_ttl": "2s"});
    let client = client(&vault, app_role(&vault, settings).await);
    assert_reads(&client).await;
    let accessors = || async {
        let listed = vault.as_root("LIST", "auth/token/accessors", None).await.unwrap().success().unwrap();
        // Root's own, and that of the login until it has expired.
        (listed["data"]["keys"].as_array().unwrap().len() == 1).then_some(())
    };
    eventually("the token has expired", accessors).await.unwrap();
    assert_reads(&client).await;
}

#[tokio::test]
async fn a_renewed_token_outlives_its_first_end() {
    let vault = Vault::start().await.unwrap();
    // One login only: it is the renewal that keeps the token alive.
    let settings = json!({"token_ttl": "3s", "secret_id_num_uses": 1});
    let client = client(&vault, app_role(&vault, settings).await);
    let start = tokio::time::Instant::now();
    let lived = || async {
        assert_reads(&client).await;
        (start.elapsed().as_secs() >= 8).then_some(())
    };
    eventually("the token has lived through several of its times", lived).await.unwrap();
}

#[tokio::test]
async fn a_token_of_a_person_is_used_renewed_and_in_the_end_refused() {
    let vault = Vault::start().await.unwrap();
    policy(&vault, "writer", POLICY).await;
    let issued = token(&vault, "writer", json!({"ttl": "1h"})).await;
    let holder = client(&vault, Auth::Token(issued.clone()));
    assert_reads(&holder).await;
    vault.call(&issued, "POST", "auth/token/revoke-self", Some(&json!({}))).await.unwrap().success().unwrap();
    let error = holder.read(&entry("none")).await.unwrap_err();
    assert_eq!(error, VaultError::LoginRefused(LoginRefusal::Token));
    let wrong = client(&vault, Auth::Token("hvs.nothing".into()));
    assert_eq!(wrong.log_in().await, refused(LoginRefusal::Token));
}

#[tokio::test]
async fn a_token_without_the_default_policy_works_all_the_same() {
    let vault = Vault::start().await.unwrap();
    policy(&vault, "writer", POLICY).await;
    let issued = token(&vault, "writer", json!({"no_default_policy": true})).await;
    let client = client(&vault, Auth::Token(issued));
    assert_reads(&client).await;
    let error = client.read(&crate::support::entry_in("other", "wallet")).await.unwrap_err();
    assert_eq!(error, VaultError::Forbidden { call: "GET other/data/connectors/wallet".into() });
}

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

#[tokio::test]
async fn a_service_account_logs_in_where_the_role_is_bound_to_it() {
    let plane = shared().await;
    let vault = Vault::start().await.unwrap();
    policy(&vault, "writer", POLICY).await;
    set_up(&vault, "POST", "sys/auth/kubernetes", &json!({"type": "kubernetes"})).await;
    let namespace = plane.namespace("vault-client").await.unwrap();
    for account in ["reviewer", "writer", "stranger"] {
        plane.create_service_account(&namespace, account).await.unwrap();
    }
    let reviewer = format!("--serviceaccount={namespace}:reviewer");
    let bind = ["create", "clusterrolebinding", &namespace, "--clusterrole=system:auth-delegator", &reviewer];
    plane.kubectl(&bind).await.unwrap().success().unwrap();
    let cluster = json!({
        "kubernetes_host": plane.server(),
        "kubernetes_ca_cert": std::fs::read_to_string(plane.ca()).unwrap(),
        "token_reviewer_jwt": plane.service_account_token(&namespace, "reviewer").await.unwrap(),
    });
    set_up(&vault, "POST", "auth/kubernetes/config", &cluster).await;
    for (role, audience) in [("writer", None), ("audience", Some("vault"))] {
        let mut settings = json!({
            "bound_service_account_names": "writer",
            "bound_service_account_namespaces": namespace,
            "token_policies": "writer",
        });
        if let Some(audience) = audience {
            settings["audience"] = json!(audience);
        }
        set_up(&vault, "POST", &format!("auth/kubernetes/role/{role}"), &settings).await;
    }
    let with = |path: &str, role: &str, jwt: Result<String, NoJwt>| {
        let jwt = Arc::new(Jwt(jwt.map(Into::into)));
        client(&vault, Auth::Kubernetes { mount: mount(path), role: role.into(), jwt })
    };
    let writer = plane.service_account_token(&namespace, "writer").await.unwrap();
    assert_reads(&with("kubernetes", "writer", Ok(writer.clone()))).await;
    let stranger = plane.service_account_token(&namespace, "stranger").await.unwrap();
    for (path, role, jwt, why) in [
        ("kubernetes", "writer", stranger, LoginRefusal::ServiceAccount),
        ("kubernetes", "none", writer.clone(), LoginRefusal::Role),
        ("kubernetes", "audience", writer.clone(), LoginRefusal::Audience),
        ("elsewhere", "writer", writer.clone(), LoginRefusal::NoMethodOrReview),
        ("kubernetes", "writer", unknown_key(&writer), LoginRefusal::NoMethodOrReview),
    ] {
        assert_eq!(with(path, role, Ok(jwt)).log_in().await, refused(why), "{path} {role}");
    }
    let busy = NoJwt { reason: "the apiserver is busy".into(), denied: false };
    let none = with("kubernetes", "writer", Err(busy.clone()));
    assert_eq!(none.log_in().await, Err(VaultError::NoJwt(busy)));
}
