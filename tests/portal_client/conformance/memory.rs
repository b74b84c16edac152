//! A portal in memory. It shares nothing with the client for Catena-X, so that the trait has a second implementation.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use secrecy::ExposeSecret;
use technical_user_operator::domain::permissions::PermissionNames;
use technical_user_operator::domain::user::{
    Credential, Linked, NewUser, Role, RoleKind, UserDetails, UserId, UserKind, is_id,
};
use technical_user_operator::portal::{
    Absence, Capabilities, CreateFailure, CreateSlot, Effect, Lane, ListOrder, Login, Permissions, Portal,
    PortalError, Refusal, Scan, ScanProgress, ShownDataspace, TokenRoles, Verification,
};

use super::stored::{ROLES, Stored, details_of, kind_of, listed, role_of};

const COMPANY: &str = "BPNL00000MEMORY1";

const PERMISSIONS: PermissionNames = PermissionNames {
    view: "read",
    create: "create",
    delete: "delete",
    roles: "roles",
    login_role: None,
    deletion_role: None,
};

#[derive(Default)]
struct State {
    users: BTreeMap<UserId, Stored>,
    /// The number of ids and secrets that were given out.
    given: usize,
}

impl State {
    fn next(&mut self) -> usize {
        self.given += 1;
        self.given
    }
}

/// The portal through one login.
#[derive(Default, Clone)]
pub(super) struct MemoryPortal {
    state: Arc<Mutex<State>>,
    /// The companies that a token has to name, where it is bound to any.
    bound: Option<Vec<String>>,
    may_not_write: bool,
}

fn refused(refusal: Refusal) -> PortalError {
    PortalError::Refused { refusal, status: 409, code: "memory" }
}

impl MemoryPortal {
    /// The same portal, with a login that may not write.
    pub(super) fn reader(&self) -> Self {
        Self { may_not_write: true, ..self.clone() }
    }

    pub(super) fn link_connector(&self, id: &UserId) {
        let linked = Linked { id: "c1".to_owned(), name: Some("edc".to_owned()) };
        self.state().users.get_mut(id).unwrap().connector = Some(linked);
    }

    pub(super) fn finish_external(&self) {
        for (id, stored) in &mut self.state().users {
            stored.client_id.get_or_insert_with(|| format!("client-of-{id}"));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn enter(&self) -> Result<MutexGuard<'_, State>, PortalError> {
        match &self.bound {
            Some(companies) if *companies != [COMPANY] => Err(PortalError::OtherCompany),
            _ => Ok(self.state()),
        }
    }

    fn enter_to_write(&self) -> Result<MutexGuard<'_, State>, PortalError> {
        let state = self.enter()?;
        if self.may_not_write { Err(PortalError::Forbidden { permission: "write" }) } else { Ok(state) }
    }

    /// Changes one user.
    fn change<T>(
        &self,
        id: &UserId,
        change: impl FnOnce(&mut State, &mut Stored) -> Result<T, PortalError>,
    ) -> Result<T, PortalError> {
        check_id(id)?;
        let mut state = self.enter_to_write()?;
        let mut stored = state.users.get(id).cloned().ok_or(PortalError::NotFound)?;
        let changed = change(&mut state, &mut stored)?;
        if let Some(kept) = state.users.get_mut(id) {
            *kept = stored;
        }
        Ok(changed)
    }

    fn scan_of(&self, fits: impl Fn(&Stored) -> bool) -> Result<Scan, PortalError> {
        let state = self.enter()?;
        let mut users: Vec<_> = state.users.iter().filter(|(_, stored)| fits(stored)).map(listed).collect();
        users.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let order = ListOrder::of(users.iter().map(|user| user.name.as_str()));
        Ok(Scan { users, stable: true, complete: true, order })
    }
}

fn check_id(id: &UserId) -> Result<(), PortalError> {
    if is_id(id.as_str()) { Ok(()) } else { Err(refused(Refusal::Request)) }
}

#[async_trait]
impl Portal for MemoryPortal {
    async fn login(&self) -> Result<Login, PortalError> {
        let write = !self.may_not_write;
        Ok(Login {
            companies: vec![COMPANY.to_owned()],
            client_id: Some("login".to_owned()),
            delete_client_id: None,
            technical_roles: Vec::new(),
            permissions: Permissions {
                view: true,
                create: write,
                delete: write,
                roles: true,
                dataspace: false,
            },
            deletion_trouble: None,
        })
    }

    async fn forget_token(&self) {}

    async fn confirm(&self, _: &Login) -> Result<(), PortalError> {
        Ok(())
    }

    async fn confirm_deletion_login(&self, _: &str) -> Result<(), PortalError> {
        Err(PortalError::Unauthorized)
    }

