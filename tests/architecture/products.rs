//! A portal's product is named where the variants of the spec and the clients are, and in `site`, which knows both. What is above
//! them serves every portal: also its messages take the names of permissions and roles from the portal's client.

use proc_macro2::{TokenStream, TokenTree};

use crate::content::Content;
use crate::source::{Source, sources};

/// The names of products.
const PRODUCTS: &[&str] = &["catena", "cofinity"];

/// Names that a product has for permissions and roles.
const WORDS_OF_PRODUCTS: &[&str] =
    &["tech_user_management", "technical_roles_management", "Connector Management", "Offer Management"];

/// Where they may stand.
const PLACES: &[&str] = &["api/portal/", "portal/", "site.rs"];

/// A form of a product, with its words.
const FORM: &str = "domain/format/data_space_integration.rs";

fn identifiers(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => identifiers(group.stream(), found),
            TokenTree::Ident(name) => found.push(name.to_string()),
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The identifiers of a source that name a product.
fn named(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    identifiers(source.text.parse().unwrap(), &mut found);
    found.retain(|name| PRODUCTS.iter().any(|product| name.to_lowercase().contains(product)));
    found
}

fn is_above(source: &Source) -> bool {
    !PLACES.iter().any(|place| source.file.starts_with(place))
}

#[test]
fn no_layer_above_names_a_make() {
    for source in sources().iter().filter(|source| is_above(source)) {
        assert_eq!(named(source), Vec::<String>::new(), "src/{}: move it to src/site.rs", source.file);
    }
}

/// The texts of a source that have a product's name of a permission or a role.
fn texts_of_products(source: &Source) -> Vec<String> {
    let mut texts = Content::of(source).texts;
    texts.retain(|text| WORDS_OF_PRODUCTS.iter().any(|word| text.contains(word)));
    texts
}

#[test]
fn no_message_above_has_a_permission_or_a_role_of_a_make() {
    let mut form_has_them = false;
    for source in sources().iter().filter(|source| is_above(source)) {
        let found = texts_of_products(source);
        if source.file == FORM {
            form_has_them = !found.is_empty();
            continue;
        }
        let advice = "take the name from the capabilities of the portal";
        assert!(found.is_empty(), "src/{}: {advice}: {found:#?}", source.file);
    }
    assert!(form_has_them, "src/{FORM} needs no exception any more");
}

#[test]
fn a_permission_is_found_in_a_message() {
    let found = |text: &str| texts_of_products(&Source::new("controller/x.rs", text));
    assert_eq!(found("fn f() -> String { format!(\"{a}: view_tech_user_management\") }").len(), 1);
    assert_eq!(found("const A: &str = \"the role \\\"Connector Management\\\"\";").len(), 1);
    assert!(found("// delete_tech_user_management\nconst A: &str = \"delete\";").is_empty());
}

#[test]
fn a_portal_product_is_found_by_its_field_and_its_type() {
    let found = |text: &str| named(&Source::new("controller/x.rs", text));
    assert_eq!(found("fn f(x: X) -> bool { x.catena_x.is_some() }"), ["catena_x"]);
    assert_eq!(found("fn f(x: X) -> Y { Y::CofinityX(vec![x]) }"), ["CofinityX"]);
    assert!(found("//! Catena-X\nconst A: &str = \"catenaX\";").is_empty());
}
