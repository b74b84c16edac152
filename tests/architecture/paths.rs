//! The paths that a source names, from the root: what `use`, `super` and groups stand for is written out.

use crate::tokens::{Token, tokens};

/// A path as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its parts, such as `crate`, `domain`, `reason`.
    pub parts: Vec<String>,
    /// Whether it is named in tests only: below `#[cfg(test)]`.
    pub in_tests: bool,
}

/// Where the reading is: the module, and where it ends.
struct Scope {
    module: Vec<String>,
    in_tests: bool,
    depth: usize,
}

/// A path goes on after these, or begins.
const KEYWORDS: &[&str] = &[
    "as", "const", "dyn", "else", "extern", "for", "if", "impl", "in", "let", "match", "mut", "pub",
    "return", "use", "where",
];

/// All paths that a source of this module (such as `["domain", "plan"]`) names.
pub fn paths(module: &[&str], source: &str) -> Vec<Named> {
    let tokens = tokens(source);
    let mut scopes =
        vec![Scope { module: module.iter().map(ToString::to_string).collect(), in_tests: false, depth: 0 }];
    let (mut found, mut depth, mut at) = (Vec::new(), 0, 0);
    // From `#[cfg(test)]` to the end of what it stands before.
    let mut test_item: Option<usize> = None;
    while let Some(token) = tokens.get(at) {
        let scope = scopes.last().unwrap();
        let in_tests = scope.in_tests || test_item.is_some();
        match token {
            Token::Sign('#') if is_cfg_test(&tokens[at..]) => {
                test_item.get_or_insert(depth);
                at += 7;
                continue;
            }
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => {
                depth -= 1;
                if scopes.len() > 1 && scope.depth == depth {
                    scopes.pop();
                }
                if test_item == Some(depth) {
                    test_item = None;
                }
            }
            Token::Sign(';') if test_item == Some(depth) => test_item = None,
            Token::Name(name) if name == "mod" => {
                if let (Some(Token::Name(inner)), Some(Token::Sign('{'))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    let module = scope.module.iter().chain([inner]).cloned().collect();
                    scopes.push(Scope { module, in_tests, depth });
                    depth += 1;
                    at += 3;
                    continue;
                }
            }
            Token::Name(name) if KEYWORDS.contains(&name.as_str()) => {}
            Token::Name(_) | Token::Path => {
                // A name that stands alone is a dependency in an import only.
                let before = |back: usize, name| at.checked_sub(back).is_some_and(|at| tokens[at].is(name));
                let import = before(1, "use") || before(1, "crate") && before(2, "extern");
                let begin = if *token == Token::Path { at + 1 } else { at };
                let mut named = Vec::new();
                let end = tree(&tokens, begin, &[], &mut named).max(at + 1);
                let parts = named.into_iter().filter(|parts| import || parts.len() > 1);
                found.extend(parts.map(|parts| Named { parts: absolute(parts, &scope.module), in_tests }));
                at = end;
                continue;
            }
            Token::Sign(_) => {}
        }
        at += 1;
    }
    found
}

fn is_cfg_test(tokens: &[Token]) -> bool {
    let sign = |at: usize, sign| tokens.get(at) == Some(&Token::Sign(sign));
    let name = |at: usize, name| tokens.get(at).is_some_and(|token| token.is(name));
    sign(1, '[') && name(2, "cfg") && sign(3, '(') && name(4, "test") && sign(5, ')') && sign(6, ']')
}

