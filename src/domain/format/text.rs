//! A text under construction that may have a secret in it.

use std::{fmt, io, str};

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

/// A text that grows without leaving copies of itself in memory.
pub(super) struct SecretText(Zeroizing<String>);

impl SecretText {
    /// An empty text.
    pub fn new() -> Self {
        Self(Zeroizing::new(String::with_capacity(1024)))
    }

    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        let needed = self.0.len() + text.len();
        if needed > self.0.capacity() {
            // A `String` that grows automatically leaves its old buffer in memory as it is.
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(2 * self.0.capacity())));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    /// What was added so far.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy that stays behind.
    pub fn finish(self) -> SecretString {
        // Of exactly this length, because a secret is a boxed `str`: shortening the buffer would leave a copy.
        let mut exact = String::with_capacity(self.0.len());
        exact.push_str(&self.0);
        SecretString::from(exact)
    }
}

impl fmt::Write for SecretText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// For writers of text that only know bytes. They write whole characters.
impl io::Write for SecretText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        self.push(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_text_grows_past_its_first_buffer() {
        let mut text = SecretText::new();
        let part = "0123456789ä".repeat(50);
        for _ in 0..10 {
            text.push(&part);
        }
        text.push("ß");
        assert_eq!(text.finish().expose_secret(), format!("{}ß", part.repeat(10)));
    }
}
