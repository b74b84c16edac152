//! What names stand for by the imports of a file: `use`, also with another name, and `extern crate`.

use std::collections::BTreeMap;

use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{ItemExternCrate, ItemMod, ItemUse, UseTree};

/// How often a name may stand for another one.
const LONGEST_CHAIN: usize = 8;

/// The names that a file imports, by module. An import in a function counts for the whole module.
pub struct Imports {
    module: Vec<String>,
    names: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Imports {
    /// The imports of a file that is this module.
    pub fn of(module: Vec<String>, syntax: &syn::File) -> Self {
        let mut imports = Self { module, names: BTreeMap::new() };
        imports.visit_file(syntax);
        imports
    }

    /// The path from the root that is meant by `parts` in `module`: without `self`, `super` and names for others.
    pub fn absolute(&self, module: &[String], parts: Vec<String>) -> Vec<String> {
        let mut parts = parts;
        for _ in 0..LONGEST_CHAIN {
            if let Some(absolute) = from_module(module, &parts) {
                return absolute;
            }
            let Some(known) = self.known(module, &parts[0]) else { break };
            let done = known[0] == parts[0];
            parts.splice(..1, known.iter().cloned());
            if done {
                break;
            }
        }
        parts
    }

    /// What a name stands for in a module, or in one around it, whose names a glob may import.
    fn known(&self, module: &[String], name: &str) -> Option<&Vec<String>> {
        let around = |length: &usize| self.names.get(&(module[..*length].to_vec(), name.to_owned()));
        (0..=module.len()).rev().find_map(|length| around(&length))
    }

    fn add(&mut self, name: String, path: Vec<String>) {
        let path = from_module(&self.module, &path).unwrap_or(path);
        if path.first() != Some(&name) || path.len() > 1 {
            self.names.insert((self.module.clone(), name), path);
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.unraw().to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in leaves(&item.tree) {
            if let Some(name) = import.name {
                self.add(name, import.path);
            }
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
        self.add(name.unraw().to_string(), vec![item.ident.unraw().to_string()]);
    }
}

/// One path of a tree of imports.
pub struct Import {
    /// The path; a glob ends with `*`.
    pub path: Vec<String>,
    /// The name that it has from then on; a glob has none.
    pub name: Option<String>,
}

/// All paths of a tree of imports.
pub fn leaves(tree: &UseTree) -> Vec<Import> {
    fn walk(tree: &UseTree, before: &[String], found: &mut Vec<Import>) {
        let with = |name: &syn::Ident| -> Vec<String> {
            before.iter().cloned().chain([name.unraw().to_string()]).collect()
        };
        // `{self}` names what is before it.
        let named = |name: &syn::Ident| if name == "self" { before.to_vec() } else { with(name) };
        match tree {
            UseTree::Path(path) => walk(&path.tree, &with(&path.ident), found),
            UseTree::Name(name) => {
                let path = named(&name.ident);
                found.push(Import { name: path.last().cloned(), path });
            }
            UseTree::Rename(rename) => {
                let name = rename.rename.unraw().to_string();
                found.push(Import { path: named(&rename.ident), name: Some(name) });
            }
            UseTree::Glob(_) => {
                let path = before.iter().cloned().chain(["*".to_owned()]).collect();
                found.push(Import { path, name: None });
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| walk(item, before, found)),
        }
    }
    let mut found = Vec::new();
    walk(tree, &[], &mut found);
    // `use self::{self as x}` and similar forms name the module itself.
    found.retain(|import| !import.path.is_empty());
    found
}

/// The path from the root, where it begins with `crate`, `self` or `super`, or with the crate's own name.
fn from_module(module: &[String], parts: &[String]) -> Option<Vec<String>> {
    let (first, rest) = parts.split_first()?;
    let mut all = vec!["crate".to_owned()];
    match first.as_str() {
        "crate" | "technical_user_operator" => {}
        "self" | "super" => {
            all.extend_from_slice(module);
            if first == "super" {
                all.pop();
            }
        }
        _ => return None,
    }
    for part in rest {
        match part.as_str() {
            "super" => drop(all.pop()),
            "self" => {}
            _ => all.push(part.clone()),
        }
    }
    Some(all)
}
