//! Logins by AppRole and by a token; tokens that expire or are revoked.

use serde_json::json;
use technical_user_operator::vault::{Auth, LoginRefusal, VaultClient, VaultError};
use testbed::eventually;

use crate::server::{Server, facts};
use crate::support::{POLICY, app_role, client, content, entry, mount, policy, set_up, token};

facts!(
    a_wrong_app_role_is_a_refused_login,
    one_login_serves_many_calls_and_a_revoked_token_costs_one_more,
    too_few_rights_cost_no_login,
    a_token_that_expires_is_followed_by_a_new_login,
    a_renewed_token_outlives_its_first_end,
    a_token_of_a_person_is_used_renewed_and_in_the_end_refused,
    a_token_without_the_default_policy_works_all_the_same,
);

fn refused(why: LoginRefusal) -> Result<(), VaultError> {
    Err(VaultError::LoginRefused(why))
}

/// Revokes all tokens that AppRole has issued.
async fn revoke(vault: &Server) {
    set_up(vault, "PUT", "sys/leases/revoke-prefix/auth/approle", &json!({})).await;
}

async fn assert_reads(client: &VaultClient) {
    assert!(client.read(&entry("none")).await.unwrap().is_none());
}

async fn a_wrong_app_role_is_a_refused_login(vault: &Server) {
    let auth = app_role(vault, json!({})).await;
    assert_reads(&client(vault, auth.clone())).await;
    let Auth::AppRole { mount: path, role_id, secret_id } = auth else { panic!("no AppRole") };
    let with = |path, role_id, secret_id| client(vault, Auth::AppRole { mount: path, role_id, secret_id });
    let wrong_secret = with(path.clone(), role_id.clone(), "s3cret-id".into());
    assert_eq!(wrong_secret.log_in().await, refused(LoginRefusal::AppRole));
    let wrong_role = with(path, "nobody".into(), secret_id.clone());
    assert_eq!(wrong_role.log_in().await, refused(LoginRefusal::AppRole));
    let elsewhere = with(mount("approle2"), role_id, secret_id);
    assert_eq!(elsewhere.log_in().await, refused(LoginRefusal::NoMethod));
}

async fn one_login_serves_many_calls_and_a_revoked_token_costs_one_more(vault: &Server) {
    // The third login would be refused.
    let client = client(vault, app_role(vault, json!({"secret_id_num_uses": 2})).await);
    for _ in 0..3 {
        assert_reads(&client).await;
    }
    revoke(vault).await;
    for _ in 0..3 {
        assert_reads(&client).await;
    }
    revoke(vault).await;
    let error = client.read(&entry("none")).await.unwrap_err();
    assert_eq!(error, VaultError::LoginRefused(LoginRefusal::AppRole));
}

async fn too_few_rights_cost_no_login(vault: &Server) {
    let client = client(vault, app_role(vault, json!({"secret_id_num_uses": 1})).await);
    let elsewhere = crate::support::entry_in("other", "wallet");
    for _ in 0..3 {
        let error = client.write(&elsewhere, &content("s3cret"), 0).await.unwrap_err();
        assert_eq!(error, VaultError::Forbidden { call: "POST other/data/connectors/wallet".into() });
    }
    assert_reads(&client).await;
}

async fn a_token_that_expires_is_followed_by_a_new_login(vault: &Server) {
    let settings = json!({"token_ttl": "2s", "token_max_ttl": "2s"});
    let client = client(vault, app_role(vault, settings).await);
    assert_reads(&client).await;
    let accessors = || async {
        let listed = vault.as_root("LIST", "auth/token/accessors", None).await.unwrap().success().unwrap();
        // Root's own, and that of the login until it has expired.
        (listed["data"]["keys"].as_array().unwrap().len() == 1).then_some(())
    };
    eventually("the token has expired", accessors).await.unwrap();
    assert_reads(&client).await;
}

async fn a_renewed_token_outlives_its_first_end(vault: &Server) {
    // One login only: it is the renewal that keeps the token alive.
    let settings = json!({"token_ttl": "3s", "secret_id_num_uses": 1});
    let client = client(vault, app_role(vault, settings).await);
    let start = tokio::time::Instant::now();
    let lived = || async {
        assert_reads(&client).await;
        (start.elapsed().as_secs() >= 8).then_some(())
    };
    eventually("the token has lived through several of its times", lived).await.unwrap();
}

async fn a_token_of_a_person_is_used_renewed_and_in_the_end_refused(vault: &Server) {
    policy(vault, "writer", POLICY).await;
    let issued = token(vault, "writer", json!({"ttl": "1h"})).await;
    let holder = client(vault, Auth::Token(issued.clone()));
    assert_reads(&holder).await;
    vault.call(&issued, "POST", "auth/token/revoke-self", Some(&json!({}))).await.unwrap().success().unwrap();
    let error = holder.read(&entry("none")).await.unwrap_err();
    assert_eq!(error, VaultError::LoginRefused(LoginRefusal::Token));
    let wrong = client(vault, Auth::Token("hvs.nothing".into()));
    assert_eq!(wrong.log_in().await, refused(LoginRefusal::Token));
}

async fn a_token_without_the_default_policy_works_all_the_same(vault: &Server) {
    policy(vault, "writer", POLICY).await;
    let issued = token(vault, "writer", json!({"no_default_policy": true})).await;
    let client = client(vault, Auth::Token(issued));
    assert_reads(&client).await;
    let error = client.read(&crate::support::entry_in("other", "wallet")).await.unwrap_err();
    assert_eq!(error, VaultError::Forbidden { call: "GET other/data/connectors/wallet".into() });
}
