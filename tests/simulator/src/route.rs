//! The portal's routes. As in ASP.NET, a path matches whatever its letter case, once the ingress has let the first
//! two segments through, which it compares exactly (portal contract, section 1).

use http::Method;

use crate::calls::Endpoint;

/// Where a path leads.
pub(crate) enum Route {
    /// To an endpoint, with the values of the path's parameters.
    Endpoint(Endpoint, Vec<String>),
    /// Nowhere by this method; these would be right.
    WrongMethod(String),
    /// Nowhere.
    Unknown,
}

type Methods = &'static [(Method, Endpoint)];

const USERS: &str = "serviceaccount/owncompany/serviceaccounts";

/// A parameter of a path is written `{}`. The first that fits counts.
const ROUTES: &[(&str, &str, Methods)] = &[
    (USERS, "", &[(Method::GET, Endpoint::List), (Method::POST, Endpoint::Create)]),
    (
        USERS,
        "/{}",
        &[
            (Method::GET, Endpoint::Details),
            (Method::PUT, Endpoint::Update),
            (Method::DELETE, Endpoint::Delete),
        ],
    ),
    (USERS, "/{}/resetcredentials", &[(Method::POST, Endpoint::Reset)]),
    ("serviceaccount/user/roles", "", &[(Method::GET, Endpoint::Roles)]),
    ("serviceaccount/callback", "/{}", &[(Method::POST, Endpoint::CallbackCreated)]),
    ("serviceaccount/callback", "/{}/delete", &[(Method::POST, Endpoint::CallbackDeleted)]),
    (
        "serviceaccount/callback",
        "/{}/retrigger-create-dim-technical-user",
        &[(Method::POST, Endpoint::RetriggerCreate)],
    ),
    (
        "serviceaccount/callback",
        "/{}/retrigger-delete-dim-technical-user",
        &[(Method::POST, Endpoint::RetriggerDelete)],
    ),
    ("errormessage", "", &[(Method::GET, Endpoint::ErrorMessage)]),
    ("staticdata/operator-bpn", "", &[(Method::GET, Endpoint::OperatorBpn)]),
    ("companydata/owncompanydetails", "", &[(Method::GET, Endpoint::OwnCompany)]),
    ("companydata/decentralidentity/urls", "", &[(Method::GET, Endpoint::WalletUrls)]),
    ("connectors", "", &[(Method::GET, Endpoint::ConnectorList), (Method::POST, Endpoint::ConnectorCreate)]),
    ("connectors/provided", "", &[(Method::GET, Endpoint::ConnectorList)]),
    ("connectors/managed", "", &[(Method::GET, Endpoint::ConnectorList)]),
    (
        "connectors",
        "/{}",
        &[(Method::GET, Endpoint::ConnectorDetails), (Method::DELETE, Endpoint::ConnectorDelete)],
    ),
    ("connectors", "/{}/connectorurl", &[(Method::PUT, Endpoint::ConnectorUpdate)]),
];

/// Finds the route of a path of the portal's host.
pub(crate) fn find(method: &Method, path: &str) -> Route {
    let Some(rest) = path.strip_prefix("/api/administration/") else {
        return Route::Unknown;
    };
    let segments: Vec<&str> = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
    for (head, tail, methods) in ROUTES {
        let template = format!("{head}{tail}");
        let Some(params) = matches(&template, &segments) else { continue };
        return match methods.iter().find(|(allowed, _)| allowed == method) {
            Some((_, endpoint)) => Route::Endpoint(*endpoint, params),
            None => Route::WrongMethod(allowed(methods)),
        };
    }
    Route::Unknown
}

fn allowed(methods: Methods) -> String {
    methods.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>().join(", ")
}

fn matches(template: &str, segments: &[&str]) -> Option<Vec<String>> {
    let wanted: Vec<&str> = template.split('/').collect();
    if wanted.len() != segments.len() {
        return None;
    }
    let mut params = Vec::new();
    for (want, have) in wanted.iter().zip(segments) {
        if *want == "{}" && !have.is_empty() {
            params.push((*have).to_owned());
        } else if !want.eq_ignore_ascii_case(have) {
            return None;
        }
    }
    Some(params)
}
