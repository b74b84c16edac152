//! How a value is written in each file syntax, so that its reader gets exactly the same value.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

use super::text::SecretText;

/// A JSON string.
pub(super) fn json(text: &mut SecretText, value: &str) {
    // Writing a string into memory cannot fail.
    let _ = serde_json::to_writer(text, value);
}

/// A double-quoted YAML scalar. All but printable ASCII is escaped: readers of YAML 1.1 take some other characters for the
/// end of a line, and refuse some.
pub(super) fn yaml(text: &mut SecretText, value: &str) {
    text.push("\"");
    for character in value.chars() {
        let code = u32::from(character);
        let _ = match character {
            '"' | '\\' => write!(text, "\\{character}"),
            ' '..='~' => text.write_char(character),
            _ if code <= 0xff => write!(text, "\\x{code:02x}"),
            _ if code <= 0xffff => write!(text, "\\u{code:04x}"),
            _ => write!(text, "\\U{code:08x}"),
        };
    }
    text.push("\"");
}

/// A value of a Java properties file. All but printable ASCII is escaped, because older readers take the file for Latin-1.
pub(super) fn properties(text: &mut SecretText, value: &str) {
    let mut units = [0; 2];
    for (index, character) in value.chars().enumerate() {
        let _ = match character {
            // A leading space belongs to the separator.
            ' ' if index == 0 => write!(text, "\\ "),
            '\\' | '#' | '!' | '=' | ':' => write!(text, "\\{character}"),
            ' '..='~' => text.write_char(character),
            _ => character.encode_utf16(&mut units).iter().try_for_each(|unit| write!(text, "\\u{unit:04x}")),
        };
    }
}

/// A value of an env file, as Docker Compose reads it. In single quotes wherever possible: those mean the same to a shell
/// and to every other reader. What they cannot hold is in double quotes.
pub(super) fn dotenv(text: &mut SecretText, value: &str) {
    if !value.contains(['\'', '\\', '\n', '\r']) {
        let _ = write!(text, "'{value}'");
        return;
    }
    text.push("\"");
    for character in value.chars() {
        let _ = match character {
            '"' | '\\' | '$' => write!(text, "\\{character}"),
            '\n' => write!(text, "\\n"),
            '\r' => write!(text, "\\r"),
            _ => text.write_char(character),
        };
    }
    text.push("\"");
}

/// Base64 with padding.
pub(super) fn base64(text: &mut SecretText, value: &str) {
    let encoded = Zeroizing::new(STANDARD.encode(value));
    text.push(&encoded);
}
