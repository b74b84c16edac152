//! Reads the whole user list. Pages by offset omit users: when the list changes between two pages, and among users of one
//! name, whose order differs from page to page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::answer::{self, MOST_TEXT, MOST_USERS, Page, TOO_MANY_USERS};
use super::client::Client;
use super::request::Call;
use super::version::VersionRange;
use super::wire::PAGE_SIZE;
use crate::domain::user::{ListedUser, UserId};
use crate::portal::listing::Ordering;
use crate::portal::observe::Operation;
use crate::portal::{Lane, ListOrder, PortalError, Scan, ScanProgress};

/// How often a reading begins again because the list changed.
const RESTARTS: u32 = 3;

/// How many pages of smaller lists are read at most for users that equal names hid.
const MOST_NARROWED_PAGES: u32 = 10_000;

/// The progress of the running scan.
#[derive(Debug, Default)]
pub(super) struct Progress {
    read: AtomicU32,
    pages: AtomicU32,
}

impl Progress {
    pub(super) fn get(&self) -> ScanProgress {
        ScanProgress { read: self.read.load(Relaxed), pages: self.pages.load(Relaxed) }
    }

    fn set(&self, read: u32, pages: u32) {
        self.read.store(read, Relaxed);
        self.pages.store(pages, Relaxed);
    }
}

/// To which users a list is narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter<'a> {
    /// All of them.
    All,
    /// Those whose client ID contains a text.
    ClientId(&'a str),
    /// Those that the wallet service has not created yet.
    Pending,
}

/// The pages of a user list.
pub(crate) trait Pages: Sync {
    /// One page.
    fn page(
        &self,
        number: u32,
        size: u32,
        filter: Filter<'_>,
    ) -> impl Future<Output = Result<Page, PortalError>> + Send;

    /// The number of pages of the whole list that were read.
    fn came(&self, _read: u32, _pages: u32) {}
}

pub(super) struct PortalPages<'a> {
    pub(super) client: &'a Client,
    pub(super) version: VersionRange,
    pub(super) lane: Lane,
}

impl Pages for PortalPages<'_> {
    async fn page(&self, number: u32, size: u32, filter: Filter<'_>) -> Result<Page, PortalError> {
        let url = page_url(self.client, self.version, (number, size), filter);
        let page = answer::page(&self.client.read(&Call::get(Operation::List, url), self.lane).await?, size)?;
        self.client.order.lock().learn(&page.leads);
        Ok(page)
    }

    fn came(&self, read: u32, pages: u32) {
        self.client.progress.set(read, pages);
    }
}

/// All users of all statuses that the version has.
pub(super) async fn scan(client: &Client, version: VersionRange, lane: Lane) -> Result<Scan, PortalError> {
    scan_pages(&PortalPages { client, version, lane }).await
}

/// The users whose client ID contains a text.
pub(super) async fn narrow(
    client: &Client,
    version: VersionRange,
    client_id: &str,
    lane: Lane,
) -> Result<Scan, PortalError> {
    let pages = PortalPages { client, version, lane };
    Ok(read_stable(&pages, Filter::ClientId(client_id)).await?.finish())
}

/// The pending users.
pub(super) async fn pending(client: &Client, version: VersionRange, lane: Lane) -> Result<Scan, PortalError> {
    scan_pending(&PortalPages { client, version, lane }).await
}

/// Reads the list of the pending users.
pub(crate) async fn scan_pending(pages: &impl Pages) -> Result<Scan, PortalError> {
    Ok(read_stable(pages, Filter::Pending).await?.finish())
}

/// Reads the whole list.
pub(crate) async fn scan_pages(pages: &impl Pages) -> Result<Scan, PortalError> {
    let mut reading = read_stable(pages, Filter::All).await?;
    if reading.stable {
        show_hidden(pages, &mut reading).await?;
    }
    Ok(reading.finish())
}

async fn read_stable(pages: &impl Pages, filter: Filter<'_>) -> Result<Reading, PortalError> {
    let mut reading = read(pages, filter, PAGE_SIZE).await?;
    for _ in 0..RESTARTS {
        if reading.stable {
            break;
        }
        reading = read(pages, filter, PAGE_SIZE).await?;
    }
    Ok(reading)
}

/// Lists are narrowed by client ids with this number of digits in a row, which distinguishes ten thousand users.
const LONGEST_FILTER: usize = 4;

/// Other page sizes bring other orders of equal names, which show users that no narrow list did.
const OTHER_SIZES: [u32; 5] = [14, 13, 11, 8, 7];