    fn bound_to(self: Arc<Self>, companies: &[String]) -> Arc<dyn Portal> {
        Arc::new(Self { bound: Some(companies.to_vec()), ..(*self).clone() })
    }

    async fn capabilities(&self) -> Result<Capabilities, PortalError> {
        Ok(Capabilities {
            version: "memory",
            reports_deleted: true,
            deletes_external: true,
            permissions: PERMISSIONS,
        })
    }

    async fn roles(&self, _: Lane) -> Result<Vec<Role>, PortalError> {
        let role = |(id, name, kind): (&str, &str, _)| Role {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            provider_only: false,
            creates_users: false,
        };
        self.enter().map(|_| ROLES.into_iter().map(role).collect())
    }

    async fn scan(&self, _: Lane) -> Result<Scan, PortalError> {
        self.scan_of(|_| true)
    }

    fn scan_progress(&self) -> Option<ScanProgress> {
        None
    }

    async fn prove_absent(&self, beginning: &str, _: u64, _: Lane) -> Result<Absence, PortalError> {
        let is_there = |stored: &Stored| stored.name.starts_with(beginning);
        let state = self.enter()?;
        Ok(Absence { is_proved: !state.users.values().any(is_there), pages: 1 })
    }

    async fn narrow(&self, client_id: &str, _: Lane) -> Result<Scan, PortalError> {
        self.scan_of(|stored| stored.client_id.as_ref().is_some_and(|id| id.contains(client_id)))
    }

    async fn pending(&self, _: Lane) -> Result<Scan, PortalError> {
        self.scan_of(|stored| stored.client_id.is_none())
    }

    async fn details(&self, id: &UserId, _: Lane) -> Result<UserDetails, PortalError> {
        check_id(id)?;
        let state = self.enter()?;
        let stored = state.users.get(id).ok_or(PortalError::NotFound)?;
        Ok(details_of(id, stored))
    }

    fn named_token_url(&self) -> Option<String> {
        None
    }

    async fn dataspace(&self, _: Lane) -> Result<Option<ShownDataspace>, PortalError> {
        self.enter().map(|_| None)
    }

    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError> {
        self.enter().map(|_| Box::new(self.clone()) as Box<dyn CreateSlot>)
    }

    async fn update(&self, id: &UserId, name: &str, description: &str) -> Result<(), PortalError> {
        self.change(id, |_, stored| {
            name.clone_into(&mut stored.name);
            description.clone_into(&mut stored.description);
            Ok(())
        })
    }

    async fn reset(&self, id: &UserId) -> Result<(), PortalError> {
        self.change(id, |state, stored| {
            if kind_of(stored) == UserKind::External {
                return Err(refused(Refusal::State));
            }
            stored.secret = format!("secret-{}", state.next());
            Ok(())
        })
    }

    async fn delete(&self, id: &UserId) -> Result<(), PortalError> {
        self.change(id, |state, stored| {
            if stored.connector.is_some() {
                return Err(refused(Refusal::ConnectorLinked));
            }
            state.users.remove(id);
            Ok(())
        })
    }

    async fn verify(&self, credential: &Credential, _: Lane) -> Verification {
        let state = self.state();
        let is_it = |stored: &&Stored| stored.client_id.as_ref() == Some(&credential.client_id);
        match state.users.values().find(is_it) {
            Some(stored) if stored.secret == credential.secret().expose_secret() => {
                let technical = vec![role_of(stored).1.to_owned()];
                Verification::Accepted { roles: Some(TokenRoles { technical, digest: 0 }) }
            }
            found => Verification::Refused { unknown_client: found.is_none() },
        }
    }
}

#[async_trait]
impl CreateSlot for MemoryPortal {
    async fn create(self: Box<Self>, user: NewUser) -> Result<Vec<UserDetails>, CreateFailure> {
        let nothing = |error| CreateFailure { error, effect: Effect::None };
        let mut state = self.enter_to_write().map_err(nothing)?;
        let offered = |id: &String| ROLES.iter().position(|(offered, ..)| offered == id);
        let Some(role) = user.role_ids.first().and_then(offered) else {
            return Err(nothing(refused(Refusal::RoleNotOffered)));
        };
        let number = state.next();
        let internal = ROLES[role].2 == RoleKind::Internal;
        let stored = Stored {
            name: user.name,
            description: user.description,
            role,
            client_id: internal.then(|| format!("client-{number}")),
            secret: format!("secret-{number}"),
            connector: None,
        };
        let id = UserId::new(&format!("user-{number}"));
        let created = details_of(&id, &stored);
        state.users.insert(id, stored);
        Ok(vec![created])
    }
}
