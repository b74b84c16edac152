//! Backups of the cluster, and restores: all objects are again what they were, while the portal goes on with what it has.

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
