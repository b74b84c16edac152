//! Roles that the company may give (portal contract, section 2.7).

use serde_json::{Value, json};

use crate::binding::Query;
use crate::endpoints::{Context, Outcome};
use crate::http::Reply;
use crate::version::Version;

pub(super) fn handle(context: &Context<'_>) -> Outcome {
    let company = context.company()?;
    let language = Query::read(context.request).text("languageShortName").unwrap_or_else(|| "en".to_owned());
    let described = matches!(language.as_str(), "en" | "de");
    let roles: Vec<Value> = context.core.read(|state| {
        let Some(company) = state.company(company) else { return Vec::new() };
        state
            .assignable_roles(company)
            .into_iter()
            .map(|role| {
                let description = role.description.as_ref().filter(|_| described);
                let mut entry =
                    json!({"roleId": role.id, "roleName": role.name, "roleDescription": description});
                if let Some(map) = entry.as_object_mut() {
                    if context.version >= Version::V2_3 {
                        let kind = if role.external { "External" } else { "Internal" };
                        map.insert("roleType".to_owned(), json!(kind));
                    }
                    if context.version >= Version::V2_4 {
                        map.insert("onlyAccessibleByProvider".to_owned(), json!(role.provider_only));
                    }
                }
                entry
            })
            .collect()
    });
    Ok(Reply::ok(&json!(roles)))
}
