//! The order of a list page.
//!
//! The real portal sorts by name alone and leaves the order of equal names to the database, which answers a page
//! by the cheapest way for that page: a heap of as many rows as the page's end needs, or a sort of all. So equal
//! names stand in another order on each page, the same at each try (portal contract, section 2.1). This does what
//! the database does.

use std::cmp::Ordering;

/// By what the database sorts names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Collation {
    /// Punctuation before digits before letters, and letters before their case, as ICU and newer releases of glibc do.
    #[default]
    Language,
    /// As that, but punctuation counts only where all else is equal, as in older releases of glibc.
    LanguageWithoutPunctuation,
    /// By bytes, as in C.
    Bytes,
}

/// One page of rows sorted by name.
pub(crate) fn page<'a, T>(
    collation: Collation,
    rows: impl IntoIterator<Item = (&'a str, T)>,
    page: usize,
    size: usize,
) -> Vec<T> {
    let start = page.saturating_mul(size);
    let end = start.saturating_add(size);
    let mut keyed: Vec<Row<'a, T>> =
        rows.into_iter().map(|(name, row)| Row { key: Key::of(name, collation), row }).collect();
    // The database takes to the heap once it has seen twice as many rows as it needs.
    let sorted = if keyed.len() > end.saturating_mul(2) {
        first_by_heap(keyed, end)
    } else {
        keyed.sort_by(|a, b| a.key.cmp(&b.key));
        keyed
    };
    sorted.into_iter().skip(start).take(size).map(|row| row.row).collect()
}

struct Row<'a, T> {
    key: Key<'a>,
    row: T,
}

/// The order of names in the database's collation, bytes last. Only identical names are equal.
struct Key<'a> {
    /// What is compared first. For a language: the letters without their case, each after what sorts before it.
    base: Vec<u8>,
    name: &'a str,
}

impl<'a> Key<'a> {
    fn of(name: &'a str, collation: Collation) -> Self {
        if collation == Collation::Bytes {
            return Self { base: name.as_bytes().to_vec(), name };
        }
        let counts = |c: &char| collation == Collation::Language || c.is_alphanumeric();
        let mut base = Vec::with_capacity(2 * name.len());
        for c in name.chars().flat_map(char::to_lowercase).filter(counts) {
            base.push(if c.is_alphabetic() { 2 } else { u8::from(c.is_numeric()) });
            base.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Self { base, name }
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let upper_case = |name: &str| name.chars().map(char::is_uppercase).collect::<Vec<_>>();
        let by_case = || upper_case(self.name).cmp(&upper_case(other.name));
        self.base.cmp(&other.base).then_with(by_case).then_with(|| self.name.cmp(other.name))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Key<'_> {}

/// The first `bound` rows in order, by a bounded heap whose root is the last of them.
fn first_by_heap<'a, T>(rows: Vec<Row<'a, T>>, bound: usize) -> Vec<Row<'a, T>> {
    let mut heap: Vec<Row<'a, T>> = Vec::with_capacity(bound);
    for row in rows {
        if heap.len() < bound {
            heap.push(row);
            let last = heap.len() - 1;
            sift_up(&mut heap, last);
        } else if heap.first().is_some_and(|root| row.key < root.key) {
            if let Some(root) = heap.first_mut() {
                *root = row;
            }
            let length = heap.len();
            sift_down(&mut heap, length);
        }
    }
    for end in (1..heap.len()).rev() {
        heap.swap(0, end);
        sift_down(&mut heap, end);
    }
    heap
}

fn compare<T>(heap: &[Row<'_, T>], a: usize, b: usize) -> Ordering {
    match (heap.get(a), heap.get(b)) {
        (Some(a), Some(b)) => a.key.cmp(&b.key),
        // Both are always within the heap.
        _ => Ordering::Equal,
    }
}

fn sift_up<T>(heap: &mut [Row<'_, T>], mut at: usize) {
    while at > 0 {
        let parent = (at - 1) / 2;
        if compare(heap, at, parent) != Ordering::Greater {
            break;
        }
        heap.swap(at, parent);
        at = parent;
    }
}

/// Moves the root down within the first `length` rows.
fn sift_down<T>(heap: &mut [Row<'_, T>], length: usize) {
    let mut at = 0;
    loop {
        let mut child = 2 * at + 1;
        if child >= length {
            break;
        }
        if child + 1 < length && compare(heap, child, child + 1) == Ordering::Less {
            child += 1;
        }
        if compare(heap, at, child) != Ordering::Less {
            break;
        }
        heap.swap(at, child);
        at = child;
    }
}
