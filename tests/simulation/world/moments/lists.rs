//! What the portal's list has shown to each process, from the pages that it got.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::Moments;
use crate::world::neighbours;

/// The readings of all processes.
#[derive(Debug, Default)]
pub struct Lists(BTreeMap<String, Reader>);

/// The readings of one process.
#[derive(Debug, Default)]
struct Reader {
    /// The pages of the reading in progress, or of the last one.
    reading: Reading,
    ended: Vec<Shown>,
}

/// A way through the pages, as far as it has come.
#[derive(Debug, Default)]
struct Reading {
    pages: Vec<Page>,
    /// Users that equal names hid, and that narrower lists showed.
    unhidden: BTreeSet<Uuid>,
    others: Users,
    is_complete: bool,
}

/// The users, neighbours aside.
type Users = BTreeMap<Uuid, Entry>;

/// What the list shows of a user.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    offer: Value,
}

impl Entry {
    /// Whether a user may have what selects it. The list shows no roles.
    fn fits(&self, selector: &Value) -> bool {
        let (wanted, subscription) = (&selector["offer"], &selector["offer"]["subscriptionId"]);
        selector["name"] == *self.name
            || wanted.is_object()
                && self.offer["name"] == wanted["name"]
                && (subscription.is_null() || self.offer["subscriptionId"] == *subscription)
    }
}

#[derive(Debug)]
struct Page {
    total: u64,
    count: u64,
    pages: u64,
    entries: Vec<(Uuid, Entry)>,
}

/// What a reading has shown when it ended.
#[derive(Debug)]
pub struct Shown {
    at: Instant,
    /// Its pages together showed as many users as each of them counted.
    pub is_complete: bool,
    /// The users that it showed. If it is not complete, also those of the last one that is.
    users: Users,
}

impl Shown {
    /// The users that a name or an offer selects.
    pub fn selected(&self, selector: &Value) -> impl Iterator<Item = Uuid> {
        self.users.iter().filter(move |(_, own)| own.fits(selector)).map(|(id, _)| *id)
    }
}

impl Moments {
    /// A process got a page of the list.
    pub fn listed(&self, process: &str, query: &str, body: &[u8]) {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // A list of the pending users says nothing of the others.
        if pairs
            .iter()
            .filter(|(name, _)| name == "userStatus")
            .eq([&("userStatus".into(), "PENDING".into())])
        {
            return;
        }
        let query: BTreeMap<_, _> = pairs.into_iter().collect();
        // Other pages are read to find out whether the login may do that.
        if !query.contains_key("userStatus") {
            return;
        }
        // So are smaller ones, for the place of a single name.
        if !query.contains_key("clientId") && query.get("size").is_none_or(|size| size != "15") {
            return;
        }
        let number = query.get("page").and_then(|number| number.parse().ok()).unwrap_or_default();
        let Some(page) = serde_json::from_slice(body).ok().and_then(|body: Value| Page::of(&body)) else {
            return;
        };
        let mut state = self.0.state.lock();
        let reader = state.lists.0.entry(process.to_owned()).or_default();
        match query.get("clientId") {
            None => reader.page(number, page),
            // What is to show the users that equal names hide. A whole client ID is read for one resource only.
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => reader.narrowed(page),
            Some(_) => {}
        }
    }
}

impl Page {
    fn of(body: &Value) -> Option<Self> {
        let content = body["content"].as_array()?;
        let entry = |entry: &Value| {
            let (name, offer) = (entry["name"].as_str()?.to_owned(), entry["offer"].clone());
            Some((entry["serviceAccountId"].as_str()?.parse().ok()?, Entry { name, offer }))
        };
        Some(Self {
            total: body["meta"]["totalElements"].as_u64()?,
            pages: body["meta"]["totalPages"].as_u64()?,
            count: content.len() as u64,
            entries: content.iter().filter_map(entry).collect(),
        })
    }
}

impl Reading {
    fn total(&self) -> u64 {
        self.pages.first().map_or(0, |page| page.total)
    }

    /// Whether no other page follows.
    fn is_ended(&self) -> bool {
        let last = self.pages.last();
        last.is_some_and(|last| last.total != self.total() || self.pages.len() as u64 >= last.pages)
    }

    fn is_stable(&self) -> bool {
        let count: u64 = self.pages.iter().map(|page| page.count).sum();
        self.pages.iter().all(|page| page.total == self.total()) && count == self.total()
    }

    fn is_full(&self) -> bool {
        let shown = self.pages.iter().flat_map(|page| &page.entries).map(|(id, _)| id);
        shown.chain(&self.unhidden).collect::<BTreeSet<_>>().len() as u64 == self.total()
    }
}

