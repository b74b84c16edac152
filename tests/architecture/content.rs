//! The texts of a source and the macros that it calls, its tests and its documentation aside.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, LitStr, Macro, Meta};

use crate::source::{Source, attributes, is_cfg_test};

/// What is read from a source.
#[derive(Default)]
pub struct Content {
    /// The texts, also those among the arguments of macros and attributes.
    pub texts: Vec<String>,
    /// The macros that are called, by the last part of their names, with their arguments.
    pub calls: Vec<(String, TokenStream)>,
}

impl Content {
    /// Reads a source.
    pub fn of(source: &Source) -> Self {
        let mut content = Self::default();
        if !source.is_for_tests() {
            content.visit_file(&source.parse());
        }
        content
    }

    fn read(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    if let Some(name) = called(&tokens[..at]) {
                        self.calls.push((name, group.stream()));
                    }
                    self.read(&group.stream());
                }
                TokenTree::Literal(literal) => {
                    self.texts.extend(syn::parse_str(&literal.to_string()).map(|text: LitStr| text.value()));
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

/// The macro whose arguments follow these tokens.
fn called(before: &[TokenTree]) -> Option<String> {
    match before {
        [.., TokenTree::Ident(name), TokenTree::Punct(sign)] if sign.as_char() == '!' => {
            Some(name.to_string())
        }
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Content {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_cfg_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.texts.push(text.value());
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.segments.last().map(|part| part.ident.to_string());
        self.calls.push((name.unwrap_or_default(), call.tokens.clone()));
        self.read(&call.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.read(&list.tokens),
            Meta::NameValue(_) | Meta::Path(_) => {}
        }
    }
}

#[test]
fn texts_and_calls_are_found() {
    let text = r#"
        //! no "text"
        /// no "text"
        #[error("a {x}")]
        const A: &str = "b";
        fn f() { g(c::info!(x, "c", vec![warn!("d")])); }
        #[cfg(test)]
        mod tests { const A: &str = "e"; }
    "#;
    let content = Content::of(&Source::new("x.rs", text));
    assert_eq!(content.texts, ["a {x}", "b", "c", "d"]);
    let names: Vec<_> = content.calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["info", "vec", "warn"]);
}
