//! Tokens of the operator's own `ServiceAccount`, for one Vault each.
//!
//! Each person who may create a Vault resource chooses the address that its token is sent to. So each token has an audience that
//! names the resource: neither the apiserver nor the role of another Vault accepts it, and a server that receives it can use it
//! only at the Vault that it was issued for. This holds where the role in Vault names the audience, which
//! [`OwnTokens::of_no_vault`] can show.

use async_trait::async_trait;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use secrecy::SecretString;

use crate::api::GROUP;
use crate::controller::kube_error::{KubeError, is_of_rbac};
use crate::controller::objects::Key;
use crate::k8s::account;
use crate::vault::{JwtSource, NoJwt};

/// The shortest life that the apiserver grants. A token is used once, at once.
const SECONDS: i64 = 600;

/// In the audience if no Vault is named: names of Vaults have no slash.
const NO_VAULT: &str = "no-vault";

/// The audience of the tokens for a Vault.
#[must_use]
pub fn audience(vault: &Key) -> String {
    format!("{GROUP}/{vault}")
}

/// Tokens of the `ServiceAccount` that this process runs with.
pub struct OwnTokens {
    client: Client,
    audience: String,
}

impl OwnTokens {
    /// Tokens for one Vault.
    pub fn new(client: &Client, vault: &Key) -> Self {
        Self { client: client.clone(), audience: audience(vault) }
    }

    /// Tokens that no Vault may accept: for an audience that names none.
    pub fn of_no_vault(client: &Client, vault: &Key) -> Self {
        Self { client: client.clone(), audience: format!("{}/{NO_VAULT}", audience(vault)) }
    }

    /// For this audience alone, and for a short time.
    fn request(&self) -> TokenRequest {
        let spec = TokenRequestSpec {
            audiences: Some(vec![self.audience.clone()]),
            expiration_seconds: Some(SECONDS),
            ..TokenRequestSpec::default()
        };
        TokenRequest { spec: Some(spec), ..TokenRequest::default() }
    }
}

#[async_trait]
impl JwtSource for OwnTokens {
    async fn jwt(&self) -> Result<SecretString, NoJwt> {
        let Some(account) = account::own(&self.client).await.map_err(why)? else {
            return Err(failed(
                "the operator does not run with a ServiceAccount, which this auth method needs",
            ));
        };
        let request = self.request();
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &account.namespace);
        let issued = api.create_token_request(&account.name, &PostParams::default(), &request).await;
        let token = issued.map_err(why)?.status.and_then(|status| status.token);
        token.map(SecretString::from).ok_or_else(|| failed("the apiserver issued none"))
    }
}

fn why(error: kube::Error) -> NoJwt {
    let error = KubeError::from(error);
    let denied = matches!(&error, KubeError::Denied { code: 403, message } if is_of_rbac(message));
    NoJwt { reason: error.to_string(), denied }
}

fn failed(reason: &str) -> NoJwt {
    NoJwt { reason: reason.to_owned(), denied: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::test_support::apiserver::Apiserver;

    #[test]
    fn an_audience_names_one_vault() {
        let key = |namespace: &str, name: &str| Key { namespace: namespace.into(), name: name.into() };
        assert_eq!(audience(&key("connector", "vault")), "technicaluser.dev/connector/vault");
        assert_ne!(audience(&key("a", "b-c")), audience(&key("a-b", "c")));
    }

    #[tokio::test]
    async fn a_token_is_for_one_vault_and_a_short_time() {
        let client = Apiserver::default().client();
        let vault = Key { namespace: "connector".into(), name: "vault".into() };
        let of = |tokens: OwnTokens| {
            let spec = tokens.request().spec.unwrap();
            (spec.audiences.unwrap_or_default(), spec.expiration_seconds)
        };
        let audience = audience(&vault);
        assert_eq!(of(OwnTokens::new(&client, &vault)), (vec![audience.clone()], Some(SECONDS)));
        let (none, seconds) = of(OwnTokens::of_no_vault(&client, &vault));
        assert_eq!((none.len(), seconds), (1, Some(SECONDS)));
        assert_ne!(none, [audience]);
    }

    #[test]
    fn a_missing_right_is_distinguished_from_other_refusals() {
        let answered = |code, message: &str| {
            let status =
                kube::core::Status { code, message: message.to_owned(), ..kube::core::Status::default() };
            why(kube::Error::Api(Box::new(status))).denied
        };
        let missing = "serviceaccounts \"tuo\" is forbidden: User \"u\" cannot create resource \"serviceaccounts/token\" in API group \
                       \"\" in the namespace \"ops\"";
        assert!(answered(403, missing));
        assert!(!answered(403, "admission webhook \"w\" denied the request") && !answered(503, missing));
    }
}
