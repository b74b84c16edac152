//! Rust, as far as it is needed to find paths: names and punctuation, without comments, texts and characters.

/// A name or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword; raw ones without their `r#`.
    Name(String),
    /// `::`.
    Path,
    /// Any other sign, one character each.
    Sign(char),
}

impl Token {
    /// Whether it is this name.
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Token::Name(text) if text == name)
    }
}

/// The tokens of a source.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut rest = source;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        if let Some(after) = skip_comment(rest).or_else(|| skip_text(rest)) {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("::") {
            tokens.push(Token::Path);
            rest = after;
        } else if first == '_' || first.is_alphanumeric() {
            let plain = rest.strip_prefix("r#").unwrap_or(rest);
            let end = plain.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(plain.len());
            tokens.push(Token::Name(plain[..end].to_owned()));
            rest = &plain[end..];
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

/// What follows a comment, where one begins here.
fn skip_comment(text: &str) -> Option<&str> {
    if text.starts_with("//") {
        return Some(text.find('\n').map_or("", |end| &text[end..]));
    }
    let mut rest = text.strip_prefix("/*")?;
    let mut depth = 1;
    while depth > 0 {
        let (opening, closing) = (rest.find("/*"), rest.find("*/"));
        match (opening, closing) {
            (Some(open), Some(close)) if open < close => {
                depth += 1;
                rest = &rest[open + 2..];
            }
            (_, Some(close)) => {
                depth -= 1;
                rest = &rest[close + 2..];
            }
            (_, None) => return Some(""),
        }
    }
    Some(rest)
}

/// What follows a text or a character, where one begins here.
fn skip_text(text: &str) -> Option<&str> {
    let unprefixed = ["br", "cr", "b", "c", "r", ""].iter().find_map(|prefix| {
        let after = text.strip_prefix(prefix)?;
        let hashes = after.len() - after.trim_start_matches('#').len();
        let raw = prefix.ends_with('r');
        let quoted = after[hashes..].starts_with('"') && (raw || hashes == 0);
        quoted.then(|| (&after[hashes + 1..], raw.then_some(hashes)))
    });
    match unprefixed {
        Some((inner, Some(hashes))) => {
            let end = format!("\"{}", "#".repeat(hashes));
            Some(inner.find(&end).map_or("", |at| &inner[at + end.len()..]))
        }
        Some((inner, None)) => Some(after_quote(inner, '"')),
        None => skip_character(text),
    }
}

/// A character, but not a lifetime: `'a'` and `'\n'`, not `'a`.
fn skip_character(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("b'").or_else(|| text.strip_prefix('\''))?;
    let mut characters = inner.chars();
    match (characters.next()?, characters.next()?) {
        ('\\', _) => Some(after_quote(inner, '\'')),
        (_, '\'') => Some(characters.as_str()),
        _ => None,
    }
}

fn after_quote(inner: &str, quote: char) -> &str {
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            c if c == quote => break,
            _ => {}
        }
    }
    characters.as_str()
}

fn names(source: &str) -> Vec<String> {
    let name = |token| match token {
        Token::Name(name) => Some(name),
        Token::Path | Token::Sign(_) => None,
    };
    tokens(source).into_iter().filter_map(name).collect()
}

#[test]
fn comments_texts_and_characters_are_left_out() {
    let source = r##"
        //! kube1
        /// [`kube2::X`]
        /* kube3 /* kube4 */ kube5 */
        let a = "kube6 \" kube7"; let b = r#"kube8 " kube9"#; let c = b"kubea"; let d = br"kubeb\";
        let e = '"'; let f = '\''; let g = b'"'; fn h<'kubec>() {}
    "##;
    assert_eq!(
        names(source),
        [
            "let", "a", "let", "b", "let", "c", "let", "d", "let", "e", "let", "f", "let", "g", "fn", "h",
            "kubec"
        ]
    );
}

#[test]
fn raw_names_are_names() {
    assert_eq!(
        names("use r#kube::r#type; let rkube = 1; 'a'; b"),
        ["use", "kube", "type", "let", "rkube", "1", "b"]
    );
}
