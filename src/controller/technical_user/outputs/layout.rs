//! What a Secret of a spec has in it: the format, and what a person has chosen of it.

use std::collections::BTreeMap;

use crate::api::portal::Dataspace;
use crate::api::technical_user::{self as api, SecretOutput as Spec};
use crate::controller::secrets::Texts;
use crate::domain::digest::DigestKey;
use crate::domain::format::{
    self, Content, Dialect, Format, FormatError, KeyStyle, Naming, Options, Surroundings, Values,
};
use crate::domain::user::Credential;

/// What a Secret has in it.
pub(super) struct Layout {
    format: Format,
    options: Options,
    surroundings: Surroundings,
}

impl Layout {
    /// The layout that an entry of a spec describes, in this data space.
    pub(super) fn new(spec: &Spec, surroundings: &Surroundings) -> Self {
        Self {
            format: format(spec.format.unwrap_or_default()),
            options: options(spec),
            surroundings: Surroundings { secret_alias: spec.secret_alias.clone(), ..surroundings.clone() },
        }
    }

    /// The content with these values.
    pub(super) fn content(&self, values: &Values) -> Result<Content, FormatError> {
        let values = Values { surroundings: self.surroundings.clone(), ..values.clone() };
        format::render(self.format, &self.options, &values).map_err(FormatError::concealed)
    }

    /// The same keys, and nothing of the user.
    pub(super) fn placeholder(&self) -> Result<Content, FormatError> {
        format::placeholder(self.format, &self.options, &self.surroundings)
    }

    /// Whether a credential can be read back from such a content. This is asked at each observation, so a format from which none
    /// can be, such as a template, is not rendered for it.
    pub(super) fn is_readable(&self) -> bool {
        self.format.entry().can_be_read_back()
            && self.placeholder().is_ok_and(|content| self.read_back(&content).is_some())
    }

    /// The credential in the texts of a Secret.
    pub(super) fn credential(&self, texts: &Texts) -> Option<Credential> {
        self.read_back(
            &texts.keys().into_iter().filter_map(|key| Some((key.clone(), texts.get(&key)?))).collect(),
        )
    }

    fn read_back(&self, content: &Content) -> Option<Credential> {
        format::read_back(self.format, &self.options, content)
    }

    /// A digest of what the content depends on beside the user and the spec, so that a change of it is seen without reading the
    /// user. `None` where the format uses nothing else.
    pub(super) fn digest(&self, key: &DigestKey) -> Option<String> {
        let Surroundings { did, wallet_url, bdrs_url, trusted_issuers, secret_alias } = &self.surroundings;
        let named =
            [("did", did), ("walletUrl", wallet_url), ("bdrsUrl", bdrs_url), ("secretAlias", secret_alias)];
        let named = named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let issuers = trusted_issuers.iter().map(|issuer| ("trustedIssuers", issuer.as_str()));
        let all = named.chain(issuers).map(|(name, value)| (name, value.as_bytes()));
        self.format.entry().uses_surroundings.then(|| key.digest(all))
    }
}

/// What a Portal says of its data space.
#[must_use]
pub fn surroundings(dataspace: Option<&Dataspace>) -> Surroundings {
    let Dataspace { did, wallet_url, bdrs_url, trusted_issuers } = dataspace.cloned().unwrap_or_default();
    Surroundings {
        did,
        wallet_url,
        bdrs_url,
        trusted_issuers: trusted_issuers.unwrap_or_default(),
        ..Surroundings::default()
    }
}

fn format(format: api::SecretFormat) -> Format {
    match format {
        api::SecretFormat::Raw => Format::Raw,
        api::SecretFormat::EdcEnv => Format::EdcEnv,
        api::SecretFormat::EdcHelmValues => Format::EdcHelmValues,
        api::SecretFormat::EdcMemory => Format::EdcMemory,
        api::SecretFormat::VaultJson => Format::VaultJson,
        api::SecretFormat::SpringEnv => Format::SpringEnv,
        api::SecretFormat::SpringApplication => Format::SpringApplication,
        api::SecretFormat::Dotenv => Format::Dotenv,
        api::SecretFormat::Properties => Format::Properties,
        api::SecretFormat::DataSpaceIntegration => Format::DataSpaceIntegration,
        api::SecretFormat::Template => Format::Template,
    }
}

