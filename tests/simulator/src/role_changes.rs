//! What people change of the roles of technical users.

use uuid::Uuid;

use crate::idp::{IdpClient, TokenScopes};
use crate::people::Change;
use crate::simulator::Simulator;
use crate::state::RoleDef;

impl Simulator {
    /// Roles are given to a user and taken from it at the identity provider's console and in the portal's database, as
    /// upgrades of a realm do. Its next token shows them; the list of users shows nothing.
    pub fn set_roles_of_user<'a>(&self, user: Uuid, names: impl IntoIterator<Item = &'a str>) -> Change {
        let names: Vec<&str> = names.into_iter().collect();
        let in_database = self.change(|state| {
            let ids =
                state.roles.iter().filter(|role| names.contains(&role.name.as_str())).map(|role| role.id);
            let ids = ids.collect();
            let Some(found) = state.user_mut(user) else { return Change::NotFound };
            found.roles = ids;
            Change::Done
        });
        match in_database {
            Change::Done => self.set_roles_in_identity_provider(user, names),
            Change::NotFound => Change::NotFound,
        }
    }

    /// From now on tokens of technical users name the roles of other clients.
    pub fn set_token_scopes(&self, scopes: TokenScopes) {
        self.change(|state| state.idp.token_scopes = scopes);
    }

    /// Roles are given to a user and taken from it at the identity provider's console alone. Its next token shows them; the
    /// portal continues to show those of its database.
    pub fn set_roles_in_identity_provider<'a>(
        &self,
        user: Uuid,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Change {
        let names: Vec<&str> = names.into_iter().collect();
        self.change(|state| {
            let client_id = state.user(user).and_then(|found| found.client_id.clone());
            let roles: Vec<RoleDef> =
                state.roles.iter().filter(|role| names.contains(&role.name.as_str())).cloned().collect();
            let Some(client) = client_id.and_then(|client_id| state.idp.client_mut(&client_id)) else {
                return Change::NotFound;
            };
            let roles: Vec<&RoleDef> = roles.iter().collect();
            let (id, name, bpn) = (client.client_id.clone(), client.name.clone(), client.bpn.clone());
            let secret = client.secret.clone();
            *client = IdpClient { secret, ..IdpClient::new(id, &name, bpn, &roles) };
            Change::Done
        })
    }
}
