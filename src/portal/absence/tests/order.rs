//! What is certain of two names holds in every collation.

use proptest::collection::vec;

use super::*;

/// Names of ours with a beginning.
fn with(beginning: &str) -> Vec<String> {
    ["00", "01-edc", "zz-z", "a1-\u{301}", "Ch-x"].iter().map(|rest| format!("{beginning}{rest}")).collect()
}

/// Fails where this name does not sort as was said in a collation.
fn holds(
    collation: Collation,
    name: &str,
    beginning: &str,
    place: Option<Ordering>,
) -> Result<(), TestCaseError> {
    let Some(place) = place else { return Ok(()) };
    let compare = collation.comparator();
    for ours in with(beginning) {
        prop_assert_eq!(compare(name, &ours), place, "{:?} and {:?} under {:?}", name, ours, collation);
    }
    Ok(())
}

fn pages_of(names: &[String]) -> impl Iterator<Item = Vec<Lead>> {
    names.chunks(15).map(|page| page.iter().map(|name| Lead::of(name)).collect())
}

#[test]
fn what_every_collation_compares_alike_is_certain() {
    use Ordering::{Greater, Less};
    for (name, place) in [
        ("a-00001", Some(Less)),
        ("edc-discovery", Some(Less)),
        ("u-1", Some(Greater)),
        ("SAP Connector", Some(Less)),
        ("tb4000000", Some(Less)),
        ("tm3x0000001-x", Some(Less)),
        ("tv4000000", Some(Greater)),
        ("tm5l000000", Some(Less)),
        ("tm5r000000", Some(Greater)),
        // Before it in C, behind it elsewhere.
        ("Umbrella", None),
        ("Tm500000", None),
        // It depends on whether punctuation counts.
        ("t-m5000000", None),
        ("tm-5000000", None),
        ("dim-tm50000", Some(Less)),
        (" u", None),
        ("\u{200b}u", None),
        ("u\u{301}-", None),
        ("übung", None),
        ("t", None),
        ("u", None),
        ("", None),
    ] {
        assert_eq!(Order::default().place(&Lead::of(name), "tm5n12345"), place, "{name}");
    }
}

#[test]
fn what_a_language_may_sort_otherwise_is_not_certain() {
    for (name, beginning) in [
        // Czech: behind `h`.
        ("tch40000", "tci400000"),
        ("tcf400000", "tch400000"),
        ("chemistry", "dim-tm5n12345"),
        ("Chemistry", "dim-tm5n12345"),
        // Danish: behind `z`.
        ("taab0000", "tab500000"),
        ("Aarhus", "tm5n12345"),
        // Welsh: before `h`.
        ("tnga00000", "tne500000"),
        // Estonian: behind `s`.
        ("z-1", "tm5n12345"),
        // Azerbaijani: behind `z`.
        ("twa00000", "ty5000000"),
        // Lithuanian: with `i`.
        ("tk50000", "ty5000000"),
        // Czech: digits behind letters.
        ("1-2", "tm5n12345"),
        ("t4abcdefg01-x", "tm5n12345"),
        // By numbers.
        ("tm12x0000", "tm1a00000"),
        ("tm1000000", "tm9a00000"),
    ] {
        assert_eq!(Order::default().place(&Lead::of(name), beginning), None, "{name} and {beginning}");
    }
}

#[test]
fn a_page_that_contradicts_a_doubt_ends_it() {
    for (first, second, name, beginning, place) in [
        ("tch-a", "tci-a", "tchb00000", "tcj500000", Ordering::Less),
        ("ta-1", "zebra", "zeta", "tm5n12345", Ordering::Greater),
        ("m1-", "ma-", "t1-", "tm5n12345", Ordering::Less),
        ("aab", "ab1", "Aarhus", "tm5n12345", Ordering::Less),
    ] {
        let mut order = Order::default();
        assert_eq!(order.place(&Lead::of(name), beginning), None);
        order.learn(&[Lead::of(first), Lead::of(second)]);
        assert_eq!(order.place(&Lead::of(name), beginning), Some(place), "{first} before {second}");
    }
}

#[test]
fn what_may_be_a_part_of_another_letter_contradicts_nothing() {
    // Danish sorts both after their first two letters, which are one there.
    let mut order = Order::default();
    order.learn(&[Lead::of("taaa-1"), Lead::of("taab-1")]);
    assert_eq!(order.place(&Lead::of("taa5"), "tb0000000"), None);
}

#[test]
fn a_pair_that_is_one_letter_only_in_the_lower_case_is_not_contradicted_by_the_other() {
    // Breton sorts `ch` behind `cz`, and `cH` as two letters.
    let mut order = Order::default();
    order.learn(&[Lead::of("tcH-1"), Lead::of("tcI-1")]);
    assert_eq!(order.place(&Lead::of("tch40000"), "tci400000"), None);
}

#[test]
fn an_order_that_no_collation_has_ends_all() {
    let mut order = Order::default();
    order.learn(&[Lead::of("b-1"), Lead::of("a-1")]);
    assert!(order.is_broken());
    assert_eq!(order.place(&Lead::of("a-1"), "tm5n12345"), None);
}

#[test]
fn a_long_list_of_ours_leaves_no_doubt() {
    let mut names: Vec<String> = (0..11_000_u64).map(owner_name).collect();
    let compare = Collation::Icu("und").comparator();
    names.sort_by(|a, b| compare(a, b));
    let mut order = Order::default();
    pages_of(&names).for_each(|page| order.learn(&page));
    let uncertain = |beginning: &String| {
        let at = names.partition_point(|name| name < beginning);
        let side = |range: std::ops::Range<usize>, place| {
            names
                .get(range)
                .unwrap_or_default()
                .iter()
                .any(|name| order.place(&Lead::of(name), beginning) == Some(place))
        };
        !(side(at.saturating_sub(3)..at, Ordering::Less) && side(at..at + 3, Ordering::Greater))
    };
    let uncertain = (20_000..21_000_u64).map(|n| owner_name(n)[..9].to_owned()).filter(uncertain).count();
    assert!(uncertain < 20, "{uncertain} of 1000");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_certain_from_the_beginning_holds_everywhere(
        beginning in a_beginning(), any in a_name(), kept in 0..14_usize, rest in "[a-zA-Z0-9]{0,4}[ -]?",
        collation in Collation::any(),
    ) {
        for name in [near(&beginning, kept, &rest), any] {
            let place = Order::default().place(&Lead::of(&name), &beginning);
            holds(collation, &name, &beginning, place)?;
            for plain in Collation::PLAIN {
                holds(plain, &name, &beginning, place)?;
            }
        }
    }

    #[test]
    fn what_a_list_has_taught_holds_in_its_collation(
        collation in Collation::any(), mut names in vec(a_name(), 2..60), beginning in a_beginning(),
        nears in vec((0..14_usize, "[acdghlnstz0129jsyqxwvA-Z]{0,4}"), 0..60),
    ) {
        names.extend(nears.iter().map(|(kept, rest)| near(&beginning, *kept, rest)));
        let compare = collation.comparator();
        names.sort_by(|a, b| compare(a, b));
        let mut order = Order::default();
        for page in pages_of(&names) {
            order.learn(&page);
        }
        prop_assert!(!order.is_broken(), "{:?} under {:?}", names, collation);
        for name in names.iter().filter(|name| !name.starts_with(&beginning)) {
            holds(collation, name, &beginning, order.place(&Lead::of(name), &beginning))?;
        }
    }
}
