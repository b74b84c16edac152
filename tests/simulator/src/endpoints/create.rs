//! Creation of technical users (portal contract, sections 2.2 and 4.5).

use http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use crate::auth::Identity;
use crate::binding::{Body, Unreadable};
use crate::endpoints::{Context, Outcome, shape};
use crate::errors::PortalError;
use crate::http::{Reply, Request};
use crate::idp::{IdpClient, IdpMoment};
use crate::state::user::Step;
use crate::state::{Company, Kind, Ownership, RoleDef, State, Status, User};
use crate::version::Version;
use crate::wallet;

/// Words of the authentication type; the first is the only one of use.
pub(super) const AUTHENTICATION: [&str; 4] = ["SECRET", "JWT", "X509", "SECRET_JWT"];
/// Longest name that the database column holds.
pub(super) const MAX_NAME: usize = 255;

struct Wanted {
    name: String,
    description: String,
    authentication: Option<&'static str>,
    roles: Vec<Uuid>,
}

fn read(request: &Request, version: Version) -> Result<Wanted, Unreadable> {
    let parameter =
        if version >= Version::V2_4 { "technicalUserCreationInfo" } else { "serviceAccountCreationInfo" };
    let mut body = Body::read(request, parameter)?;
    let mut wanted = Wanted {
        name: body.text("name", "Name"),
        description: body.text("description", "Description"),
        authentication: body.word("authenticationType", &AUTHENTICATION),
        roles: body.ids("roleIds", "UserRoleIds"),
    };
    body.finish()?;
    let mut seen = Vec::new();
    wanted.roles.retain(|id| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    Ok(wanted)
}

/// Only `SECRET` is supported; a missing word counts as the value 0.
pub(super) fn check_authentication(word: Option<&'static str>) -> Result<(), PortalError> {
    if word == Some("SECRET") {
        return Ok(());
    }
    Err(PortalError::argument("SERVICE_AUTH_SECRET_ARGUMENT")
        .param("authenticationType", word.unwrap_or("0")))
}

/// The database refuses a name that is too long, and the character that it has no place for.
pub(super) fn check_columns(name: &str, description: &str) -> Result<(), PortalError> {
    let reason = if name.chars().count() > MAX_NAME {
        "22001: value too long for type character varying(255)"
    } else if name.contains('\0') || description.contains('\0') {
        "22021: invalid byte sequence for encoding \"UTF8\": 0x00"
    } else {
        return Ok(());
    };
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let text = "the changes could not be saved, see the inner exception".to_owned();
    Err(PortalError::plain(status, "Microsoft.EntityFrameworkCore.Relational", [text])
        .inner("Npgsql", reason))
}

/// The roles by the kind of user that they make.
struct Plan {
    bpn: String,
    internal: Vec<Uuid>,
    external: Vec<Uuid>,
}

pub(super) async fn handle(context: &Context<'_>) -> Outcome {
    let identity = context.identity()?;
    let wanted = read(context.request, context.version)?;
    check_authentication(wanted.authentication)?;
    if wanted.name.trim().is_empty() {
        return Err(PortalError::argument("SERVICE_NAME_EMPTY_ARGUMENT").param("name", wanted.name).into());
    }
    let plan = context.core.read(|state| plan(state, identity.company, &wanted))?;
    let mut users = Vec::new();
    if !plan.internal.is_empty() {
        let client_id = create_client(context, &wanted.name, &plan)?;
        users.push(User {
            client_id: Some(client_id),
            ..draft(identity, &wanted, Kind::Internal, &plan.internal)
        });
    }
    if !plan.external.is_empty() {
        users.push(draft(identity, &wanted, Kind::External, &plan.external));
    }
    context.between_read_and_save(false).await;
    // From here on a failure leaves the client behind: the two stores know no common transaction.
    for user in &users {
        check_columns(&user.name, &user.description)?;
    }
    let body: Value = context.core.change(|state| {
        let answers = users
            .iter()
            .map(|user| {
                let client = user.client_id.as_deref().and_then(|id| state.idp.client(id));
                shape::user(state, user, client.map(|client| client.secret.as_str()), None)
            })
            .collect();
        state.users.extend(users.iter().cloned());
        answers
    });
    for user in users.iter().filter(|user| user.kind == Kind::External) {
        wallet::schedule(context.core, wallet::Task::Create, user.id);
    }
    Ok(Reply::ok(&body))
}

fn plan(state: &State, company: Uuid, wanted: &Wanted) -> Result<Plan, PortalError> {
    let Some(company) = state.company(company) else {
        return Err(PortalError::conflict("SERVICE_COMPANY_NOT_EXIST_CONFLICT").param("companyId", company));
    };
    let Some(bpn) = company.bpn.clone() else {
        return Err(PortalError::conflict("SERVICE_BPN_NOT_SET_CONFLICT").param("companyId", company.id));
    };
    let roles = asked_roles(state, company, &wanted.roles)?;
    // Provider-only roles are dropped without a word, except in the versions before (open bug of the portal).
    let kept = roles.iter().filter(|role| !role.provider_only || state.version < Version::V2_4);
    let (external, internal): (Vec<&RoleDef>, Vec<&RoleDef>) = kept.partition(|role| role.external);
    let ids = |roles: Vec<&RoleDef>| roles.into_iter().map(|role| role.id).collect();
    Ok(Plan { bpn, internal: ids(internal), external: ids(external) })
}

fn asked_roles<'a>(
    state: &'a State,
    company: &Company,
    asked: &[Uuid],
) -> Result<Vec<&'a RoleDef>, PortalError> {
    let assignable = state.assignable_roles(company);
    let list = |ids: Vec<String>| ids.join(",");
    let missing: Vec<String> = asked
        .iter()
        .filter(|id| !assignable.iter().any(|role| role.id == **id))
        .map(Uuid::to_string)
        .collect();
    if !missing.is_empty() {
        let allowed = assignable.iter().map(|role| role.id.to_string()).collect();
        return Err(PortalError::argument("SERVICE_ROLES_NOT_ASSIGN_ARGUMENT")
            .param("unassignable", list(missing))
            .param("userRoleIds", list(allowed)));
    }
    let roles: Vec<&RoleDef> = asked.iter().filter_map(|id| state.role(*id)).collect();
    if company.own_wallet && state.version >= Version::Main && roles.iter().any(|role| role.external) {
        let refused = roles.iter().filter(|role| role.external).map(|role| role.id.to_string()).collect();
        return Err(PortalError::argument("SERVICE_ACCOUNT_USER_ROLES_NOT_ALLOWED")
            .param("userRoleIds", list(refused)));
    }
    Ok(roles)
}

