//! The paths in the arguments of macros and attributes, which are no syntax of Rust but tokens.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// What to do with texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// Leave them out: they are for people.
    LeaveOut,
    /// A text that is a path is one, as in `#[serde(with = "path")]`.
    Read,
}

/// All paths of two or more parts, and names that are imported, with their lines.
pub fn token_paths(tokens: &TokenStream, texts: Texts) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    read(tokens, texts, &mut found);
    found
}

fn read(tokens: &TokenStream, texts: Texts, found: &mut Vec<(Vec<String>, usize)>) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) => read(&group.stream(), texts, found),
            TokenTree::Ident(_) => {
                let before = tokens[..at].iter().rev().find(|token| !is_sign(token, ':'));
                let import = before.is_some_and(|before| is_name(before, "use"));
                at = path(&tokens, at, import, found);
                continue;
            }
            TokenTree::Literal(literal) if texts == Texts::Read => {
                found.extend(path_in_text(&literal.to_string(), literal.span()));
            }
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
        at += 1;
    }
}

/// Reads the path that begins here, and says where it ends.
fn path(tokens: &[TokenTree], begin: usize, import: bool, found: &mut Vec<(Vec<String>, usize)>) -> usize {
    let (mut parts, mut at) = (Vec::new(), begin);
    let line = tokens[begin].span().start().line;
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        parts.push(text_of(name));
        at += 1;
        if !(0..2).all(|next| tokens.get(at + next).is_some_and(|token| is_sign(token, ':'))) {
            break;
        }
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(_)) => at += 2,
            Some(TokenTree::Group(group)) => {
                tree(&parts, &group.stream(), found);
                return at + 3;
            }
            Some(token) if is_sign(token, '*') => {
                parts.push("*".to_owned());
                at += 3;
                break;
            }
            _ => break,
        }
    }
    if import || parts.len() > 1 {
        found.push((parts, line));
    }
    at
}

/// Reads the paths of a group of imports.
fn tree(before: &[String], group: &TokenStream, found: &mut Vec<(Vec<String>, usize)>) {
    let tokens: Vec<TokenTree> = group.clone().into_iter().collect();
    for part in tokens.split(|token| is_sign(token, ',')) {
        let mut below = Vec::new();
        match part.first() {
            Some(TokenTree::Ident(_)) => drop(path(part, 0, true, &mut below)),
            Some(token) if is_sign(token, '*') => {
                below.push((vec!["*".to_owned()], token.span().start().line));
            }
            _ => {}
        }
        for (parts, line) in below {
            let parts = before.iter().cloned().chain(parts.into_iter().filter(|part| part != "self"));
            found.push((parts.collect(), line));
        }
    }
}

fn path_in_text(literal: &str, span: Span) -> Option<(Vec<String>, usize)> {
    let text: syn::LitStr = syn::parse_str(literal).ok()?;
    let path: syn::Path = text.parse().ok()?;
    let parts: Vec<_> = path.segments.iter().map(|part| text_of(&part.ident)).collect();
    (parts.len() > 1).then(|| (parts, span.start().line))
}

fn text_of(name: &Ident) -> String {
    name.unraw().to_string()
}

fn is_name(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

#[test]
fn paths_in_tokens_are_found() {
    let paths = |text: &str| -> Vec<String> {
        let tokens: TokenStream = text.parse().unwrap();
        token_paths(&tokens, Texts::LeaveOut).into_iter().map(|(parts, _)| parts.join("::")).collect()
    };
    assert_eq!(paths("a, b::c(d::e), f.g, 'h', \"i::j\", k: ::l::m"), ["b::c", "d::e", "l::m"]);
    assert_eq!(
        paths("use a; use $crate::b; use c::{self, d::{e, f as g}, *};"),
        ["a", "crate::b", "c", "c::d::e", "c::d::f", "c::*"]
    );
    assert_eq!(paths("use a::*; x = <B as c::D>::e()"), ["a::*", "c::D"]);
    assert_eq!(paths("Vec::<a::B>::new()"), ["a::B"]);
}
