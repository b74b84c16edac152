//! Backups of the cluster or of the portal, and restores: one of them is again what it was, while the other goes on with what it has.

use std::collections::BTreeSet;

use super::swarm::Trouble;
use super::{NAMESPACE, World};

/// What the operator recognizes its users by. A backup without it brings back another installation.
const IDENTITY: &str = "technical-user-operator-sim";

impl World {
    /// A backup of etcd is made, sometimes.
    pub fn back_up_sometimes(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::RestoredCluster) || self.below(2) == 0 {
            return;
        }
        if self.apiserver.object("secrets", NAMESPACE, IDENTITY).is_some() {
            self.record.add("a backup of the cluster is made");
            *self.cluster_backup.lock() = Some(self.apiserver.back_up());
        }
    }

    /// The portal is restored from its last backup, or one is made, sometimes.
    pub fn restore_portal_sometimes(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::RestoredPortal) || self.below(2) == 0 {
            return;
        }
        let mut backup = self.portal_backup.lock();
        let Some(last) = backup.take_if(|_| self.below(2) == 0 && self.may_change()) else {
            self.record.add("a backup of the portal is made");
            *backup = Some(self.portal.back_up());
            return;
        };
        self.record.add("the portal is restored from a backup");
        self.portal.restore(&last);
        self.moments.portal_is_restored();
    }

    /// Whether the cluster is going to be restored from a backup, after the end of all processes.
    pub fn may_restore(&self, troubles: &BTreeSet<Trouble>) -> bool {
        troubles.contains(&Trouble::RestoredCluster)
            && self.below(2) == 0
            && self.cluster_backup.lock().is_some()
            && self.may_change()
    }

    /// The cluster is restored from the last backup.
    pub fn restore_cluster(&self) {
        let Some(backup) = self.cluster_backup.lock().take() else { return };
        self.record.add("the cluster is restored from a backup");
        self.apiserver.restore(&backup);
        self.moments.cluster_is_restored();
    }
}
