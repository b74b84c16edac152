//! The paths that a source names, from the root: what `use`, `super`, groups and other names stand for is written out.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemExternCrate, ItemMod, ItemUse, Macro, Meta};

use crate::imports::{Imports, leaves};
use crate::source::{Source, attributes, is_cfg_test};
use crate::token_paths::{Texts, token_paths};

/// A path as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its parts, such as `crate`, `domain`, `reason`.
    pub parts: Vec<String>,
    /// Whether it is named in tests only: below `#[cfg(test)]`, or in a file of tests.
    pub in_tests: bool,
    /// Where.
    pub line: usize,
}

/// All paths that a source names. A name that stands alone is a dependency in an import only.
pub fn paths(source: &Source) -> Vec<Named> {
    let syntax = source.parse();
    let imports = Imports::of(source.module(), &syntax);
    let in_tests = source.is_for_tests() || is_cfg_test(&syntax.attrs);
    let mut reader = Reader { imports, module: source.module(), in_tests, found: Vec::new() };
    reader.visit_file(&syntax);
    reader.found
}

struct Reader {
    imports: Imports,
    module: Vec<String>,
    in_tests: bool,
    found: Vec<Named>,
}

impl Reader {
    fn add(&mut self, parts: Vec<String>, line: usize) {
        let parts = self.imports.absolute(&self.module, parts);
        self.found.push(Named { parts, in_tests: self.in_tests, line });
    }

    fn add_tokens(&mut self, tokens: &TokenStream, texts: Texts) {
        for (parts, line) in token_paths(tokens, texts) {
            self.add(parts, line);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let around = self.in_tests;
        self.in_tests |= is_cfg_test(attributes(item));
        visit::visit_item(self, item);
        self.in_tests = around;
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.unraw().to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let line = item.use_token.span.start().line;
        for import in leaves(&item.tree) {
            self.add(import.path, line);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        self.add(vec![item.ident.unraw().to_string()], item.ident.span().start().line);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (2.., Some(last)) = (path.segments.len(), path.segments.last()) {
            let parts = path.segments.iter().map(|part| part.ident.unraw().to_string()).collect();
            self.add(parts, last.ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.add_tokens(&call.tokens, Texts::LeaveOut);
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.add_tokens(&list.tokens, Texts::Read),
            Meta::NameValue(_) | Meta::Path(_) => {}
        }
        visit::visit_attribute(self, attribute);
    }
}

fn named(file: &str, text: &str) -> Vec<String> {
    paths(&Source::new(file, text)).into_iter().map(|named| named.parts.join("::")).collect()
}

#[test]
fn imports_are_written_out() {
    assert_eq!(named("a.rs", "use kube;"), ["kube"]);
    assert_eq!(
        named("a.rs", "pub(crate) use ::kube::{Api, core::{self as c, X}};"),
        ["kube::Api", "kube::core", "kube::core::X"]
    );
    assert_eq!(named("a.rs", "use kube as k; extern crate tokio as t;"), ["kube", "tokio"]);
    assert_eq!(
        named("a.rs", "use crate::*; use crate::{api, domain::*};"),
        ["crate::*", "crate::api", "crate::domain::*"]
    );
    assert_eq!(
        named("a/b.rs", "use super::super::portal::X; use super::c; use self::d;"),
        ["crate::portal::X", "crate::a::c", "crate::a::b::d"]
    );
    assert_eq!(named("a.rs", "use technical_user_operator::api;"), ["crate::api"]);
}

#[test]
fn names_for_others_are_written_out() {
    assert_eq!(
        named("a.rs", "use std::collections as c; type T = c::HashMap<u8, u8>;"),
        ["std::collections", "std::collections::HashMap"]
    );
    assert_eq!(
        named("a.rs", "use crate::portal; use portal::catena_x as c; fn f() { c::g() }"),
        ["crate::portal", "crate::portal::catena_x", "crate::portal::catena_x::g"]
    );
    assert_eq!(
        named("a.rs", "use std::{fmt, env as e}; mod x { use super::*; fn f() { e::var() } }")
            .last()
            .unwrap(),
        "std::env::var"
    );
    assert_eq!(
        named("a/b.rs", "use super::super as up; fn f(x: up::api::X) {}").last().unwrap(),
        "crate::api::X"
    );
    // A name that stands for itself, and one that is imported from a module of its name.
    assert_eq!(named("a.rs", "use kube; use time::time; fn f() { kube::x(); time::y() }").len(), 4);
}

#[test]
fn paths_in_the_code_are_found_too() {
    assert_eq!(
        named("a.rs", "fn f(x: Vec<kube::Api<X>>) { tokio::spawn::<T>(y) }"),
        ["kube::Api", "tokio::spawn"]
    );
    assert_eq!(named("a.rs", "#[tokio::test] fn kube() { kube.kube = 1; }"), ["tokio::test"]);
    assert_eq!(
        named("a.rs", "#[derive(kube::CustomResource)] struct S; fn f() { <S as crate::api::T>::f(); }"),
        ["kube::CustomResource", "crate::api::T::f"]
    );
    assert_eq!(
        named("a.rs", "pub(in crate::api) struct S; fn f() { r#tokio::r#type() }"),
        ["crate::api", "tokio::type"]
    );
    assert_eq!(
        named("a.rs", "impl<T: kube::Resource> A for T where T: ::reqwest::X {}"),
        ["kube::Resource", "reqwest::X"]
    );
}

#[test]
fn macros_and_attributes_are_read() {
    assert_eq!(named("a.rs", "fn f() { kube::x!(a, vec![tokio::b(\"c::d\")]) }"), ["tokio::b", "kube::x"]);
    assert_eq!(
        named("a.rs", "macro_rules! m { () => { use $crate::{api, domain::x}; } }"),
        ["crate::api", "crate::domain::x"]
    );
    assert_eq!(
        named("a.rs", "use std::env as e; fn f() { println!(\"{}\", e::var()) }").last().unwrap(),
        "std::env::var"
    );
    assert_eq!(named("a.rs", "#[serde(with = \"crate::api::x\")] struct S;"), ["crate::api::x"]);
    assert_eq!(named("a.rs", "/// [`kube::X`]\n#[doc = \"kube::Y\"] struct S;"), Vec::<String>::new());
}

#[test]
fn modules_within_a_file_count_for_super() {
    let source = "mod tests { use super::super::portal; mod x { use super::super::y; } } use super::z;";
    assert_eq!(named("a.rs", source), ["crate::portal", "crate::a::y", "crate::z"]);
}

#[test]
fn what_is_for_tests_only_is_known() {
    let text = "use a::a; #[cfg(test)] mod tests { fn f() { b::b(); } } use c::c; #[cfg(test)] use d::d; use e::e; \
                #[cfg(test)] fn g() { f::f() } use h::h; #[cfg(not(test))] use i::i;";
    let found: Vec<_> =
        paths(&Source::new("m.rs", text)).into_iter().map(|n| (n.parts[0].clone(), n.in_tests)).collect();
    let expected = [
        ("a", false),
        ("b", true),
        ("c", false),
        ("d", true),
        ("e", false),
        ("f", true),
        ("h", false),
        ("i", false),
    ];
    assert_eq!(found, expected.map(|(name, tests)| (name.to_owned(), tests)));
    assert!(paths(&Source::new("m/tests.rs", "use a::a;"))[0].in_tests);
}
