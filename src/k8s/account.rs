//! The `ServiceAccount` that the apiserver knows this process by.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::{Api, Client};

/// A `ServiceAccount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The `ServiceAccount` of this process; `None` where it runs as a person.
pub async fn own(client: &Client) -> Result<Option<Account>, kube::Error> {
    let asked = SelfSubjectReview::default();
    let review = Api::all(client.clone()).create(&PostParams::default(), &asked).await?;
    let name = review.status.and_then(|status| status.user_info?.username);
    Ok(name.and_then(|name| account(&name)))
}

/// The `ServiceAccount` in the name of a user.
fn account(user: &str) -> Option<Account> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(Account { namespace: namespace.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_in_the_name_of_the_user() {
        let found = account("system:serviceaccount:ops:technical-user-operator").unwrap();
        assert_eq!((found.namespace.as_str(), found.name.as_str()), ("ops", "technical-user-operator"));
        assert!(account("system:admin").is_none() && account("jane").is_none());
    }
}