fn options(spec: &Spec) -> Options {
    let style = spec.key_style.map(|style| match style {
        api::KeyStyle::Kebab => KeyStyle::Kebab,
        api::KeyStyle::Camel => KeyStyle::Camel,
        api::KeyStyle::Snake => KeyStyle::Snake,
        api::KeyStyle::UpperSnake => KeyStyle::UpperSnake,
    });
    let naming = match &spec.keys {
        Some(keys) => Naming::Renamed(keys.iter().map(|(from, to)| (from.clone(), to.0.clone())).collect()),
        None => Naming::Styled { style, prefix: spec.key_prefix.clone().unwrap_or_default() },
    };
    let templates: BTreeMap<_, _> =
        spec.template.iter().flatten().map(|(key, text)| (key.clone(), text.0.clone())).collect();
    Options {
        dialect: match spec.edc_dialect.unwrap_or_default() {
            api::EdcDialect::Iatp => Dialect::V0_12,
            api::EdcDialect::Dcp => Dialect::V0_13,
        },
        registration: spec.spring_registration.clone(),
        naming,
        templates,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layout(spec: serde_json::Value, did: &str) -> Layout {
        let dataspace = Dataspace { did: Some(did.to_owned()), ..Dataspace::default() };
        Layout::new(&serde_json::from_value(spec).unwrap(), &surroundings(Some(&dataspace)))
    }

    /// The names in the spec are those of the domain.
    #[test]
    fn each_format_of_the_domain_has_its_name_in_the_spec() {
        for wanted in Format::ALL {
            let spec = serde_json::from_value(json!(wanted.entry().name)).unwrap();
            assert_eq!(format(spec), wanted);
        }
    }

    /// Which line fails, or how long the content is, would be an answer to a question about the secret.
    #[test]
    fn an_error_of_real_values_shows_nothing_of_them() {
        let values = Values {
            credential: Credential::with_secret(
                "sa1".into(),
                "x1".to_owned().into(),
                "https://idp.example.org/token".into(),
            ),
            user_id: crate::domain::user::UserId::new("u1"),
            kind: crate::domain::user::UserKind::Internal,
            bpn: None,
            surroundings: Surroundings::default(),
        };
        for template in [
            "a\n{% if clientSecret == 'x1' %}{{ nope }}{% endif %}",
            "{% if clientSecret == 'x1' %}{{ 'x' * 900000 }}{{ 'x' * 900000 }}{% endif %}",
        ] {
            let layout = layout(json!({"format": "Template", "template": {"a": template}}), "did:web:x");
            assert!(layout.placeholder().is_ok(), "{template}");
            assert_eq!(layout.content(&values).unwrap_err(), FormatError::OfValues, "{template}");
        }
        let wrong = layout(json!({"format": "Template", "template": {"a": "b\n{{ nope }}"}}), "did:web:x");
        assert!(wrong.placeholder().unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn each_choice_gets_to_the_format() {
        let keys = |spec| layout(spec, "did:web:x").placeholder().unwrap().into_keys().collect::<Vec<_>>();
        let styled = json!({"keyStyle": "UpperSnake", "keyPrefix": "PORTAL_", "keys": null});
        assert!(keys(styled).contains(&"PORTAL_CLIENT_ID".to_owned()));
        assert_eq!(keys(json!({"keys": {"client-id": "semanticsId"}})), ["semanticsId"]);
        assert_eq!(keys(json!({"format": "Template", "template": {"a": "{{ did }}"}})), ["a"]);
        let spring = json!({"format": "SpringEnv", "springRegistration": "pool"});
        assert!(keys(spring)[0].contains("_POOL_"));
        for (dialect, block) in [("Iatp", "iatp:"), ("Dcp", "dcp:")] {
            let spec = json!({"format": "EdcHelmValues", "edcDialect": dialect, "secretAlias": "edc"});
            let mut layout = layout(spec, "did:web:x");
            layout.surroundings.wallet_url = Some("https://wallet.example.org".to_owned());
            let content = layout.placeholder().unwrap();
            assert!(secrecy::ExposeSecret::expose_secret(&content["values.yaml"]).starts_with(block));
        }
    }

    #[test]
    fn a_credential_is_read_back_where_all_of_it_is_there() {
        assert!(layout(json!({}), "did:web:x").is_readable());
        assert!(layout(json!({"keyStyle": "Camel", "keyPrefix": "x"}), "did:web:x").is_readable());
        assert!(!layout(json!({"keys": {"client-id": "id"}}), "did:web:x").is_readable());
        assert!(!layout(json!({"format": "Dotenv"}), "did:web:x").is_readable());
    }

    #[test]
    fn a_change_of_the_data_space_is_a_change_of_what_uses_it() {
        let key = DigestKey::new(&[1; 32]);
        let digest = |spec: serde_json::Value, did| layout(spec, did).digest(&key);
        assert_eq!(digest(json!({}), "did:web:x"), None);
        let template = json!({"format": "Template", "template": {"a": "x"}});
        let before = digest(template.clone(), "did:web:x");
        assert!(before.is_some());
        assert_eq!(before, digest(template.clone(), "did:web:x"));
        assert_ne!(before, digest(template, "did:web:y"));
    }
}
