use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::*;
use crate::api::portal::Company;
use crate::controller::inventory::{CompanyGate, Inventory, Listener};
use crate::controller::objects::Key;
use crate::domain::identity::{Hint, Mark, Owner, Pin};
use crate::domain::inventory::Changes;
use crate::domain::output::DigestKey;
use crate::domain::user::{Credential, Ownership, Role, UserDetails, UserKind};
use crate::metrics::Metrics;
use crate::portal::{CreateSlot, ListOrder, Login, Permissions, Portal, Scan, Verification};

const URL: &str = "https://portal.example.org";
const BPN: &str = "BPNL1";

/// A portal of which only the details of users matter: it answers each id as it is told, and counts.
pub(in crate::controller::portal) struct Details {
    pub(in crate::controller::portal) answer: PortalError,
    pub(in crate::controller::portal) asked: Mutex<Vec<UserId>>,
}

#[async_trait]
impl Portal for Details {
    async fn login(&self) -> Result<Login, PortalError> {
        Err(PortalError::NotFound)
    }
    async fn version(&self) -> Result<VersionRange, PortalError> {
        Ok(VersionRange::Later)
    }
    async fn roles(&self, _: Lane) -> Result<Vec<Role>, PortalError> {
        Ok(Vec::new())
    }
    async fn scan(&self, _: Lane) -> Result<Scan, PortalError> {
        // A list that takes no time could not be read twice.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Ok(Scan { users: Vec::new(), stable: true, complete: true, order: ListOrder::of([]) })
    }
    async fn details(&self, id: &UserId, _: Lane) -> Result<UserDetails, PortalError> {
        self.asked.lock().unwrap().push(id.clone());
        Err(self.answer.clone())
    }
    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError> {
        Err(PortalError::NotFound)
    }
    async fn update(&self, _: &UserId, _: &str, _: &str) -> Result<(), PortalError> {
        Ok(())
    }
    async fn reset(&self, _: &UserId) -> Result<(), PortalError> {
        Ok(())
    }
    async fn delete(&self, _: &UserId) -> Result<(), PortalError> {
        Ok(())
    }
    async fn verify(&self, _: &Credential, _: Lane) -> Verification {
        Verification::Accepted { roles: None }
    }
    fn token_url(&self) -> &'static str {
        ""
    }
}

/// Nobody hears of the list, which is never read here.
pub(in crate::controller::portal) struct Nobody;

#[async_trait]
impl Listener for Nobody {
    async fn list_read(&self, _: &Inventory, _: &Changes) {}
    fn search_ended(&self, _: Vec<Key>) {}
    fn sweep_ended(&self) {}
}

fn linked(answer: PortalError) -> (Arc<Details>, Connected) {
    let portal = Arc::new(Details { answer, asked: Mutex::default() });
    let seen: Arc<dyn Portal> = Arc::clone(&portal) as _;
    let inventory = Inventory::new(seen, CompanyGate::default(), Arc::new(Nobody), Metrics::default());
    let link = Connected {
        portal: Arc::clone(&portal) as Arc<dyn Portal>,
        url: URL.to_owned(),
        written_url: URL.to_owned(),
        token_url: String::new(),
        company: Some(BPN.to_owned()),
        pin: Pin::new(URL, Some(BPN)),
        login: Login {
            companies: vec![BPN.to_owned()],
            client_id: None,
            delete_client_id: None,
            technical_roles: Vec::new(),
            permissions: Permissions::default(),
            deletion_trouble: None,
        },
        version: VersionRange::Later,
        roles: Arc::default(),
        inventory: Arc::new(inventory),
    };
    (portal, link)
}

fn installation() -> Installation {
    Installation {
        instance: "prod".into(),
        hint: Hint::read("here"),
        digest_key: DigestKey::new(&[0; 32]),
        labels: std::collections::BTreeMap::new(),
    }
}

fn entry(id: &str, url: Option<&str>, bpn: Option<&str>) -> RetainedUser {
    RetainedUser {
        id: id.into(),
        client_id: None,
        name: None,
        technical_user: "connector/edc".into(),
        reason: "deletionPolicy is Retain".into(),
        since: "2026-11-26T00:00:00Z".into(),
        url: url.map(str::to_owned),
        bpn: bpn.map(str::to_owned),
    }
}

fn here(id: &str) -> RetainedUser {
    entry(id, Some(URL), Some(BPN))
}

fn listed(id: &str, status: UserStatus) -> ListedUser {
    let owner = Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc".into() };
    ListedUser {
        id: UserId::new(id),
        client_id: Some(format!("sa-{id}")),
        name: owner.user_name(1, None),
        kind: UserKind::Internal,
        status,
        ownership: Ownership::Own,
        is_owner: true,
        connector: None,
        offer: None,
    }
}

fn status(retained: Vec<RetainedUser>) -> PortalStatus {
    PortalStatus {
        company: Some(Company { bpn: BPN.into() }),
        retained,
        retained_omitted: Some(7),
        ..PortalStatus::default()
    }
}

