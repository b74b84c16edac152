//! A bisection proves nothing that is not so, whatever happens to the list meanwhile, and it ends soon.

use proptest::collection::vec;

use super::*;

/// A list as a portal has it.
struct List {
    names: Vec<String>,
    compare: Compare,
}

impl List {
    fn new(names: Vec<String>, collation: Collation) -> Self {
        let mut list = Self { names, compare: collation.comparator() };
        list.sort();
        list
    }

    fn sort(&mut self) {
        let compare = &self.compare;
        self.names.sort_by(|a, b| compare(a, b));
    }

    fn page(&self, (size, number): (u32, u32)) -> (Vec<Lead>, u64, u32) {
        let (size, number) = (size as usize, number as usize);
        let leads = self.names.iter().skip(size * number).take(size).map(|name| Lead::of(name)).collect();
        (leads, self.names.len() as u64, u32::try_from(self.names.len().div_ceil(size)).unwrap())
    }

    /// Teaches what a scan shows.
    fn scanned(&self) -> Order {
        let mut order = Order::default();
        for number in 0..u32::try_from(self.names.len().div_ceil(15)).unwrap() {
            order.learn(&self.page((15, number)).0);
        }
        order
    }
}

/// Looks for a beginning; before each page, the list may change.
fn look(
    list: &mut List,
    beginning: &str,
    order: &mut Order,
    mut meanwhile: impl FnMut(usize, &mut List),
) -> (Option<Outcome>, u32) {
    let mut walk = Walk::new(beginning, list.names.len() as u64);
    let mut outcome = None;
    while let (None, Some(asked)) = (outcome, walk.next()) {
        meanwhile(walk.pages() as usize, list);
        let (leads, total, pages) = list.page(asked);
        order.learn(&leads);
        outcome = walk.take(asked, Answer { leads: &leads, total, pages }, order);
    }
    (outcome, walk.pages())
}

fn ours(number: u64) -> String {
    owner_name(number)[..9].to_owned()
}

/// Names of ours, and of people.
fn names(count: u64) -> Vec<String> {
    let words =
        ["edc", "App One", "SAP", "wallet", "Connector", "dim-edc", "bpdm", "umbrella", "Zeta", "xyz"];
    let name = |n: u64| {
        let word = words[usize::try_from(n / 2 % 10).unwrap()];
        if n.is_multiple_of(2) { owner_name(n) } else { format!("{word}-{n}") }
    };
    (0..count).map(name).collect()
}

#[test]
fn a_name_is_proved_absent_by_about_ten_pages_of_a_long_list() {
    for (users, most, per_name) in [(150, 9, 5), (1000, 12, 8), (11_000, 15, 11)] {
        for collation in Collation::PLAIN {
            let mut list = List::new(names(users), collation);
            let (mut order, mut proved, mut read) = (list.scanned(), 0, 0);
            for number in 0..50 {
                for beginning in [ours(100_000 + number), format!("dim-{}", ours(100_000 + number))] {
                    let (outcome, pages) = look(&mut list, &beginning, &mut order, |_, _| {});
                    assert_ne!(outcome, Some(Outcome::Shown));
                    assert!(pages <= most, "{pages} pages of {users} users under {collation:?}");
                    proved += u32::from(outcome == Some(Outcome::Absent));
                    read += pages;
                }
            }
            assert!(proved >= 90, "{proved} of 100 with {users} users under {collation:?}");
            assert!(read <= per_name * 100, "{read} pages of {users} users under {collation:?}");
        }
    }
}

#[test]
fn a_name_that_is_there_is_shown() {
    for collation in Collation::PLAIN {
        for users in [0, 1, 14, 15, 16, 30, 100, 1000] {
            let own = owner_name(100_000);
            let mut list = List::new(names(users).into_iter().chain([own]).collect(), collation);
            let (outcome, _) = look(&mut list, &ours(100_000), &mut Order::default(), |_, _| {});
            assert_ne!(outcome, Some(Outcome::Absent), "{users} users under {collation:?}");
        }
    }
}

