//! Backups of the portal with its identity provider and the wallet, all of one moment, and restores.

use crate::idp::IdpClient;
use crate::simulator::Simulator;
use crate::state::{Connector, User};
use crate::wallet;

/// What they know at one moment: users with their credentials, and connectors.
#[derive(Clone, Debug)]
pub struct Backup {
    users: Vec<User>,
    connectors: Vec<Connector>,
    clients: Vec<IdpClient>,
    sequence: u64,
    wallet: wallet::Backup,
}

impl Simulator {
    /// A backup.
    #[must_use]
    pub fn back_up(&self) -> Backup {
        self.core.read(|state| Backup {
            users: state.users.clone(),
            connectors: state.connectors.clone(),
            clients: state.idp.clients.clone(),
            sequence: state.idp.sequence(),
            wallet: state.wallet.back_up(),
        })
    }

    /// All is again as it was at the backup, client IDs included: the next ones are given a second time. Tokens stay valid, and what was
    /// sent and is not carried out yet is carried out afterwards. What the wallet had to do then it does at once.
    pub fn restore(&self, backup: &Backup) {
        let url = wallet::reported_url(&self.core);
        let backup = backup.clone();
        self.change(|state| {
            *state.users = backup.users;
            state.connectors = backup.connectors;
            state.idp.restore(backup.clients, backup.sequence);
            state.wallet.restore(backup.wallet);
            wallet::run_due(state, &url);
        });
    }
}
