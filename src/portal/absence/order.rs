//! Which of two names sorts first, as far as every collation says the same.

use std::cmp::Ordering;

use super::Lead;

/// Pairs of letters that some language sorts as one letter behind the first of them.
const PAIRS: [&[u8; 2]; 35] = [
    b"aa", b"ch", b"cs", b"dd", b"dh", b"dz", b"ff", b"gb", b"gh", b"gj", b"gw", b"gy", b"kh", b"kp", b"kw",
    b"lj", b"ll", b"ly", b"ng", b"nj", b"nw", b"ny", b"ph", b"rh", b"rr", b"sh", b"sz", b"th", b"ts", b"ty",
    b"xh", b"zh", b"zs", b"sr", b"wh",
];

/// Welsh sorts this pair before the first of its letters, behind the second.
const BACKWARD: (&[u8; 2], u64) = (b"ng", 1 << 40);

/// Letters that some language sorts at an earlier place: with or right behind the second one.
const LETTERS: [(u8, u8, u64); 5] = [
    (b'q', b'k', 1 << 41),
    (b'w', b'v', 1 << 42),
    (b'x', b'h', 1 << 43),
    (b'y', b'i', 1 << 44),
    (b'z', b's', 1 << 45),
];

/// A letter that some language sorts behind all others.
const LAST: (u8, u64) = (b'w', 1 << 48);

/// Digits may be sorted by the value of their number.
const NUMBERS: u64 = 1 << 46;

/// Digits may sort behind letters, as in Czech.
const DIGITS_BEHIND: u64 = 1 << 47;

/// What is known of the collation of a list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    /// The doubts that pages have contradicted.
    refuted: u64,
    /// A page was sorted as no collation sorts it.
    broken: bool,
}

/// One doubt about a comparison.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// Each way in which a language may sort it otherwise.
    ways: u64,
    /// Those of them that would surely reverse the order.
    reversing: u64,
}

/// How two names compare where no language sorts otherwise.
struct Comparison {
    order: Ordering,
    doubts: Vec<Doubt>,
}

impl Order {
    /// Takes over what one page shows.
    pub(crate) fn learn(&mut self, page: &[Lead]) {
        for (at, first) in page.iter().enumerate() {
            for second in page.iter().skip(at + 1) {
                self.see(first.as_str(), second.as_str());
            }
        }
    }

    /// The list shows the first before the second.
    fn see(&mut self, first: &str, second: &str) {
        let Some(comparison) = compare(first.as_bytes(), second.as_bytes()) else { return };
        let mut open = comparison.doubts.iter().filter(|doubt| doubt.ways & !self.refuted != 0);
        match (comparison.order, open.next(), open.next()) {
            (Ordering::Greater, None, _) => self.broken = true,
            (Ordering::Less, Some(doubt), None) => self.refuted |= doubt.reversing,
            _ => {}
        }
    }

    /// Whether a name sorts before or behind every name with a beginning; `None` where that is not certain.
    pub(crate) fn place(&self, name: &Lead, beginning: &str) -> Option<Ordering> {
        let comparison = compare(name.as_str().as_bytes(), beginning.as_bytes())?;
        let is_open = |doubt: &Doubt| doubt.ways & !self.refuted != 0;
        let is_certain = !self.broken && !comparison.doubts.iter().any(is_open);
        is_certain.then_some(comparison.order)
    }

    /// Whether a page was sorted as no collation sorts it.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }
}

