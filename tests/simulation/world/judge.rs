//! The judge: what must hold, in words. Once the people have stopped and nothing fails any more, the world matches the spec
//! within a bound of simulated time, and from then on nothing is written.

use std::collections::BTreeMap;
use std::time::Duration;

use portal_simulator::{Endpoint, Status, UserView};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::existing::selected_by;
use super::moments::selector;
use super::objects::is_ready;
use super::outputs::Places;
use super::secrecy::Secrets;
use super::{COMPANY, NAMESPACE, World};

/// Within this time the world matches the spec.
const WITHIN: Duration = Duration::from_hours(3);
/// Within this time what follows is written too.
const AFTERWARDS: Duration = Duration::from_mins(2);
/// A long list is read for a minute, and only in a small part of the time.
const SWEPT_WITHIN: Duration = Duration::from_hours(2);
/// Within this time a user that is deleted by hand has a successor: a sweep, some readings, a create.
const NOTICED_WITHIN: Duration = Duration::from_mins(15);
/// For this time nothing is written then.
const CALM: Duration = Duration::from_mins(20);
/// More requests to the apiserver and the portal in one simulated hour are a hot loop.
const MOST_REQUESTS: usize = 3000;

impl World {
    /// Waits until the world matches the spec, and checks that it is calm then and that no rule was broken.
    pub async fn comes_to_rest(&self) {
        let deadline = Instant::now() + WITHIN;
        let mut seen = None;
        let mut difference = None;
        loop {
            // What nothing has changed needs no other look.
            let changes = self.changes();
            if seen.replace(changes) != Some(changes) {
                self.confirm_a_loss().await;
                self.delete_what_is_in_the_way();
                difference = self.difference();
            }
            let Some(difference) = &difference else { break };
            if Instant::now() > deadline {
                self.fail(&format!("the world does not match the spec within {WITHIN:?}: {difference}"));
            }
            self.check();
            sleep(Duration::from_secs(5)).await;
        }
        self.sweeps_once_more().await;
        sleep(AFTERWARDS).await;
        let (version, requests) = (self.apiserver.version(), self.requests());
        sleep(CALM).await;
        if self.apiserver.version() != version {
            self.fail("something is written though the world is at rest");
        }
        let most = MOST_REQUESTS * usize::try_from(CALM.as_secs()).unwrap_or_default() / 3600;
        if self.requests() - requests > most {
            self.fail("too many requests though the world is at rest");
        }
        if let Some(difference) = self.difference() {
            self.fail(&format!("the world does not match the spec any more: {difference}"));
        }
        if let Some(valid) = self.moments.valid_although_compromised() {
            self.fail(&format!("a credential that others may know is valid: {valid}"));
        }
        self.check();
        self.check_secrecy();
    }

    /// Waits for a whole sweep: the status of the Portal has the counts of what it found.
    async fn sweeps_once_more(&self) {
        // Each sweep begins with the roles.
        let begun = |world: &Self| world.portal.count(Endpoint::Roles);
        let before = begun(self);
        self.until("the Portal is swept again", SWEPT_WITHIN, |world| begun(world) >= before + 2).await;
    }

    /// A person deletes a user in the portal. The next sweep shows that, and its resource gets another user.
    pub async fn notices_a_deletion(&self) {
        let users = self.ours_at_the_portal();
        let Some((name, user)) = users.iter().find_map(|(name, users)| Some((name, users.first()?))) else {
            return;
        };
        if self.below(3) != 0 {
            return;
        }
        self.delete_by_hand(name, user);
        let id = user.id.to_string();
        let noticed = |world: &Self| {
            world.user(name).is_none_or(|object| object["status"]["user"]["id"] != id.as_str())
        };
        self.until(&format!("the deletion of the user of {name} is noticed"), NOTICED_WITHIN, noticed).await;
        self.comes_to_rest().await;
    }

    /// The requests so far, those for the lease aside: they go on.
    fn requests(&self) -> usize {
        self.record.count_of(|line| !line.contains(" leases."))
    }

    /// How often something has changed at each server.
    fn changes(&self) -> [u64; 3] {
        [self.apiserver.version(), self.portal.changes_of_users(), self.vault.changes()]
    }