impl Reader {
    fn page(&mut self, number: usize, page: Page) {
        if number == 0 {
            self.reading = Reading::default();
        }
        // A page is read again if its answer is lost.
        self.reading.pages.truncate(number);
        if self.reading.pages.len() < number {
            return;
        }
        let others = page.entries.iter().filter(|(_, entry)| !neighbours::is_one(&entry.name));
        self.reading.others.extend(others.cloned());
        self.reading.pages.push(page);
        if self.reading.is_ended() {
            self.end();
        }
    }

    fn narrowed(&mut self, page: Page) {
        let reading = &mut self.reading;
        if reading.is_complete || !reading.is_ended() || !reading.is_stable() {
            return;
        }
        // One of another name was created since.
        let names: BTreeSet<_> =
            reading.pages.iter().flat_map(|page| &page.entries).map(|(_, entry)| &entry.name).collect();
        let is_hidden = |(_, entry): &(Uuid, Entry)| names.contains(&entry.name);
        let unhidden: Vec<_> = page.entries.into_iter().filter(is_hidden).collect();
        reading.unhidden.extend(unhidden.iter().map(|(id, _)| *id));
        reading.others.extend(unhidden.into_iter().filter(|(_, entry)| !neighbours::is_one(&entry.name)));
        if reading.is_full() {
            self.end();
        }
    }

    fn end(&mut self) {
        self.reading.is_complete = self.reading.is_stable() && self.reading.is_full();
        let mut users = self.reading.others.clone();
        if !self.reading.is_complete {
            let complete = self.ended.iter().rfind(|shown| shown.is_complete);
            users.extend(complete.into_iter().flat_map(|shown| shown.users.clone()));
        }
        self.ended.push(Shown { at: Instant::now(), is_complete: self.reading.is_complete, users });
    }
}

impl Lists {
    /// What a process may go by: the last complete reading that was over so long ago, and all later ones.
    pub fn of(&self, process: &str, shortly: Duration) -> &[Shown] {
        let Some(reader) = self.0.get(process) else { return &[] };
        let is_old = |shown: &Shown| shown.is_complete && shown.at.elapsed() > shortly;
        let from = reader.ended.iter().rposition(is_old).unwrap_or_default();
        &reader.ended[from..]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(total: u64, names: &[(u128, &str)]) -> Page {
        let content: Vec<_> = names
            .iter()
            .map(|(id, name)| json!({ "serviceAccountId": Uuid::from_u128(*id), "name": name }))
            .collect();
        let meta = json!({ "totalElements": total, "totalPages": total.div_ceil(2) });
        Page::of(&json!({ "meta": meta, "content": content })).unwrap()
    }

    fn last(reader: &Reader) -> (bool, Vec<u128>) {
        let shown = reader.ended.last().unwrap();
        (shown.is_complete, shown.selected(&json!({ "name": "twin" })).map(|id| id.as_u128()).collect())
    }

    #[tokio::test]
    async fn a_reading_is_complete_if_its_pages_show_all_that_they_count() {
        let mut reader = Reader::default();
        reader.page(0, page(4, &[(1, "a"), (2, "twin")]));
        assert!(reader.ended.is_empty());
        reader.page(1, page(4, &[(3, "twin"), (4, "z")]));
        assert_eq!(last(&reader), (true, vec![2, 3]));
        // The list is another one meanwhile, and what was shown before still counts.
        reader.page(0, page(4, &[(2, "twin"), (4, "z")]));
        reader.page(1, page(5, &[(5, "z"), (6, "z")]));
        assert_eq!(last(&reader), (false, vec![2, 3]));
        // Equal names hide one, which a narrower list shows.
        reader.page(0, page(4, &[(1, "a"), (2, "twin")]));
        reader.page(1, page(4, &[(2, "twin"), (4, "z")]));
        assert_eq!(last(&reader), (false, vec![2, 3]));
        reader.narrowed(page(1, &[(7, "another")]));
        assert!(!last(&reader).0);
        reader.narrowed(page(1, &[(3, "twin")]));
        assert_eq!(last(&reader), (true, vec![2, 3]));
        // A page that is read twice counts once.
        reader.page(0, page(3, &[(1, "a"), (2, "twin")]));
        reader.page(0, page(3, &[(1, "a"), (2, "twin")]));
        reader.page(1, page(3, &[(4, "z")]));
        assert_eq!(last(&reader), (true, vec![2]));
    }
}