/// Compares at the first difference. `None` where that does not decide in every collation, or where the character behind it is not
/// there: it may belong to what differs.
fn compare(a: &[u8], b: &[u8]) -> Option<Comparison> {
    let at = a.iter().zip(b).position(|(a, b)| a != b)?;
    let (ours, theirs) = (a.get(at..)?, b.get(at..)?);
    let (&[c, c_next, ..], &[p, p_next, ..]) = (ours, theirs) else { return None };
    let common = a.get(..at)?;
    if !common.iter().chain([&c_next, &p_next]).all(|byte| is_plain(*byte)) {
        return None;
    }
    let order = of_characters(c, p)?;
    let before = common.last().copied().unwrap_or(b' ');
    let mut doubts = Vec::new();
    // The pair that ends at the difference sorts as one letter, or the one that begins there.
    let (less, greater) = if order == Ordering::Less { (c, p) } else { (p, c) };
    // Where the letter before already is a part of another one, it begins none.
    let is_free = common.iter().rev().nth(1).is_none_or(|earlier| ways_of(*earlier, before) == 0);
    let pairs = [(before, less), (before, greater), (c, c_next), (p, p_next)];
    for (number, &(x, y)) in pairs.iter().enumerate() {
        let ways = ways_of(x, y);
        // The lesser one is greater where its pair is one letter behind `before`; the greater one is less where its pair is before it.
        let reversing = match number {
            // Some languages take a pair for one letter only where its second letter is of the lower case.
            _ if !is_free || !x.is_ascii_lowercase() || !y.is_ascii_lowercase() => 0,
            0 => ways & !BACKWARD.1,
            1 => ways & BACKWARD.1,
            _ => 0,
        };
        if ways != 0 {
            doubts.push(Doubt { ways, reversing });
        }
    }
    doubts.extend(moved_forward(greater, less));
    doubts.extend(moved_back(less, greater));
    doubts.extend(digit_and_letter(less, greater));
    let (less_rest, greater_rest) = if order == Ordering::Less { (ours, theirs) } else { (theirs, ours) };
    doubts.extend(numbers(before, less_rest, greater_rest));
    Some(Comparison { order, doubts })
}

/// What stands beside a letter without being part of it. An apostrophe belongs to a letter in some languages.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'.' | b'_')
}

/// The order of two characters that differ, where C and the others agree.
fn of_characters(c: u8, p: u8) -> Option<Ordering> {
    if !c.is_ascii_alphanumeric() || !p.is_ascii_alphanumeric() {
        return None;
    }
    let in_c = c.cmp(&p);
    let in_others = c.to_ascii_lowercase().cmp(&p.to_ascii_lowercase());
    (in_c == in_others).then_some(in_c)
}

/// The ways in which a language may sort two characters as one letter.
fn ways_of(x: u8, y: u8) -> u64 {
    let pair = [x.to_ascii_lowercase(), y.to_ascii_lowercase()];
    let forward = PAIRS.iter().position(|known| **known == pair).map_or(0, |number| 1 << number);
    forward | if *BACKWARD.0 == pair { BACKWARD.1 } else { 0 }
}

/// The greater letter may sort at an earlier place.
fn moved_forward(greater: u8, less: u8) -> Option<Doubt> {
    let (less, greater) = (less.to_ascii_lowercase(), greater.to_ascii_lowercase());
    let (_, place, ways) = LETTERS.into_iter().find(|(letter, ..)| *letter == greater)?;
    // A digit sorts before all letters here.
    (less >= place).then_some(Doubt { ways, reversing: if less > place { ways } else { 0 } })
}

/// The lesser letter may sort at a later place.
fn moved_back(less: u8, greater: u8) -> Option<Doubt> {
    let (letter, ways) = LAST;
    let may_be = less.eq_ignore_ascii_case(&letter) && greater.is_ascii_alphabetic();
    may_be.then_some(Doubt { ways, reversing: ways })
}

/// Digits in front of the difference, or behind it, may make the lesser one the greater number.
fn numbers(before: u8, less: &[u8], greater: &[u8]) -> Option<Doubt> {
    let run = |text: &[u8]| text.iter().position(|byte| !byte.is_ascii_digit());
    let doubt = |reversing| Some(Doubt { ways: NUMBERS, reversing });
    let (first, second) = (less.first()?, greater.first()?);
    let is_nonzero = matches!(first, b'1'..=b'9');
    match (first.is_ascii_digit(), second.is_ascii_digit()) {
        (true, true) => match (run(less), run(greater)) {
            (Some(of_less), Some(of_greater)) if of_less == of_greater => None,
            (Some(of_less), Some(of_greater)) if of_less > of_greater && is_nonzero => doubt(NUMBERS),
            _ => doubt(0),
        },
        (true, false) if before.is_ascii_digit() => doubt(if is_nonzero { NUMBERS } else { 0 }),
        _ => None,
    }
}

/// A digit and a letter.
fn digit_and_letter(less: u8, greater: u8) -> Option<Doubt> {
    let differ = less.is_ascii_digit() != greater.is_ascii_digit();
    differ.then_some(Doubt { ways: DIGITS_BEHIND, reversing: DIGITS_BEHIND })
}
