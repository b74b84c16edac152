//! The rule and the bisection under each kind of collation that a portal's database may have.

mod order;
mod walk;

use std::cmp::Ordering;

use icu_collator::CollatorBorrowed;
use icu_collator::options::CollatorOptions;
use proptest::prelude::*;

use super::*;
use crate::domain::identity::Owner;

/// Locales of ICU. The first ones leave ASCII letters as they are; the others sort some of them otherwise.
const LOCALES: [&str; 30] = [
    "und",
    "de",
    "en-US",
    "fr",
    "sv",
    "en-US-posix",
    "az",
    "br",
    "ceb",
    "cs",
    "cy",
    "da",
    "ee",
    "es-u-co-trad",
    "et",
    "fi-u-co-trad",
    "fil",
    "ha",
    "hr",
    "hu",
    "ig",
    "lt",
    "lv",
    "om",
    "sk",
    "sq",
    "sr-Latn",
    "uz",
    "yo",
    "und-u-kn-true",
];

/// Compares two names.
type Compare = Box<dyn Fn(&str, &str) -> Ordering>;

/// How a database sorts.
#[derive(Debug, Clone, Copy)]
enum Collation {
    /// C: by bytes.
    Bytes,
    /// A locale of ICU.
    Icu(&'static str),
    /// Older releases of glibc: punctuation counts only among names that are equal without it.
    OldGlibc,
    /// Newer releases of glibc: punctuation before digits before letters.
    NewGlibc,
    /// The Czech locale of glibc: digits behind letters.
    CzechGlibc,
}

impl Collation {
    /// Those of a portal that sorts ASCII letters as everybody does.
    const PLAIN: [Self; 7] = [
        Self::Bytes,
        Self::OldGlibc,
        Self::NewGlibc,
        Self::Icu("und"),
        Self::Icu("de"),
        Self::Icu("en-US-posix"),
        Self::Icu("und-u-ka-shifted"),
    ];

    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            Just(Self::Bytes),
            Just(Self::OldGlibc),
            Just(Self::NewGlibc),
            Just(Self::CzechGlibc),
            proptest::sample::select(&LOCALES).prop_map(Self::Icu),
        ]
    }

    fn comparator(self) -> Compare {
        match self {
            Self::Bytes => Box::new(Ord::cmp),
            Self::Icu(locale) => {
                let collator = icu(locale);
                // Databases break ties by bytes.
                Box::new(move |a, b| collator.compare(a, b).then_with(|| a.cmp(b)))
            }
            Self::OldGlibc | Self::NewGlibc | Self::CzechGlibc => {
                let key = move |name: &str| glibc(name, self);
                Box::new(move |a, b| key(a).cmp(&key(b)).then_with(|| a.cmp(b)))
            }
        }
    }
}

fn icu(locale: &str) -> CollatorBorrowed<'static> {
    let locale: icu_collator::CollatorPreferences = locale.parse::<icu_locale_core::Locale>().unwrap().into();
    icu_collator::Collator::try_new(locale, CollatorOptions::default()).unwrap()
}

/// What glibc compares one after the other: characters without accent and case, accents, lower case before upper case.
fn glibc(name: &str, collation: Collation) -> (Vec<(u8, char)>, Vec<char>, Vec<bool>) {
    let counts = |c: &char| !matches!(collation, Collation::OldGlibc) || c.is_alphanumeric();
    let of_digits = if matches!(collation, Collation::CzechGlibc) { 3 } else { 1 };
    let kept: Vec<char> = name.chars().filter(counts).collect();
    let base = |c: &char| {
        let lower = c.to_lowercase().next().unwrap_or(*c);
        let plain = match lower {
            'ä' | 'á' => 'a',
            'ö' => 'o',
            'ü' => 'u',
            c => c,
        };
        let class = match plain {
            c if c.is_alphabetic() => 2,
            c if c.is_numeric() => of_digits,
            _ => 0,
        };
        (class, plain)
    };
    let accents = kept.iter().filter(|c| !c.is_ascii()).copied().collect();
    (kept.iter().map(base).collect(), accents, kept.iter().map(|c| c.is_uppercase()).collect())
}

/// A beginning of names of the operator.
fn a_beginning() -> impl Strategy<Value = String> {
    prop_oneof![
        "(dim-)?t[a-z0-9]{8}",
        // What some language sorts otherwise.
        "(dim-)?t[acdghlnst0129hjsyz]{8}",
    ]
}

/// A name of any kind, many of them nearly those of the operator.
fn a_name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => a_beginning().prop_map(|beginning| format!("{beginning}01-edc")),
        2 => "[a-zA-Z0-9 ._äöüÄß-]{0,12}",
        1 => "(dim-)?[tT][a-zA-Z0-9\u{301}\u{200b}' -]{0,10}",
        1 => "(dim|dim-|di|d|D|DIM-|dim_|u|s|S|U)?[tTuU]?[acdghlnstz0129jsyqxwv]{0,10}",
        1 => any::<String>(),
    ]
}

/// A name that shares a part of its beginning with another one.
fn near(beginning: &str, kept: usize, rest: &str) -> String {
    beginning.chars().take(kept % (beginning.len() + 1)).chain(rest.chars()).collect()
}

/// The name of one of many users of the operator.
fn owner_name(number: u64) -> String {
    let name = format!("edc-{number}");
    let owner = Owner { instance: "prod".into(), namespace: "connector".into(), name };
    owner.user_name(1, None)
}