/// Makes the client at the identity provider; what fails after that leaves it behind.
fn create_client(context: &Context<'_>, name: &str, plan: &Plan) -> Result<String, PortalError> {
    let issuer = context.core.issuer();
    context.core.change(|state| {
        state.idp.call(IdpMoment::BeforeClient, &issuer)?;
        let client_id = state.idp.next_client_id();
        let roles: Vec<&RoleDef> = plan.internal.iter().filter_map(|id| state.role(*id)).collect();
        let client = IdpClient::new(client_id.clone(), name, Some(plan.bpn.clone()), &roles);
        state.note_secret(&client.secret);
        state.idp.clients.push(client);
        state.idp.call(IdpMoment::AfterClient, &issuer)?;
        Ok(client_id)
    })
}

fn draft(identity: &Identity, wanted: &Wanted, kind: Kind, roles: &[Uuid]) -> User {
    let external = kind == Kind::External;
    User {
        id: crate::random::uuid(),
        company: identity.company,
        provider: None,
        ownership: Ownership::Own,
        kind,
        client_id: None,
        name: if external { format!("dim-{}", wanted.name) } else { wanted.name.clone() },
        description: wanted.description.clone(),
        status: if external { Status::Pending } else { Status::Active },
        roles: roles.to_vec(),
        wallet: None,
        process: external.then(|| (crate::random::uuid(), Step::AwaitCreated)),
        offer: None,
        editor: Some(identity.editor.clone()),
        revision: 0,
    }
}
