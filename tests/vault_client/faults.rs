//! What a person has to repair: the server, its certificate, the mount, the policy.

use serde_json::json;
use technical_user_operator::vault::{Auth, VaultError};
use testbed::{Vault, free_port};

use crate::server::{Server, facts};
use crate::support::{
    POLICY, client, client_at, content, entry, entry_in, mount, policy, root, set_up, token,
};

facts!(
    a_sealed_vault_is_a_class_of_its_own,
    only_a_mount_of_kv_version_2_is_accepted,
    what_a_policy_permits_is_known_before_a_write,
    a_mount_that_the_policy_does_not_name_is_forbidden,
);

async fn a_sealed_vault_is_a_class_of_its_own(vault: &Server) {
    let client = root(vault);
    let health = client.health().await.unwrap();
    assert!(health.version.starts_with("1.") && !health.standby, "{health:?}");
    client.read(&entry("none")).await.unwrap();
    set_up(vault, "PUT", "sys/seal", &json!({})).await;
    assert_eq!(client.health().await, Err(VaultError::Sealed));
    assert_eq!(client.read(&entry("none")).await.unwrap_err(), VaultError::Sealed);
    assert_eq!(client.write(&entry("none"), &content("s3cret"), 0).await, Err(VaultError::Sealed));
    assert_eq!(root(vault).log_in().await, Err(VaultError::Sealed));
    assert_eq!(client.require_kv2(&mount("secret"), &entry("x")).await, Err(VaultError::Sealed));
}

#[tokio::test]
async fn a_vault_that_ends_is_down() {
    let vault = Server::real().await;
    let client = root(&vault);
    client.health().await.unwrap();
    let Server::Real(server) = vault else { panic!("no process") };
    let address = server.address().to_owned();
    drop(server);
    let error = client.health().await.unwrap_err();
    let VaultError::Unreachable { endpoint, reason, sent: false } = &error else { panic!("{error:?}") };
    assert_eq!((format!("http://{endpoint}"), reason.as_str()), (address, "the connection was refused"));
    assert!(error.is_down());
}

#[tokio::test]
async fn a_certificate_is_trusted_by_the_bundle_alone() {
    let (vault, other) = (Vault::start_with_tls().await.unwrap(), Vault::start_with_tls().await.unwrap());
    let trusting = client_at(vault.address(), vault.ca(), Auth::Token(vault.root_token().clone()));
    trusting.health().await.unwrap();
    assert_eq!(trusting.write(&entry("wallet"), &content("s3cret"), 0).await, Ok(1));
    for ca in [None, other.ca()] {
        let client = client_at(vault.address(), ca, Auth::Token(vault.root_token().clone()));
        let error = client.read(&entry("wallet")).await.unwrap_err();
        assert!(
            matches!(&error, VaultError::Tls { reason, .. } if reason.contains("certificate")),
            "{error:?}"
        );
    }
    let plain = Vault::start().await.unwrap();
    let address = plain.address().replace("http://", "https://");
    let error = client_at(&address, None, Auth::Token("t".into())).health().await.unwrap_err();
    assert!(matches!(error, VaultError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_unreachable() {
    let address = format!("http://127.0.0.1:{}", free_port().unwrap());
    let error = client_at(&address, None, Auth::Token("t".into())).health().await.unwrap_err();
    assert!(matches!(error, VaultError::Unreachable { .. }), "{error:?}");
}

async fn only_a_mount_of_kv_version_2_is_accepted(vault: &Server) {
    for (path, version) in [("kv1", "1"), ("team/kv", "2")] {
        let engine = json!({"type": "kv", "options": {"version": version}});
        set_up(vault, "POST", &format!("sys/mounts/{path}"), &engine).await;
    }
    set_up(vault, "POST", "sys/mounts/plain", &json!({"type": "kv"})).await;
    let client = root(vault);
    let check = async |path: &str| client.require_kv2(&mount(path), &entry_in(path, "x")).await;
    assert_eq!(check("secret").await, Ok(()));
    assert_eq!(check("team/kv").await, Ok(()));
    for path in ["kv1", "plain"] {
        let found = "KV version 1".to_owned();
        assert_eq!(check(path).await, Err(VaultError::NotKv2 { mount: path.to_owned(), found }));
    }
    let found = "of type cubbyhole".to_owned();
    assert_eq!(check("cubbyhole").await, Err(VaultError::NotKv2 { mount: "cubbyhole".into(), found }));
    for path in ["none", "team"] {
        assert_eq!(check(path).await, Err(VaultError::NoMount { mount: path.to_owned() }), "{path}");
    }
    let no_mount = client.write(&entry_in("none", "x"), &content("s3cret"), 0).await;
    assert_eq!(no_mount, Err(VaultError::NoMount { mount: "none".into() }));
}

async fn what_a_policy_permits_is_known_before_a_write(vault: &Server) {
    let reader = r#"path "secret/data/connectors/*" { capabilities = ["read"] }"#;
    policy(vault, "writer", POLICY).await;
    policy(vault, "reader", reader).await;
    let (path, wanted) = (entry("wallet"), ["create", "read", "update"]);
    let elsewhere = entry_in("other", "wallet");
    let paths = [path.data(), path.metadata(), elsewhere.data()];
    for (name, lacking) in [
        ("writer", [&[][..], &["update"], &wanted]),
        ("reader", [&["create", "update"][..], &wanted, &wanted]),
    ] {
        let client = client(vault, Auth::Token(token(vault, name, json!({})).await));
        let found = client.capabilities(&paths).await.unwrap();
        let lacks: Vec<_> = found.iter().map(|found| found.lacks(&wanted)).collect();
        assert_eq!(lacks, lacking, "{name}");
        let written = client.write(&path, &content("s3cret"), 0).await;
        assert_eq!(written.is_ok(), name == "writer", "{written:?}");
    }
    let all = root(vault).capabilities(&paths).await.unwrap();
    assert!(all.iter().all(|found| found.lacks(&["create", "delete", "sudo"]).is_empty()), "{all:?}");
}

async fn a_mount_that_the_policy_does_not_name_is_forbidden(vault: &Server) {
    policy(vault, "writer", POLICY).await;
    let client = client(vault, Auth::Token(token(vault, "writer", json!({})).await));
    client.require_kv2(&mount("secret"), &entry("x")).await.unwrap();
    let error = client.require_kv2(&mount("none"), &entry_in("none", "x")).await.unwrap_err();
    assert_eq!(error, VaultError::Forbidden { call: "GET sys/internal/ui/mounts/none".into() });
}