#[test]
fn the_ends_of_the_list_are_ends() {
    let at = |names: &[&str], beginning: &str| {
        let names = names.iter().map(ToString::to_string).collect();
        look(&mut List::new(names, Collation::Bytes), beginning, &mut Order::default(), |_, _| {}).0
    };
    assert_eq!(at(&[], "tm5n12345"), Some(Outcome::Absent));
    assert_eq!(at(&["u-1"], "tm5n12345"), Some(Outcome::Absent));
    assert_eq!(at(&["a-1"], "tm5n12345"), Some(Outcome::Absent));
    assert_eq!(at(&["a-1", "u-1"], "tm5n12345"), Some(Outcome::Absent));
    // Full pages of any of the sizes.
    let many: Vec<String> = (0..360).map(|n| format!("a-{n:03}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(at(&many, "tm5n12345"), Some(Outcome::Absent));
    // It may stand between them or behind.
    assert_eq!(
        at(&["a-1", "Umbrella", "\u{fc}-1"], "tm5n12345"),
        Some(Outcome::Absent),
        "at the end of the list"
    );
    assert_ne!(at(&["Umbrella"; 40], "tm5n12345"), Some(Outcome::Absent));
}

#[test]
fn two_pages_prove_nothing_together() {
    // The page that shows what is before it is read first. The name moves to it before the other one is read.
    let mut walk = Walk::new("tm5n12345", 30);
    let order = Order::default();
    let page = |name: &str| vec![Lead::of(name); 15];
    let (before, behind) = (page("a-1"), page("u-1"));
    let answer = |leads| Answer { leads, total: 30, pages: 2 };
    assert_eq!(walk.take((15, 0), answer(before.as_slice()), &order), None);
    assert_eq!(walk.take((15, 1), answer(behind.as_slice()), &order), None);
}

#[test]
fn only_a_page_that_is_not_full_shows_the_end() {
    let order = Order::default();
    let leads = vec![Lead::of("a-1"); 15];
    let take = |count: usize, total, pages| {
        let answer = Answer { leads: leads.get(..count).unwrap(), total, pages };
        Walk::new("tm5n12345", total).take((15, 1), answer, &order)
    };
    assert_eq!(take(14, 29, 2), Some(Outcome::Absent));
    // The total may be of another moment.
    assert_eq!(take(15, 30, 2), None);
    assert_eq!(take(15, 31, 3), None);
}

#[test]
fn a_portal_that_takes_the_size_for_another_proves_nothing() {
    let order = Order::default();
    for (leads, total, pages) in [(10, 30, 2), (10, 30, 3), (15, 30, 3), (16, 30, 2)] {
        let leads: Vec<Lead> = (0..leads).map(|n| Lead::of(if n < 5 { "a-1" } else { "u-1" })).collect();
        let taken = Walk::new("tm5n12345", 30).take((15, 0), Answer { leads: &leads, total, pages }, &order);
        assert_eq!(taken, Some(Outcome::Unsure), "{} of {total} on {pages}", leads.len());
    }
}

/// What people do before a page is answered.
#[derive(Debug, Clone)]
enum Act {
    Create(String),
    Delete(usize),
    Both(String, usize),
}

fn an_act() -> impl Strategy<Value = Option<Act>> {
    prop_oneof![
        2 => Just(None),
        1 => a_name().prop_map(|name| Some(Act::Create(name))),
        1 => any::<usize>().prop_map(|which| Some(Act::Delete(which))),
        2 => (a_name(), any::<usize>()).prop_map(|(name, which)| Some(Act::Both(name, which))),
    ]
}

fn carry_out(act: &Act, beginning: &str, list: &mut List) {
    if let Act::Delete(which) | Act::Both(_, which) = act {
        let others: Vec<usize> =
            (0..list.names.len()).filter(|at| !list.names[*at].starts_with(beginning)).collect();
        if let Some(at) = others.get(which % others.len().max(1)) {
            list.names.remove(*at);
        }
    }
    if let Act::Create(name) | Act::Both(name, _) = act {
        list.names.push(name.clone());
    }
    list.sort();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn who_is_there_all_the_time_is_never_absent(
        collation in Collation::any(), names in vec(a_name(), 0..150), beginning in a_beginning(),
        nears in vec((0..14_usize, "[acdghlnstz0129jsyqxwvA-Z]{0,4}-"), 0..80),
        acts in vec(an_act(), 0..12), rest in "[a-z0-9]{2}-[a-z]", is_scanned: bool,
    ) {
        let mut names = names;
        names.extend(nears.iter().map(|(kept, rest)| near(&beginning, *kept, rest)));
        names.push(format!("{beginning}{rest}"));
        let mut list = List::new(names, collation);
        let mut order = if is_scanned { list.scanned() } else { Order::default() };
        let (outcome, pages) = look(&mut list, &beginning, &mut order, |page, list| {
            if let Some(Some(act)) = acts.get(page) {
                carry_out(act, &beginning, list);
            }
        });
        prop_assert_ne!(outcome, Some(Outcome::Absent), "under {:?}", collation);
        prop_assert!(u64::from(pages) <= 2 * expected_pages(17) + 2);
    }
}