    /// Where the world differs from the spec.
    fn difference(&self) -> Option<String> {
        let users = self.users();
        let mut at_the_portal = self.ours_at_the_portal();
        let mut places = Places::default();
        for user in &users {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            if user["metadata"]["deletionTimestamp"].is_string() {
                return Some(format!("{name} is not gone"));
            }
            if let Some(selector) = selected_by(user) {
                if let Some(why) = self.existing_differs(user, selector, &mut places) {
                    return Some(why);
                }
                continue;
            }
            match at_the_portal.remove(name).unwrap_or_default().as_slice() {
                [one] => {
                    if let Some(why) = self.differs(name, user, one, &mut places) {
                        return Some(why);
                    }
                }
                several => return Some(format!("{name} has {} users at the portal", several.len())),
            }
        }
        let unclaimed = self.unclaimed();
        let is_listed =
            |user: &UserView| self.moments.may_be_left(user.id) && unclaimed.contains(&user.id.to_string());
        for (owner, users) in at_the_portal {
            if !users.iter().all(is_listed) {
                return Some(format!("{} users at the portal have no resource: {owner}", users.len()));
            }
        }
        let differs =
            self.left_over(&places).or_else(|| self.vault_differs()).or_else(|| self.made_differs());
        if let Some(left) = differs {
            return Some(left);
        }
        let clients = self.portal.orphaned_clients();
        (!clients.is_empty()).then(|| format!("clients without a user: {clients:?}"))
    }

    /// The users that the Portal lists as unclaimed: a create may be carried out long after its resource was deleted.
    fn unclaimed(&self) -> Vec<String> {
        let portal =
            self.apiserver.object("portals.technicaluser.dev", NAMESPACE, "portal").unwrap_or_default();
        let listed = portal["status"]["unclaimed"].as_array();
        listed.into_iter().flatten().filter_map(|user| user["id"].as_str().map(str::to_owned)).collect()
    }

    /// Where the credential that is published differs from that of the user.
    pub(super) fn differs(
        &self,
        name: &str,
        user: &Value,
        at_the_portal: &UserView,
        places: &mut Places,
    ) -> Option<String> {
        if !is_ready(user) {
            return Some(format!("{name} is not Ready"));
        }
        if at_the_portal.status != Status::Active {
            return Some(format!("the user of {name} is {:?}", at_the_portal.status));
        }
        if user["status"]["user"]["id"] != at_the_portal.id.to_string() {
            return Some(format!("the status of {name} names another user"));
        }
        let is_ours = selector(user).is_none();
        { is_ours }
            .then(|| self.rotation_differs(name, user, &at_the_portal.roles))
            .flatten()
            .or_else(|| self.outputs_differ((name, user), at_the_portal, places))
            .or_else(|| self.workloads_differ(name, user))
    }

    /// Where a Vault differs from what is needed.
    fn vault_differs(&self) -> Option<String> {
        self.apiserver.objects("vaults.technicaluser.dev").iter().find_map(|vault| {
            if !is_ready(vault) {
                return Some("the Vault is not Ready".to_owned());
            }
            let abandoned = vault["status"]["abandoned"].as_array().map_or(0, Vec::len);
            (abandoned > 0).then(|| format!("{abandoned} entries are listed that were left"))
        })
    }

    /// The users with our mark that are not deleted, by the name of their resource.
    pub(super) fn ours_at_the_portal(&self) -> BTreeMap<String, Vec<UserView>> {
        let mark = format!("[technicaluser.dev/1 sim/{NAMESPACE}/");
        let mut found: BTreeMap<String, Vec<UserView>> = BTreeMap::new();
        let is_there = |_, _: &str, status| status != Status::Deleted;
        for user in self.portal.view(|view| view.users_that(COMPANY, is_there)) {
            let owner = user.description.split_once(&mark).and_then(|(_, rest)| rest.split(' ').next());
            if let Some(owner) = owner {
                found.entry(owner.to_owned()).or_default().push(user.clone());
            }
        }
        found
    }

    /// The users with our mark that are not deleted, a line each.
    pub(super) fn list_of_our_users(&self) -> String {
        let line = |owner: &str, user: &UserView| {
            let (id, name, status) = (user.id, &user.name, user.status);
            format!(
                "{owner}: {id} {name} {status:?}, late: {}, {}",
                self.moments.may_be_left(id),
                user.description
            )
        };
        let users = self.ours_at_the_portal();
        let lines = users.iter().flat_map(|(owner, users)| users.iter().map(move |user| line(owner, user)));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// No secret is in what the operator writes, outputs aside.
    pub fn check_secrecy(&self) {
        let texts = [
            ("the log", self.log.text()),
            ("the resources", self.resources()),
            ("the metrics", self.metrics()),
        ];
        let of_vault = [self.vault.tokens(), vec![self.vault_login.lock().clone()]].concat();
        let of_vault = of_vault.into_iter().filter(|secret| !secret.is_empty());
        let secrets = Secrets::new(self.portal.secrets_handed_out().into_iter().chain(of_vault));
        for (what, text) in &texts {
            if secrets.occur_in(text) {
                self.fail(&format!("{what}: a secret occurs"));
            }
        }
    }
}
