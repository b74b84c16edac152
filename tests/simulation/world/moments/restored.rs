//! What the judge knows after a restore from a backup: what the objects of the cluster say now, and which users at the portal no object
//! can name.

use std::collections::BTreeMap;
use std::sync::Arc;

use portal_simulator::Status;
use tokio::time::Instant;

use super::secrets::{credential, owner};
use super::{COMPANY, Known, Moments, State};
use crate::apiserver::Change;

impl Moments {
    /// The cluster was restored from a backup. All processes have ended before.
    pub fn cluster_is_restored(&self) {
        self.see_portal();
        let mut state = self.0.state.lock();
        let state = &mut *state;
        state.restored = Some(Instant::now());
        state.attempts.clear();
        state.named.clear();
        state.rotations.forget();
        state.holds = super::holds::Holds::default();
        let users = self.0.apiserver.objects("technicalusers.technicaluser.dev");
        for object in &users {
            let change = Change::of_object("technicalusers.technicaluser.dev", Arc::clone(object));
            Self::outputs_named(state, &change);
            self.rotation_changed(state, &change);
            state.holds.changed(&change);
        }
        self.publications_restored(state);
        let portals = self.0.apiserver.objects("portals.technicaluser.dev");
        let is_suspended = portals.iter().any(|portal| portal["spec"]["suspend"] == true);
        state.suspended = is_suspended.then(Instant::now);
        // Nobody creates the resources again, or they are deleted at once: the Portal lists their users as unclaimed.
        let is_held = |owner: &str| {
            let object = users.iter().find(|user| user["metadata"]["name"] == owner);
            object.is_some_and(|object| object["metadata"]["finalizers"].is_array())
        };
        let is_left = |user: &&Known| user.owner.as_deref().is_some_and(|owner| !is_held(owner));
        state.forgotten.extend(state.users.values().filter(is_left).map(|user| user.view.id));
    }

    /// The portal was restored from a backup. A user that was deleted since is there again, which may be one too many.
    pub fn portal_is_restored(&self) {
        let mut state = self.0.state.lock();
        let present = self.0.portal.view(|view| view.users_that(COMPANY, |_, _: &str, _| true));
        let present: BTreeMap<_, _> = present.into_iter().map(|user| (user.id, user.status)).collect();
        for (id, user) in &mut state.users {
            match present.get(id) {
                None => user.vanishes(),
                Some(Status::Active | Status::Pending) if !user.serves_or_will() => user.late = true,
                Some(_) => {}
            }
        }
        state.seen = None;
        drop(state);
        self.see_portal();
    }

    fn publications_restored(&self, state: &mut State) {
        let secrets = self.0.apiserver.objects("secrets");
        let held = secrets.iter().filter_map(|secret| Some((owner(secret)?.to_owned(), credential(secret)?)));
        state.published = held.collect();
    }
}
