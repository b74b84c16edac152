//! A portal's make is named where the variants of the spec and the clients are, and in `site`, which knows both. What is above
//! them serves every portal.

use proc_macro2::{TokenStream, TokenTree};

use crate::source::{Source, sources};

/// The names of makes.
const MAKES: &[&str] = &["catena", "cofinity"];

/// Where they may stand.
const PLACES: &[&str] = &["api/portal/", "portal/", "site.rs"];

fn identifiers(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => identifiers(group.stream(), found),
            TokenTree::Ident(name) => found.push(name.to_string()),
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The identifiers of a source that name a make.
fn named(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    identifiers(source.text.parse().unwrap(), &mut found);
    found.retain(|name| MAKES.iter().any(|make| name.to_lowercase().contains(make)));
    found
}

#[test]
fn no_layer_above_names_a_make() {
    let above = |source: &&Source| !PLACES.iter().any(|place| source.file.starts_with(place));
    for source in sources().iter().filter(above) {
        assert_eq!(named(source), Vec::<String>::new(), "src/{}: move it to src/site.rs", source.file);
    }
}

#[test]
fn a_make_is_found_by_its_field_and_its_type() {
    let found = |text: &str| named(&Source::new("controller/x.rs", text));
    assert_eq!(found("fn f(x: X) -> bool { x.catena_x.is_some() }"), ["catena_x"]);
    assert_eq!(found("fn f(x: X) -> Y { Y::CofinityX(vec![x]) }"), ["CofinityX"]);
    assert!(found("//! Catena-X\nconst A: &str = \"catenaX\";").is_empty());
}