/// Reads a path, or all paths of a tree of imports, and says where it ends.
fn tree(tokens: &[Token], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut parts = before.to_vec();
    loop {
        match tokens.get(at) {
            Some(Token::Name(name)) => {
                parts.push(name.clone());
                at += 1;
            }
            Some(Token::Sign('*')) if !parts.is_empty() => {
                parts.push("*".to_owned());
                found.push(parts);
                return at + 1;
            }
            Some(Token::Sign('{')) if !parts.is_empty() => {
                at += 1;
                while tokens.get(at).is_some_and(|token| *token != Token::Sign('}')) {
                    at = match &tokens[at] {
                        // `as Name` is a name for it, no part of it.
                        Token::Name(name) if name == "as" => at + 2,
                        Token::Name(_) => tree(tokens, at, &parts, found),
                        Token::Sign('*') => {
                            found.push(parts.iter().cloned().chain(["*".to_owned()]).collect());
                            at + 1
                        }
                        Token::Path | Token::Sign(_) => at + 1,
                    };
                }
                return at + 1;
            }
            _ => {
                found.push(parts);
                return at;
            }
        }
        if tokens.get(at) == Some(&Token::Path) {
            at += 1;
        } else {
            found.push(parts);
            return at;
        }
    }
}

/// The path from the root: without `self` and `super`.
fn absolute(parts: Vec<String>, module: &[String]) -> Vec<String> {
    let first = parts[0].as_str();
    if first == "technical_user_operator" {
        return ["crate".to_owned()].into_iter().chain(parts.into_iter().skip(1)).collect();
    }
    let relative = first == "self" || first == "super";
    let mut all: Vec<String> = Vec::new();
    if relative {
        all.push("crate".to_owned());
        all.extend(module.iter().cloned());
    }
    for part in parts {
        match part.as_str() {
            "super" => drop(all.pop()),
            "self" => {}
            _ => all.push(part),
        }
    }
    all
}

fn named(module: &[&str], source: &str) -> Vec<String> {
    paths(module, source).into_iter().map(|named| named.parts.join("::")).collect()
}

#[test]
fn imports_are_written_out() {
    assert_eq!(named(&["a"], "use kube;"), ["kube"]);
    assert_eq!(
        named(&["a"], "pub(crate) use ::kube::{Api, core::{self as c, X}};"),
        ["kube::Api", "kube::core", "kube::core::X"]
    );
    assert_eq!(named(&["a"], "use kube as k; extern crate tokio as t;"), ["kube", "tokio"]);
    assert_eq!(
        named(&["a"], "use crate::*; use crate::{api, domain::*};"),
        ["crate::*", "crate::api", "crate::domain::*"]
    );
    assert_eq!(
        named(&["a", "b"], "use super::super::portal::X; use super::c; use self::d;"),
        ["crate::portal::X", "crate::a::c", "crate::a::b::d"]
    );
    assert_eq!(named(&["a"], "use technical_user_operator::api;"), ["crate::api"]);
}

#[test]
fn paths_in_the_code_are_found_too() {
    assert_eq!(
        named(&["a"], "fn f(x: Vec<kube::Api<X>>) { tokio::spawn::<T>(y) }"),
        ["kube::Api", "tokio::spawn"]
    );
    assert_eq!(named(&["a"], "#[tokio::test] fn kube() { kube.kube = 1; }"), ["tokio::test"]);
    assert_eq!(
        named(&["a"], "#[derive(kube::CustomResource)] struct S; <S as crate::api::T>::f();"),
        ["kube::CustomResource", "crate::api::T"]
    );
}

#[test]
fn modules_within_a_file_count_for_super() {
    let source = "mod tests { use super::super::portal; mod x { use super::super::y; } } use super::z;";
    assert_eq!(named(&["a"], source), ["crate::portal", "crate::a::y", "crate::z"]);
}

#[test]
fn what_is_for_tests_only_is_known() {
    let source = "use a::a; #[cfg(test)] mod tests { fn f() { b::b(); } } use c::c; #[cfg(test)] use d::d; use e::e; \
                  #[cfg(test)] fn g() { f::f() } use h::h;";
    let found: Vec<_> = paths(&["m"], source).into_iter().map(|n| (n.parts[0].clone(), n.in_tests)).collect();
    let expected =
        [("a", false), ("b", true), ("c", false), ("d", true), ("e", false), ("f", true), ("h", false)];
    assert_eq!(found, expected.map(|(name, tests)| (name.to_owned(), tests)));
}
