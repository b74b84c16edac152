//! What the portal answers about companies (portal contract, section 2.9).

use serde_json::{Value, json};

use crate::config::CompanyRole;
use crate::endpoints::{Context, Outcome};
use crate::http::{Part, Reply};

pub(super) fn operators(context: &Context<'_>) -> Reply {
    let operators: Vec<Value> = context.core.read(|state| {
        let operators =
            state.companies.iter().filter(|company| company.roles.contains(&CompanyRole::Operator));
        operators.map(|company| json!({"operatorName": company.name, "bpn": company.bpn})).collect()
    });
    Reply::ok(&json!(operators))
}

pub(super) fn own(context: &Context<'_>) -> Outcome {
    let id = context.company()?;
    let body = context.core.read(|state| {
        state.company(id).map(|company| {
            let roles: Vec<&str> = company.roles.iter().map(|role| role.name()).collect();
            json!({
                "companyId": company.id, "name": company.name, "bpn": company.bpn,
                "shortName": company.name, "city": "Munich", "streetName": "Street",
                "countryAlpha2Code": "DE", "region": "BY", "streetAdditional": null,
                "streetNumber": "1", "zipCode": "80331", "companyRole": roles,
            })
        })
    });
    Ok(Reply::ok(&json!(body)))
}

pub(super) fn wallet_urls(context: &Context<'_>) -> Outcome {
    let id = context.company()?;
    let bpn = context.core.read(|state| state.company(id).and_then(|company| company.bpn.clone()));
    let wallet = context.core.origin(Part::Wallet);
    let did = format!("did:web:wallet.example.org:{}", bpn.as_deref().unwrap_or_default());
    Ok(Reply::ok(&json!({
        "trusted_issuer": "did:web:wallet.example.org:issuer", "participant_id": bpn, "iatp_id": did,
        "did_resolver": "https://bdrs.example.org/api/directory",
        "decentralIdentityManagementAuthUrl": format!("{wallet}/oauth/token"),
        "decentralIdentityManagementServiceUrl": format!("{wallet}/api/sts"),
    })))
}
