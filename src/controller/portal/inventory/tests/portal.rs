//! A portal that is played: a list of users in pages, each page at one moment, and people who change it meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::{id, user};
use crate::domain::user::{ListedUser, UserId, UserStatus};
use crate::portal::test_support::Answers;
use crate::portal::{
    Absence, Filter, Lead, Order, Page, Pages, PortalError, Scan, prove_absent, scan_pages, scan_pending,
};

/// What people do to the list before the page of this number (of all pages that were read) is answered.
type People = Box<dyn FnMut(usize, &mut Vec<ListedUser>) -> Result<(), PortalError> + Send>;

pub(super) struct PlayedPortal {
    users: Mutex<Vec<ListedUser>>,
    people: Mutex<People>,
    /// How long a page takes.
    page_time: Duration,
    pages: AtomicUsize,
    scans: AtomicUsize,
    order: Mutex<Order>,
}

impl PlayedPortal {
    /// A list of this number of users of other names, of which all sort before ours.
    pub(super) fn with(count: usize) -> Self {
        let users = (0..count).map(|n| user(&format!("f{n}"), &format!("a-{n:05}"))).collect();
        Self {
            users: Mutex::new(users),
            people: Mutex::new(Box::new(|_, _| Ok(()))),
            page_time: Duration::from_millis(100),
            pages: AtomicUsize::new(0),
            scans: AtomicUsize::new(0),
            order: Mutex::default(),
        }
    }

    pub(super) fn page_time(mut self, time: Duration) -> Self {
        self.page_time = time;
        self
    }

    pub(super) fn and(self, user: ListedUser) -> Self {
        self.users.lock().push(user);
        self
    }

    pub(super) fn people(
        self,
        people: impl FnMut(usize, &mut Vec<ListedUser>) -> Result<(), PortalError> + Send + 'static,
    ) -> Self {
        self.behave(people);
        self
    }

    pub(super) fn behave(
        &self,
        people: impl FnMut(usize, &mut Vec<ListedUser>) -> Result<(), PortalError> + Send + 'static,
    ) {
        *self.people.lock() = Box::new(people);
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Vec<ListedUser>)) {
        change(&mut self.users.lock());
    }

    pub(super) fn remove(&self, text: &str) {
        self.change(|users| users.retain(|user| user.id != id(text)));
    }

    /// How many pages were read.
    pub(super) fn pages(&self) -> usize {
        self.pages.load(Ordering::SeqCst)
    }

    /// How many readings were begun.
    pub(super) fn scans(&self) -> usize {
        self.scans.load(Ordering::SeqCst)
    }
}

impl Pages for PlayedPortal {
    async fn page(&self, number: u32, size: u32, filter: Filter<'_>) -> Result<Page, PortalError> {
        tokio::time::sleep(self.page_time).await;
        let count = self.pages.fetch_add(1, Ordering::SeqCst);
        let mut users = self.users.lock();
        (self.people.lock())(count, &mut users)?;
        let fits = |user: &&ListedUser| match filter {
            Filter::All => true,
            Filter::ClientId(text) => user.client_id.as_ref().is_some_and(|id| id.contains(text)),
            Filter::Pending => user.status == UserStatus::Pending,
        };
        let mut listed: Vec<ListedUser> = users.iter().filter(fits).cloned().collect();
        // Equal names stand in another order on each page.
        listed.sort_by(|a, b| {
            a.name.cmp(&b.name).then_with(|| order(number, &a.id).cmp(&order(number, &b.id)))
        });
        let total = listed.len();
        let pages = u32::try_from(total.div_ceil(size as usize)).unwrap();
        let (number, size) = (number as usize, size as usize);
        let users: Vec<_> = listed.into_iter().skip(number * size).take(size).collect();
        let leads = users.iter().map(|user| Lead::of(&user.name)).collect();
        Ok(Page { users, leads, total: total as u64, pages })
    }
}

fn order(page: u32, id: &UserId) -> u32 {
    let sum = id.as_str().bytes().fold(page, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    sum.wrapping_mul(2_654_435_761) >> 8
}

#[async_trait]
impl Answers for PlayedPortal {
    async fn scan(&self) -> Result<Scan, PortalError> {
        self.scans.fetch_add(1, Ordering::SeqCst);
        scan_pages(self).await
    }

    async fn prove_absent(&self, beginning: &str, users: u64) -> Result<Absence, PortalError> {
        prove_absent(self, &self.order, (beginning, users)).await
    }

    async fn pending(&self) -> Result<Scan, PortalError> {
        scan_pending(self).await
    }
}
