//! Text from outside that people read in conditions, events and logs: bounded, and without characters that change how
//! the rest of a line is shown.

use aws_lc_rs::digest;

/// The replacement of a character that may not be shown.
const REPLACEMENT: char = '\u{FFFD}';

/// The end of a text that was cut.
const CUT: char = '…';

/// `text` with at most `most` characters, control characters and invisible formatting characters replaced.
///
/// A text that is too long is cut and ends in `…`, so that it differs from each text of the allowed length minus one.
#[must_use]
pub fn printable(text: &str, most: usize) -> String {
    bounded(text, most, |c| !is_unprintable(c))
}

/// As [`printable`], but line breaks and tabs are kept.
#[must_use]
pub fn printable_lines(text: &str, most: usize) -> String {
    bounded(text, most, |c| matches!(c, '\n' | '\r' | '\t') || !is_unprintable(c))
}

/// A printable text of at most `most` characters (and at least 65) that differs for each text: one that is too long, or that
/// cannot be shown as it is, ends in its SHA-256.
#[must_use]
pub fn distinct(text: &str, most: usize) -> String {
    let shown = printable(text, most);
    if shown == text {
        return shown;
    }
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let hash: String = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex).collect();
    format!("{}{hash}", printable(text, most.saturating_sub(hash.len())))
}

/// The text as a sentence begins: with a capital letter, unless its first word is a name, such as a field or a host.
///
/// The text of an error begins with a small letter, because it mostly stands after a colon. This is for the places where it
/// stands first.
#[must_use]
pub fn sentence(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default().trim_end_matches([',', ':', ';']);
    let is_word = first.chars().all(|c| c.is_ascii_lowercase() || c == '\'');
    match text.get(..1) {
        Some(letter) if is_word => format!("{}{}", letter.to_ascii_uppercase(), &text[1..]),
        _ => text.to_owned(),
    }
}

fn hex(half: u8) -> char {
    char::from_digit(half.into(), 16).unwrap_or('0')
}

fn bounded(text: &str, most: usize, may_stand: impl Fn(char) -> bool) -> String {
    let shown = |c: char| if may_stand(c) { c } else { REPLACEMENT };
    if text.chars().nth(most).is_none() {
        if text.chars().all(&may_stand) {
            // Most texts: copied without spare capacity.
            return text.to_owned();
        }
        return text.chars().map(shown).collect();
    }
    text.chars().take(most.saturating_sub(1)).map(shown).chain([CUT]).collect()
}

/// Control characters (line breaks, NUL and ESC among them), and the characters that change the direction of the text
/// around them or are not shown at all.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061C}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{FFFE}'..='\u{FFFF}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_text_of_all_scripts_is_kept() {
        for text in
            ["", "edc-wallet", "Müller & Söhne", "数据空间", "مرحبا", "नमस्ते", "👩\u{200D}🔧", "a\u{0301}"]
        {
            assert_eq!(printable(text, 256), text);
        }
    }

    #[test]
    fn control_and_direction_characters_are_replaced() {
        for c in [
            '\0',
            '\n',
            '\r',
            '\t',
            '\u{1B}',
            '\u{7F}',
            '\u{85}',
            '\u{9B}',
            '\u{061C}',
            '\u{200B}',
            '\u{200F}',
            '\u{2028}',
            '\u{202E}',
            '\u{2066}',
            '\u{2069}',
            '\u{FEFF}',
            '\u{E0041}',
        ] {
            assert_eq!(printable(&format!("a{c}b"), 256), "a\u{FFFD}b", "{c:?}");
        }
        assert_eq!(printable_lines("a\r\n\tb\u{1B}", 256), "a\r\n\tb\u{FFFD}");
    }

    #[test]
    fn a_sentence_begins_with_a_capital_letter_or_a_name() {
        for (text, wanted) in [
            ("the portal answered 502", "The portal answered 502"),
            ("a user's client is missing", "A user's client is missing"),
            ("portal.example.org:443 is not reachable", "portal.example.org:443 is not reachable"),
            ("insecureHttp is set", "insecureHttp is set"),
            ("tls.caBundle names nothing", "tls.caBundle names nothing"),
            ("sa17 is unknown", "sa17 is unknown"),
            ("edc-wallet is unknown", "edc-wallet is unknown"),
            ("it: x", "It: x"),
            ("Secret \"x\"", "Secret \"x\""),
            ("über", "über"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), wanted);
        }
    }

    #[test]
    fn a_long_value_is_shortened_and_differs_from_others() {
        assert_eq!(distinct("2026-11-26", 256), "2026-11-26");
        let long = "a".repeat(10_000);
        let values =
            [long.clone(), format!("{long}b"), "a\nb".into(), "a\tb".into()].map(|v| distinct(&v, 256));
        for (at, value) in values.iter().enumerate() {
            assert!(value.chars().count() <= 256 && printable(value, 256) == *value, "{value}");
            assert!(values.iter().skip(at + 1).all(|other| other != value));
        }
    }

    #[test]
    fn a_long_text_is_cut_and_never_equals_a_shorter_one() {
        assert_eq!(printable("äöü", 3), "äöü");
        assert_eq!(printable("äöüß", 3), "äö…");
        let cut = printable(&"a".repeat(1000), 256);
        assert_eq!(cut.chars().count(), 256);
        assert_ne!(cut, "a".repeat(255));
    }
}
