//! The page's policy has nothing that External Secrets does not need.

use crate::PAGE;
use crate::edc::Page;
use crate::store::Store;

/// The policy without one of its capabilities, for each of them, with what was left out.
fn less_than(policy: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut path = "";
    let mut before = 0;
    for line in policy.split_inclusive('\n') {
        path = line.strip_prefix("path ").map_or(path, |rest| rest.trim_end_matches([' ', '{', '\n']));
        let (begin, end) = (before, before + line.len());
        before = end;
        let Some((_, list)) = line.split_once("capabilities = [") else { continue };
        let capabilities: Vec<_> = list.trim_end_matches([']', '\n']).split(", ").collect();
        for left_out in &capabilities {
            let kept: Vec<_> = capabilities.iter().copied().filter(|kept| kept != left_out).collect();
            let line = format!("  capabilities = [{}]\n", kept.join(", "));
            let text = format!("{}{line}{}", &policy[..begin], &policy[end..]);
            all.push((format!("{left_out} of {path}"), text));
        }
    }
    all
}

/// Creates, updates and deletes the entry with a policy, in a namespace and a Vault of its own; the first refusal.
async fn use_policy(policy: &str) -> Result<(), String> {
    let plane = testbed::shared().await;
    let namespace = plane.namespace("policy").await.unwrap();
    let store = Store::with_policy(plane, &namespace, policy).await;
    store.write_secret("first").await;
    store.push().await;
    store.pushed_or_refused("first").await?;
    store.write_secret("second").await;
    store.push_again().await;
    store.pushed_or_refused("second").await?;
    store.delete().await;
    store.deleted_or_refused().await
}

#[tokio::test]
async fn each_capability_of_the_policy_is_needed_and_all_are_enough() {
    let policy = Page::read(PAGE).file("edc-wallet.hcl");
    assert_eq!(use_policy(&policy).await, Ok(()));
    let all = less_than(&policy);
    assert!(all.len() > 2, "{all:#?}");
    let mut not_needed = Vec::new();
    for (left_out, less) in all {
        match use_policy(&less).await {
            Ok(()) => not_needed.push(left_out),
            Err(refusal) => println!("without {left_out}: {refusal}"),
        }
    }
    assert_eq!(not_needed, Vec::<String>::new());
}