async fn after(link: &Connected, mut status: PortalStatus, snapshot: &Snapshot) -> PortalStatus {
    let gone = gone(link, absent(link, &status, snapshot)).await;
    let found = found(&installation(), link, &status, unlisted(&status, snapshot));
    RetainedChanges { gone, found }.apply(&mut status);
    status
}

fn ids(status: &PortalStatus) -> Vec<&str> {
    status.retained.iter().map(|user| user.id.as_str()).collect()
}

#[tokio::test]
async fn an_entry_goes_when_the_details_of_its_id_answer_404() {
    let (portal, link) = linked(PortalError::NotFound);
    let snapshot = Snapshot::new(vec![listed("shown", UserStatus::Active)], true);
    let after = after(&link, status(vec![here("shown"), here("gone")]), &snapshot).await;
    assert_eq!(ids(&after), ["shown"]);
    assert_eq!(after.retained_omitted, None, "the list has room");
    assert_eq!(*portal.asked.lock().unwrap(), [UserId::new("gone")]);
}

#[tokio::test]
async fn nothing_is_concluded_for_another_portal_a_failing_one_or_an_incomplete_list() {
    let elsewhere = [
        entry("company", Some(URL), Some("BPNL2")),
        entry("portal", Some("https://other.example.org"), Some(BPN)),
    ];
    let (portal, link) = linked(PortalError::NotFound);
    let kept = after(&link, status(elsewhere.to_vec()), &Snapshot::new(vec![], true)).await;
    assert_eq!(ids(&kept), ["company", "portal"]);
    let kept = after(&link, status(vec![here("u1")]), &Snapshot::new(vec![], false)).await;
    assert_eq!(ids(&kept), ["u1"]);
    link.inventory.suspect_loss(Some(9));
    let kept = after(&link, status(vec![here("u1")]), &Snapshot::new(vec![], true)).await;
    assert_eq!(ids(&kept), ["u1"]);
    assert!(portal.asked.lock().unwrap().is_empty());
    for answer in [PortalError::Server { status: 500 }, PortalError::LostInIdentityProvider] {
        let (_, link) = linked(answer);
        let kept = after(&link, status(vec![here("u1")]), &Snapshot::new(vec![], true)).await;
        assert_eq!(ids(&kept), ["u1"]);
    }
}

#[tokio::test]
async fn an_entry_of_an_earlier_release_belongs_to_the_company_of_the_status() {
    let (_, link) = linked(PortalError::NotFound);
    let entries = || vec![entry("old", None, None)];
    assert!(ids(&after(&link, status(entries()), &Snapshot::new(vec![], true)).await).is_empty());
    let moved = PortalStatus { company: Some(Company { bpn: "BPNL2".into() }), ..status(entries()) };
    assert_eq!(ids(&after(&link, moved, &Snapshot::new(vec![], true)).await), ["old"]);
}

#[tokio::test]
async fn a_full_list_is_emptied_by_a_few_reads_per_sweep() {
    let (portal, link) = linked(PortalError::NotFound);
    let mut now = status((0..RETAINED_LIMIT).map(|number| here(&format!("u{number}"))).collect());
    let mut sweeps = 0;
    while !now.retained.is_empty() {
        let before = now.retained.len();
        now = after(&link, now, &Snapshot::new(vec![], true)).await;
        assert_eq!(before - now.retained.len(), READS_PER_SWEEP.min(before));
        sweeps += 1;
    }
    assert_eq!(sweeps, RETAINED_LIMIT.div_ceil(READS_PER_SWEEP));
    assert_eq!(portal.asked.lock().unwrap().len(), RETAINED_LIMIT);
}

#[tokio::test]
async fn a_user_whose_mark_says_that_it_is_retained_is_listed_while_there_is_room() {
    let (_, link) = linked(PortalError::Server { status: 500 });
    let owner = Owner { instance: "prod".into(), namespace: "connector".into(), name: "edc".into() };
    let mark = |retained, hint: &str| {
        Some(Mark { owner: owner.clone(), generation: 1, hint: Hint::read(hint), retained })
    };
    for (id, mark) in [
        ("retained", mark(true, "here")),
        ("managed", mark(false, "here")),
        ("of another cluster", mark(true, "there")),
        ("unmarked", None),
    ] {
        link.inventory.remember(&UserId::new(id), mark);
    }
    let users = ["retained", "managed", "of another cluster", "unmarked", "unread"];
    let users = users.iter().map(|id| listed(id, UserStatus::Active)).collect();
    let snapshot = Snapshot::new(users, true);
    let one = after(&link, status(vec![]), &snapshot).await;
    assert_eq!(ids(&one), ["retained"]);
    assert!(one.retained[0].found_by_mark());
    let full = status((0..RETAINED_LIMIT).map(|number| here(&format!("u{number}"))).collect());
    let still_full = after(&link, full.clone(), &snapshot).await;
    assert_eq!(still_full, full, "a full list stays as it is, and says how many it leaves out");
}
