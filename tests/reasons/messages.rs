//! `docs/messages.md` lists the messages of each reason. It is generated from the sources of the operator.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::rc::Rc;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Token};
use technical_user_operator::domain::reason::Reason;

use super::texts::{Items, Names, converts};
use super::{root, sources};

const PAGE: &str = "docs/messages.md";
const WRITE: &str = "make messages";
const INTRODUCTION: &str = "# Messages\n
The messages of conditions and Events, by reason. Use this page to find the reason of a text that you see, or the texts that
a rule for alerts should expect. [Reasons](reasons.md) explains each reason and what to do.\n
A name such as `<id>` stands for a value that only the running operator knows. A line that is only such a name is a text that
the operator takes from an error or composes of several texts. A message may have more words before or after a text of this
page. Reasons are stable. The words of a message may change with a release, and the changelog then says so.\n
<!-- Generated from the sources, do not edit: run make messages -->\n";

/// Reasons without a fixed text in their messages, and where the text comes from.
const COMPOSED: [(&str, &str); 5] = [
    ("CaBundleInvalid", "The object or key that does not exist, or the certificates that cannot be used."),
    ("MayNotDelete", "The permissions that the login lacks."),
    ("PortalFailing", "The error of the call to the portal or to its identity provider."),
    ("TokenNotStored", "The error of the write of the session Secret."),
    ("VaultFailing", "The error of the call to Vault."),
];

/// The messages of each reason.
type Messages = BTreeMap<String, BTreeSet<String>>;

/// Finds the messages that stand beside a reason: as arguments of one call, or in one tuple or one structure.
struct Collector<'a> {
    names: Names,
    found: &'a mut Messages,
}

impl Collector<'_> {
    fn beside<'e>(&mut self, values: impl Iterator<Item = &'e Expr> + Clone) {
        let reasons: Vec<_> = values.clone().flat_map(|value| self.reasons(value)).collect();
        if reasons.is_empty() {
            return;
        }
        let texts: Vec<_> = values
            .filter(|value| is_text(value) && self.reasons(value).is_empty())
            .flat_map(|value| {
                // A call that yields no text is another argument, such as the object of an Event.
                let other = |text: &String| matches!(value, Expr::Call(_)) && is_placeholder(text);
                self.names.texts(value).into_iter().filter(move |text| !other(text))
            })
            .filter(|text| text.contains(' ') || is_placeholder(text))
            .collect();
        for reason in reasons {
            self.found.entry(reason).or_default().extend(texts.iter().cloned());
        }
    }

    /// The reasons that a value may be.
    fn reasons(&self, value: &Expr) -> Vec<String> {
        match value {
            Expr::Path(path) => {
                let segments: Vec<_> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
                match segments.as_slice() {
                    [.., kind, name] if kind == "Reason" && name != "ALL" => vec![name.clone()],
                    [name] => {
                        self.names.locals.get(name).map(|set| reasons_of_choice(set)).unwrap_or_default()
                    }
                    _ => Vec::new(),
                }
            }
            Expr::MethodCall(call) if call.method == "as_str" => self.reasons(&call.receiver),
            Expr::If(_) | Expr::Match(_) => reasons_of_choice(value),
            _ => Vec::new(),
        }
    }
}

/// The reasons that the branches of a condition name.
fn reasons_of_choice(value: &Expr) -> Vec<String> {
    #[derive(Default)]
    struct Named(Vec<String>);
    impl<'ast> Visit<'ast> for Named {
        fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
            let segments: Vec<_> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
            if let [.., kind, name] = segments.as_slice()
                && kind == "Reason"
                && name != "ALL"
            {
                self.0.push(name.clone());
            }
        }
    }
    let mut named = Named::default();
    if matches!(value, Expr::If(_)) {
        named.visit_expr(value);
    }
    named.0
}