/// Equal names hid some users. Smaller lists show them: one for each digit that a client id may hold, and where such a
/// list hides some as well, one for each pair of digits that begins with it, and so on. What is still hidden then has a
/// client id of one digit, which no filter sets apart; pages of other sizes may show it.
async fn show_hidden(pages: &impl Pages, reading: &mut Reading) -> Result<(), PortalError> {
    let digits = || (0..=9).map(|digit: u8| digit.to_string());
    let mut filters: VecDeque<(String, u32)> = digits().map(|digit| (digit, PAGE_SIZE)).collect();
    let mut others: VecDeque<(String, u32)> =
        OTHER_SIZES.iter().flat_map(|size| digits().map(move |digit| (digit, *size))).collect();
    // A user of another name was created since: counted as one of those that are hidden, it would hide one permanently.
    let names: BTreeSet<String> = if reading.is_full() {
        BTreeSet::new()
    } else {
        reading.users.values().map(|user| user.name.clone()).collect()
    };
    let mut read_pages = 0;
    while let Some((filter, size)) = filters.pop_front().or_else(|| others.pop_front()) {
        if reading.is_full() || read_pages >= MOST_NARROWED_PAGES {
            return Ok(());
        }
        let narrowed = read(pages, Filter::ClientId(&filter), size).await?;
        if !narrowed.is_full() && size == PAGE_SIZE && filter.len() < LONGEST_FILTER {
            filters.extend(digits().map(|digit| (format!("{filter}{digit}"), PAGE_SIZE)));
        }
        read_pages += narrowed.pages;
        reading.users.extend(narrowed.users.into_iter().filter(|(_, user)| names.contains(&user.name)));
        if reading.users.len() as u64 > MOST_USERS {
            return Err(TOO_MANY_USERS);
        }
    }
    Ok(())
}

/// One way through the pages.
struct Reading {
    users: BTreeMap<UserId, ListedUser>,
    total: u64,
    /// Entries that were on one page more than once: a user that two connectors are linked to is listed twice, and
    /// counted twice.
    repeated: u64,
    /// Every page reported the same total, and together they showed that many entries.
    stable: bool,
    order: ListOrder,
    /// How many pages were read.
    pages: u32,
}

impl Reading {
    fn is_full(&self) -> bool {
        self.users.len() as u64 + self.repeated == self.total
    }

    fn finish(self) -> Scan {
        let complete = self.stable && self.is_full();
        Scan { users: self.users.into_values().collect(), stable: self.stable, complete, order: self.order }
    }
}

async fn read(pages: &impl Pages, filter: Filter<'_>, size: u32) -> Result<Reading, PortalError> {
    let (mut users, mut order) = (BTreeMap::new(), Ordering::default());
    let (mut total, mut repeated, mut number, mut text) = (0, 0, 0, 0);
    let stable = loop {
        let page = pages.page(number, size, filter).await?;
        if number == 0 {
            total = page.total;
        }
        text += page.users.iter().map(answer::text_of).sum::<usize>();
        if text > MOST_TEXT {
            return Err(PortalError::BadAnswer {
                reason: "the names in the user list are too long to keep them all",
            });
        }
        let is_empty = page.users.is_empty();
        let distinct: BTreeSet<&UserId> = page.users.iter().map(|user| &user.id).collect();
        repeated += (page.users.len() - distinct.len()) as u64;
        page.users.iter().for_each(|user| order.push(&user.name));
        users.extend(page.users.into_iter().map(|user| (user.id.clone(), user)));
        number += 1;
        let is_last = number >= page.pages;
        if filter == Filter::All {
            pages.came(number, page.pages);
        }
        if page.total != total || (is_empty && !is_last) {
            break false;
        }
        if is_last {
            break order.names() == total;
        }
        // The total may be wrong, and so may the number of pages.
        if u64::from(number) * u64::from(size) >= MOST_USERS + u64::from(size) {
            return Err(PortalError::BadAnswer { reason: "the user list has no end" });
        }
    };
    Ok(Reading { users, total, repeated, stable, order: order.finish(), pages: number })
}

fn page_url(
    client: &Client,
    version: VersionRange,
    (page, size): (u32, u32),
    filter: Filter<'_>,
) -> url::Url {
    let mut url = client.address.page(page, size);
    {
        let mut query = url.query_pairs_mut();
        let statuses: &[&str] = match filter {
            Filter::Pending => &["PENDING"],
            _ if version >= VersionRange::V2_2 => &["ACTIVE", "PENDING", "INACTIVE", "PENDING_DELETION"],
            _ => &["ACTIVE", "PENDING", "INACTIVE"],
        };
        for status in statuses {
            query.append_pair("userStatus", status);
        }
        if let Filter::ClientId(client_id) = filter {
            query.append_pair("clientId", client_id);
        }
    }
    url
}
