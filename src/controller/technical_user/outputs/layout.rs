//! What a Secret of a spec has in it: the format, and what a person has chosen of it.

use std::collections::BTreeMap;

use super::Resource;
use crate::api::portal::Dataspace;
use crate::api::technical_user::{self as api, SecretOutput as Spec};
use crate::controller::secrets::Texts;
use crate::domain::dataspace::DataspaceValues;
use crate::domain::digest::DigestKey;
use crate::domain::format::{
    self, Content, Dialect, Format, FormatError, KeyStyle, Known, Naming, Options, Surroundings, Values,
};
use crate::domain::user::Credential;

/// What a Secret has in it.
pub(super) struct Layout {
    format: Format,
    options: Options,
    /// The alias that the spec names.
    secret_alias: Option<String>,
    /// The resource has an entry in a Vault, and the spec names no alias: the alias is that of the entry.
    follows_entry: bool,
    /// That alias, where the generation of the user is of no matter.
    surrounding_alias: Option<String>,
    known: Option<Known>,
}

impl Layout {
    /// The layout that an entry of a spec describes, with what the Portal of its resource says.
    pub(super) fn new(spec: &Spec, resource: &Resource) -> Self {
        let with_entry = resource.stores.vaults.first().is_some() && spec.secret_alias.is_none();
        let surrounding_alias = resource.surrounding_alias().filter(|_| with_entry);
        let layout = Self::with(spec, resource.known.as_ref());
        Self { follows_entry: with_entry, surrounding_alias, ..layout }
    }

    /// `known` is what the Portal says; `None` while it cannot be read.
    fn with(spec: &Spec, known: Option<&Known>) -> Self {
        Self {
            format: format(spec.format.unwrap_or_default()),
            options: options(spec),
            secret_alias: spec.secret_alias.clone(),
            follows_entry: false,
            surrounding_alias: None,
            known: known.cloned(),
        }
    }

    /// What the Portal says, with the alias that the spec names, else with this one.
    fn with_alias(&self, surroundings: &Surroundings, alias: Option<String>) -> Surroundings {
        Surroundings { secret_alias: self.secret_alias.clone().or(alias), ..surroundings.clone() }
    }

    /// Whether the content has the alias of an entry in a Vault that the resource has.
    pub(super) fn names_alias(&self) -> bool {
        let alone = Surroundings { secret_alias: Some(String::new()), ..Surroundings::default() };
        let uses = || format::used(self.format, &self.options, &alone);
        self.follows_entry && uses().is_some_and(|used| !used.is_empty())
    }

    /// The content with these values.
    pub(super) fn content(&self, values: &Values) -> Result<Content, FormatError> {
        let surroundings = self.with_alias(&values.surroundings, values.surroundings.secret_alias.clone());
        let values = Values { surroundings, ..values.clone() };
        format::render(self.format, &self.options, &values).map_err(FormatError::concealed)
    }

    /// The same keys, and nothing of the user.
    pub(super) fn placeholder(&self) -> Result<Content, FormatError> {
        let known = self.known.clone().unwrap_or_default();
        let surroundings = self.with_alias(&known.surroundings, self.surrounding_alias.clone());
        format::placeholder(self.format, &self.options, &Known { surroundings, ..known })
    }

    /// Whether a credential can be read back from such a content.
    pub(super) fn is_readable(&self) -> bool {
        format::is_readable(self.format, &self.options)
    }

    /// Whether the program that reads it sees a change only after a restart.
    pub(super) fn needs_restart(&self) -> bool {
        self.format.entry().reader.needs_restart
    }

    /// The credential in the texts of a Secret.
    pub(super) fn credential(&self, texts: &Texts) -> Option<Credential> {
        let content =
            texts.keys().into_iter().filter_map(|key| Some((key.clone(), texts.get(&key)?))).collect();
        self.read_back(&content)
    }

    /// The credential in a content.
    pub(super) fn read_back(&self, content: &Content) -> Option<Credential> {
        format::read_back(self.format, &self.options, content)
    }

    /// A digest of what the content depends on beside the user and the spec, so that a change of it is seen without reading the
    /// user. `None` where it depends on nothing else, and while the Portal cannot be read: what is not known has not changed.
    pub(super) fn digest(&self, key: &DigestKey) -> Option<String> {
        self.digest_with(key, self.surrounding_alias.clone())
    }

    /// The digest for a content with these values.
    pub(super) fn digest_of(&self, resource: &Resource, values: &Values) -> Option<String> {
        let alias = resource.surrounding(values.surroundings.secret_alias.as_deref(), values.generation);
        self.digest_with(&resource.ctx.installation.digest_key, alias.filter(|_| self.follows_entry))
    }

    fn digest_with(&self, key: &DigestKey, alias: Option<String>) -> Option<String> {
        let surroundings = self.with_alias(&self.known.as_ref()?.surroundings, alias);
        let used = format::used(self.format, &self.options, &surroundings)?;
        Some(key.digest(used.iter().map(|(name, text)| (*name, text.as_bytes()))))
    }
}

/// What is known of a data space: what the portal shows, and what the spec of the Portal says.
#[must_use]
pub fn surroundings(shown: Option<&Dataspace>, spec: Option<&Dataspace>) -> Surroundings {
    let values =
        |dataspace: Option<&Dataspace>| DataspaceValues::from(dataspace.cloned().unwrap_or_default());
    let DataspaceValues { did, wallet_url, bdrs_url, trusted_issuers } =
        DataspaceValues::used(&values(shown), &values(spec));
    Surroundings { did, wallet_url, bdrs_url, trusted_issuers, ..Surroundings::default() }
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
        layout_of(spec, &Known { surroundings: surroundings(None, Some(&dataspace)), ..Known::default() })
    }

    fn layout_of(spec: serde_json::Value, known: &Known) -> Layout {
        Layout::with(&serde_json::from_value(spec).unwrap(), Some(known))
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
            generation: 1,
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
            let dataspace = Dataspace {
                did: Some("did:web:x".to_owned()),
                wallet_url: Some("https://wallet.example.org".to_owned()),
                ..Dataspace::default()
            };
            let surroundings = surroundings(None, Some(&dataspace));
            let known = Known { bpn: Some("BPNL1".to_owned()), surroundings, ..Known::default() };
            let content = layout_of(spec, &known).placeholder().unwrap();
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
        let template = |text: &str| json!({"format": "Template", "template": {"a": text}});
        for unused in [json!({}), template("x"), json!({"format": "EdcEnv", "secretAlias": "edc"})] {
            assert_eq!(digest(unused.clone(), "did:web:x"), digest(unused, "did:web:y"));
        }
        assert_eq!(digest(json!({}), "did:web:x"), None);
        let uses = template("{{ did }}");
        assert_eq!(digest(uses.clone(), "did:web:x"), digest(uses.clone(), "did:web:x"));
        assert_ne!(digest(uses.clone(), "did:web:x"), digest(uses, "did:web:y"));
    }

    #[test]
    fn what_is_not_known_has_not_changed() {
        let spec = json!({"format": "Template", "template": {"a": "{{ did }}"}});
        let unknown = Layout::with(&serde_json::from_value(spec).unwrap(), None);
        assert_eq!(unknown.digest(&DigestKey::new(&[1; 32])), None);
    }
}