/// Whether a value beside a reason can be its message.
fn is_text(value: &Expr) -> bool {
    let text = |name: &str| {
        let named = ["message", "words", "note", "text", "what", "why"].contains(&name);
        named || name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    };
    match value {
        Expr::Reference(inner) => is_text(&inner.expr),
        Expr::Lit(literal) => matches!(literal.lit, syn::Lit::Str(_)),
        Expr::Macro(_) | Expr::If(_) | Expr::Match(_) | Expr::Binary(_) | Expr::Block(_) => true,
        Expr::Path(path) => path.path.get_ident().is_some_and(|name| text(&name.to_string())),
        Expr::MethodCall(call) => {
            call.method != "clone" && call.method != "into" && converts(&call.method.to_string())
        }
        // A variant such as `Some(true)` is no text.
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                let name = path.path.segments.last().map(|segment| segment.ident.to_string());
                name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
            }
            _ => false,
        },
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let outer = self.names.locals.clone();
        visit::visit_block(self, block);
        self.names.locals = outer;
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        visit::visit_local(self, local);
        self.names.remember(local);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        self.beside(call.args.iter());
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.beside(call.args.iter());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_tuple(&mut self, tuple: &'ast syn::ExprTuple) {
        self.beside(tuple.elems.iter());
        visit::visit_expr_tuple(self, tuple);
    }

    fn visit_expr_struct(&mut self, structure: &'ast syn::ExprStruct) {
        self.beside(structure.fields.iter().map(|field| &field.expr));
        visit::visit_expr_struct(self, structure);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        for argument in call.parse_body_with(parser).into_iter().flatten() {
            // What a macro compares is no message, so only what is within its arguments counts.
            Collector { names: self.names.clone(), found: self.found }.visit_expr(&argument);
        }
    }
}

/// Whether a text is only the name of a value.
fn is_placeholder(text: &str) -> bool {
    text.starts_with('<') && text.ends_with('>') && text.matches('<').count() == 1
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// The constants and functions of a file, its tests aside.
fn items_of(file: &[Item], known: &mut Items) {
    for item in file {
        match item {
            Item::Const(constant) => {
                known.constants.insert(constant.ident.to_string(), Rc::new((*constant.expr).clone()));
            }
            Item::Fn(function) => {
                known.functions.insert(function.sig.ident.to_string(), Rc::new((*function.block).clone()));
            }
            Item::Impl(implementation) => {
                for item in &implementation.items {
                    if let syn::ImplItem::Fn(function) = item {
                        known
                            .functions
                            .insert(function.sig.ident.to_string(), Rc::new(function.block.clone()));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The messages of all reasons, from the sources.
fn messages() -> Messages {
    let files: Vec<_> = sources()
        .into_iter()
        .map(|(file, text)| syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}")))
        .collect();
    let mut all = Items::default();
    for file in &files {
        items_of(&file.items, &mut all);
    }
    let mut found = Messages::new();
    for file in &files {
        // A name of the file itself comes before the same name of another one.
        let mut items = all.clone();
        items_of(&file.items, &mut items);
        let names = Names { items: Rc::new(items), ..Names::default() };
        Collector { names, found: &mut found }.visit_file(file);
    }
    found
}

fn page(messages: &Messages) -> String {
    let mut page = vec![INTRODUCTION.to_owned()];
    for (reason, texts) in messages {
        page.push(format!("## {reason}\n"));
        page.extend(
            COMPOSED.iter().filter(|(name, _)| name == reason).map(|(_, source)| format!("{source}\n")),
        );
        let listed = |text: &String| format!("* `{}`", text.split_whitespace().collect::<Vec<_>>().join(" "));
        page.extend(texts.iter().map(listed));
        page.push(String::new());
    }
    page.join("\n")
}

#[test]
fn the_page_lists_the_messages_of_the_sources() {
    let page = page(&messages());
    let path = root().join(PAGE);
    if std::env::var_os("UPDATE_MESSAGES").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "{PAGE} does not list the messages of the sources: run {WRITE}");
}

#[test]
fn each_reason_has_a_message() {
    let messages = messages();
    let fixed = |text: &String| !is_placeholder(text);
    for reason in Reason::ALL {
        let has_text = messages.get(reason.as_str()).is_some_and(|texts| texts.iter().any(fixed));
        let composed = COMPOSED.iter().any(|(name, _)| *name == reason.as_str());
        assert!(has_text || composed, "{reason:?} has no message that is found: list it in COMPOSED");
        assert!(!(has_text && composed), "{reason:?} has a message: remove it from COMPOSED");
    }
}

/// Whether a message begins with a capital letter, with a value, or with a name, such as `spec.suspend` or `insecureHttp`.
fn begins_as_a_sentence(message: &str) -> bool {
    let first = message.split_whitespace().next().unwrap_or_default();
    let is_name = || first.contains('.') || first.contains(|c: char| c.is_uppercase());
    message.starts_with(|c: char| c.is_uppercase() || c == '<' || c == '"') || is_name()
}

#[test]
fn each_message_begins_as_a_sentence() {
    for (reason, texts) in messages() {
        for text in texts {
            assert!(begins_as_a_sentence(&text), "{reason}: {text}");
        }
    }
    assert!(begins_as_a_sentence("spec.suspend is true") && !begins_as_a_sentence("the user is gone"));
}
