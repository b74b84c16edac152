//! Absence without a scan: a few pages of the user list show that no name begins in a certain way.
//!
//! The portal sorts its list by name in the collation of its database, and answers a page with one statement. So a page that shows an
//! entry that sorts before every name with a beginning, and one that sorts behind all of them, shows every user between these two: where
//! none of the entries has the beginning, no user had it at that moment. The first page needs no entry before, and a page with fewer
//! entries than were asked for none behind. Nothing follows from two pages: users move between them. `walk` bisects the list for such a
//! page. What it finds on its way only leads it on, so a list that moves or that is sorted otherwise costs calls and proves nothing.
//!
//! The collation is not known: it may be that of C, ICU, glibc or another system. `order` compares only what all of them
//! compare alike:
//!
//! * The first difference decides, and it has to stand between two ASCII letters or digits. Then it is one of the first level, in
//!   front of every accent and letter case, and it does not matter whether punctuation counts. A letter of the upper case stands
//!   before all of the lower case in C, so it is certain only where it sorts before the other letter in any case.
//! * What stands up to the character behind the difference is ASCII, and no apostrophe: a combining mark or an apostrophe may be a
//!   part of the letter before it.
//! * Some languages sort pairs of letters as one letter (`ch` behind `h` in Czech, `aa` behind `z` in Danish), or a letter at another
//!   place (`z` behind `s` in Estonian). Digits may sort behind letters (Czech, by glibc) or by the value of their number. Each of these
//!   is a doubt until a page has shown two names in an order that contradicts it; what depends on a doubt is not certain. So a long
//!   list with many names of the operator leaves hardly a doubt after one scan, and a list that is in fact sorted so never loses it.
//!   The doubts are those of the locales of CLDR 49 (ICU) and glibc 2.36.
//!
//! A page in an order that no such collation has ends it: nothing is proved from then on.

mod lead;
mod order;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use lead::Lead;
pub(crate) use order::Order;
pub(crate) use walk::{Answer, Outcome, Walk};

/// What a bisection of the list has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// No name had the beginning, at some moment since the bisection began. Otherwise nothing is known.
    pub is_proved: bool,
    /// How many pages were read.
    pub pages: u32,
}

/// About how many pages a bisection of a list of so many pages reads.
#[must_use]
pub fn expected_pages(of: u64) -> u64 {
    u64::from(of.max(1).next_power_of_two().ilog2()) + 2
}
