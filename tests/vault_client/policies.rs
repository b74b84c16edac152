//! The policies that the pages have people paste: enough from the first write of an entry to its deletion, and no more.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::server::{Server, facts};
use crate::support::{client, content, mount, policy, root, set_up, token};
use serde_json::json;
use technical_user_operator::domain::vault::path::{Alias, EntryPath, Prefix};
use technical_user_operator::vault::{Auth, VaultClient, VaultError};

facts!(
    the_policy_of_a_page_permits_what_is_needed_and_no_more,
    the_policy_for_merged_keys_permits_what_is_needed_and_no_more,
);

/// Each page with the name of its policy, and the prefix of the entries that it is for.
const PAGES: [(&str, &str, &str); 2] =
    [("docs/vault.md", "policy.hcl", "connectors"), ("docs/connector.md", "operator.hcl", "connector")];

/// A rule of a policy: a path, and its capabilities.
type Rule = (String, Vec<String>);

/// The rules that a page shows in a file.
fn rules(page: &str, file: &str) -> Vec<Rule> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (_, rest) = text.split_once(&format!("```hcl\n# {file}\n")).unwrap();
    let block = rest.split("```").next().unwrap();
    let texts =
        |text: &str| -> Vec<String> { text.split('"').skip(1).step_by(2).map(str::to_owned).collect() };
    let rules = block.split("path ").skip(1).map(|rule| {
        let mut texts = texts(rule).into_iter();
        (texts.next().unwrap(), texts.collect())
    });
    rules.collect()
}

fn text(rules: &[Rule]) -> String {
    let rule = |(path, capabilities): &Rule| format!("path {path:?} {{ capabilities = {capabilities:?} }}\n");
    rules.iter().map(rule).collect()
}

/// All that the operator does with an entry of its own, from before the first write to the end.
async fn own(client: &VaultClient, path: &EntryPath) -> Result<(), VaultError> {
    let found = client.metadata(path).await?;
    client.read(path).await?;
    client.mark(path, found.as_ref(), &mark("one")).await?;
    client.write(path, &content("one"), 0).await?;
    client.write(path, &content("two"), 1).await?;
    let found = client.metadata(path).await?;
    client.mark(path, found.as_ref(), &mark("two")).await?;
    client.read(path).await?;
    client.delete(path).await
}

/// All that it does with an entry of another owner, which has one version.
async fn merged(client: &VaultClient, path: &EntryPath) -> Result<(), VaultError> {
    let found = client.metadata(path).await?;
    client.read(path).await?;
    client.mark(path, found.as_ref(), &mark("one")).await?;
    client.write(path, &content("one"), 1).await?;
    client.unmark(path, &["owner"]).await
}

fn mark(owner: &str) -> BTreeMap<String, String> {
    [("owner".to_owned(), owner.to_owned())].into()
}

fn entry(prefix: &str, alias: &str) -> EntryPath {
    let folder = Prefix::parse(prefix).unwrap().in_namespace("any").unwrap();
    EntryPath::new(&mount("secret"), &folder, &Alias::parse(alias).unwrap())
}

/// A client with these rules alone.
async fn client_with(vault: &Server, name: &str, rules: &[Rule]) -> VaultClient {
    policy(vault, name, &text(rules)).await;
    client(vault, Auth::Token(token(vault, name, json!({})).await))
}

/// The rules, once without each capability that is needed, with words for the one that is left out.
fn with_one_less(rules: &[Rule]) -> Vec<(String, Vec<Rule>)> {
    let mut all = Vec::new();
    for (at, (path, capabilities)) in rules.iter().enumerate() {
        for (index, capability) in capabilities.iter().enumerate() {
            if path.contains("/data/") && capability == "create" {
                // Vault 1.21 asks for `update` alone where the metadata, with the mark, is there already. Its documentation has
                // `create` for a first version, so other releases may ask for it.
                continue;
            }
            let mut less = rules.to_vec();
            less[at].1.remove(index);
            all.push((format!("{capability} on {path}"), less));
        }
    }
    all
}

async fn the_policy_of_a_page_permits_what_is_needed_and_no_more(vault: &Server) {
    for (page, file, prefix) in PAGES {
        let rules = rules(page, file);
        assert_eq!(rules.len(), 2, "{page}");
        let whole = client_with(vault, "whole", &rules).await;
        own(&whole, &entry(prefix, "whole")).await.unwrap_or_else(|error| panic!("{page}: {error:?}"));
        for (number, (left_out, less)) in with_one_less(&rules).into_iter().enumerate() {
            let name = format!("less-{number}");
            let outcome = own(&client_with(vault, &name, &less).await, &entry(prefix, &name)).await;
            assert!(outcome.is_err(), "{page}: {left_out} is not needed");
        }
    }
}

async fn the_policy_for_merged_keys_permits_what_is_needed_and_no_more(vault: &Server) {
    let rules = rules("docs/vault.md", "A part of policy.hcl");
    let path = entry("connectors", "connector/app");
    let of_its_owner = async || {
        root(vault).delete(&path).await.unwrap();
        set_up(vault, "POST", &path.data(), &json!({ "data": { "theirs": "x" } })).await;
    };
    of_its_owner().await;
    merged(&client_with(vault, "whole", &rules).await, &path).await.unwrap();
    for (left_out, less) in with_one_less(&rules) {
        of_its_owner().await;
        let outcome = merged(&client_with(vault, "less", &less).await, &path).await;
        assert!(outcome.is_err(), "{left_out} is not needed");
    }
}
