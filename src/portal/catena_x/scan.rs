//! Reads the whole user list. Pages by offset lose users: when the list moves between two pages, and among users of one
//! name, whose order differs from page to page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::answer;
use super::client::Client;
use super::request::Call;
use crate::domain::user::{ListedUser, UserId};
use crate::portal::observe::Operation;
use crate::portal::{Lane, PortalError, Scan, VersionRange};

/// The most entries that the portal puts on a page (all versions).
const PAGE_SIZE: u32 = 15;

/// How often a reading is begun anew because the list moved.
const RESTARTS: u32 = 3;

/// A portal that tells more pages than this does not tell the truth.
const MOST_PAGES: u32 = 20_000;

/// All users of all statuses that the version has.
pub(super) async fn scan(client: &Client, version: VersionRange, lane: Lane) -> Result<Scan, PortalError> {
    let mut reading = read(client, version, lane, None).await?;
    for _ in 0..RESTARTS {
        if reading.stable {
            break;
        }
        reading = read(client, version, lane, None).await?;
    }
    if reading.stable {
        narrow(client, version, lane, &mut reading).await?;
    }
    let complete = reading.stable && reading.is_full();
    Ok(Scan { users: reading.users.into_values().collect(), stable: reading.stable, complete })
}

/// Lists are narrowed by client ids with so many digits in a row, which tells ten thousand users apart.
const LONGEST_FILTER: usize = 4;

/// Equal names hid some users. Smaller lists show them: one for each digit that a client id may hold, and where such a
/// list hides some as well, one for each pair of digits that begins with it, and so on.
async fn narrow(
    client: &Client,
    version: VersionRange,
    lane: Lane,
    reading: &mut Reading,
) -> Result<(), PortalError> {
    let mut filters: VecDeque<String> = (0..=9).map(|digit| digit.to_string()).collect();
    while let Some(filter) = filters.pop_front() {
        if reading.is_full() {
            return Ok(());
        }
        let narrowed = read(client, version, lane, Some(&filter)).await?;
        if !narrowed.is_full() && filter.len() < LONGEST_FILTER {
            filters.extend((0..=9).map(|digit| format!("{filter}{digit}")));
        }
        reading.users.extend(narrowed.users);
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
    /// Every page told the same total, and no page before the last was empty.
    stable: bool,
}

impl Reading {
    fn is_full(&self) -> bool {
        self.users.len() as u64 + self.repeated == self.total
    }
}

async fn read(
    client: &Client,
    version: VersionRange,
    lane: Lane,
    client_id: Option<&str>,
) -> Result<Reading, PortalError> {
    let mut reading = Reading { users: BTreeMap::new(), total: 0, repeated: 0, stable: true };
    let mut number = 0;
    loop {
        let call = Call::get(Operation::List, page_url(client, version, number, client_id));
        let page = answer::page(&client.read(&call, lane).await?)?;
        if number == 0 {
            reading.total = page.total;
        }
        let is_empty = page.users.is_empty();
        let distinct: BTreeSet<&UserId> = page.users.iter().map(|user| &user.id).collect();
        reading.repeated += (page.users.len() - distinct.len()) as u64;
        reading.users.extend(page.users.into_iter().map(|user| (user.id.clone(), user)));
        number += 1;
        let is_last = number >= page.pages;
        if page.total != reading.total || (is_empty && !is_last) {
            reading.stable = false;
            return Ok(reading);
        }
        if is_last {
            return Ok(reading);
        }
        if number >= MOST_PAGES {
            return Err(PortalError::BadAnswer { reason: "the user list has no end" });
        }
    }
}

fn page_url(client: &Client, version: VersionRange, page: u32, client_id: Option<&str>) -> url::Url {
    let mut url = client.address.page(page, PAGE_SIZE);
    {
        let mut query = url.query_pairs_mut();
        for status in ["ACTIVE", "PENDING", "INACTIVE"] {
            query.append_pair("userStatus", status);
        }
        if version >= VersionRange::V2_2 {
            query.append_pair("userStatus", "PENDING_DELETION");
        }
        if let Some(client_id) = client_id {
            query.append_pair("clientId", client_id);
        }
    }
    url
}
