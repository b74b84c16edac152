//! The texts that an expression may yield, as a reader of a message sees them.

use std::collections::BTreeMap;
use std::rc::Rc;

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{BinOp, Block, Expr, ExprMacro, Lit, Stmt, Token};

/// How many functions and variables are followed to find a text.
const DEPTH: usize = 6;

/// The constants and functions that an expression may name.
#[derive(Default, Clone)]
pub struct Items {
    /// Constants by their name.
    pub constants: BTreeMap<String, Rc<Expr>>,
    /// The bodies of functions by their name.
    pub functions: BTreeMap<String, Rc<Block>>,
}

/// What names in an expression stand for. Cheap to clone.
#[derive(Default, Clone)]
pub struct Names {
    /// What the sources define.
    pub items: Rc<Items>,
    /// The variables of the function that is read.
    pub locals: BTreeMap<String, Rc<Expr>>,
}

impl Names {
    /// All texts that the expression may yield. What only the running program knows is `<name>`.
    pub fn texts(&self, expr: &Expr) -> Vec<String> {
        self.follow(expr, DEPTH)
    }

    fn follow(&self, expr: &Expr, depth: usize) -> Vec<String> {
        let Some(less) = depth.checked_sub(1) else { return vec![placeholder(expr)] };
        match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => vec![text.value()],
                _ => vec![placeholder(expr)],
            },
            Expr::Macro(call) if call.mac.path.is_ident("format") => self.formatted(call, less),
            Expr::Reference(inner) => self.follow(&inner.expr, depth),
            Expr::Paren(inner) => self.follow(&inner.expr, depth),
            Expr::If(branches) => {
                let mut texts = self.block(&branches.then_branch, less);
                texts.extend(branches.else_branch.iter().flat_map(|(_, other)| self.follow(other, less)));
                texts
            }
            Expr::Match(choice) => choice.arms.iter().flat_map(|arm| self.follow(&arm.body, less)).collect(),
            Expr::Block(inner) => self.block(&inner.block, less),
            Expr::MethodCall(call) if converts(&call.method.to_string()) => {
                self.follow(&call.receiver, depth)
            }
            Expr::Call(call) => {
                let function = last_name(&call.func).and_then(|name| self.items.functions.get(&name));
                function.map_or_else(|| vec![placeholder(expr)], |body| self.block(body, less))
            }
            Expr::Path(_) => self.named(expr, less),
            Expr::Binary(sum) if matches!(sum.op, BinOp::Add(_)) => {
                let ends = self.follow(&sum.right, less);
                let joined = |start: String| ends.iter().map(move |end| format!("{start}{end}"));
                self.follow(&sum.left, less).into_iter().flat_map(joined).collect()
            }
            _ => vec![placeholder(expr)],
        }
    }

    /// The texts of a constant or a variable.
    fn named(&self, expr: &Expr, depth: usize) -> Vec<String> {
        let name = last_name(expr).unwrap_or_default();
        match self.locals.get(&name).or_else(|| self.items.constants.get(&name)) {
            Some(value) => {
                // A variable may be set again from itself.
                let mut outer = self.clone();
                outer.locals.remove(&name);
                outer.follow(value, depth)
            }
            None => vec![placeholder(expr)],
        }
    }

    /// The texts of a block's last expression, which may name the variables of the block.
    fn block(&self, block: &Block, depth: usize) -> Vec<String> {
        let mut inside = self.clone();
        for statement in &block.stmts {
            if let Stmt::Local(local) = statement {
                inside.remember(local);
            }
        }
        match block.stmts.last() {
            Some(Stmt::Expr(expr, None)) => inside.follow(expr, depth),
            Some(Stmt::Macro(last)) if last.semi_token.is_none() => {
                let call = ExprMacro { attrs: Vec::new(), mac: last.mac.clone() };
                inside.follow(&Expr::Macro(call), depth)
            }
            _ => Vec::new(),
        }
    }

    /// Remembers what a variable is set to.
    pub fn remember(&mut self, local: &syn::Local) {
        if let (Some(name), Some(init)) = (variable(&local.pat), &local.init) {
            self.locals.insert(name, Rc::new((*init.expr).clone()));
        }
    }

    /// The texts of `format!`: one for each text that its constants and conditions may yield.
    fn formatted(&self, call: &ExprMacro, depth: usize) -> Vec<String> {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let Ok(arguments) = parser.parse2(call.mac.tokens.clone()) else { return Vec::new() };
        let mut arguments = arguments.into_iter();
        let Some(Expr::Lit(pattern)) = arguments.next() else { return Vec::new() };
        let Lit::Str(pattern) = pattern.lit else { return Vec::new() };
        let mut by_name = BTreeMap::new();
        let mut by_place = Vec::new();
        for argument in arguments {
            match argument {
                Expr::Assign(named) => {
                    by_name.insert(last_name(&named.left).unwrap_or_default(), *named.right);
                }
                other => by_place.push(other),
            }
        }
        let mut places = by_place.into_iter();
        let mut texts = vec![String::new()];
        for part in parts(&pattern.value()) {
            let values = match part {
                Part::Text(text) => vec![text],
                Part::Value(name) => {
                    let value = if name.is_empty() { places.next() } else { by_name.get(&name).cloned() };
                    let value = value.or_else(|| syn::parse_str(&name).ok());
                    value.map_or_else(|| vec![format!("<{name}>")], |value| self.value(&value, depth))
                }
            };
            texts = texts
                .iter()
                .flat_map(|text| values.iter().map(move |value| format!("{text}{value}")))
                .collect();
        }
        texts
    }

    /// A value within a text: its texts if they are fixed and few, otherwise its name.
    fn value(&self, expr: &Expr, depth: usize) -> Vec<String> {
        let texts = self.follow(expr, depth);
        let plain = |text: &String| !text.starts_with('<') || text.len() > 40;
        if !texts.is_empty() && texts.len() <= 4 && texts.iter().all(plain) {
            texts
        } else {
            vec![placeholder(expr)]
        }
    }
}

/// A part of a format string.
enum Part {
    Text(String),
    Value(String),
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let mut text = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(next) = chars.next() {
        if (next == '{' || next == '}') && chars.peek() == Some(&next) {
            chars.next();
            text.push(next);
        } else if next == '{' {
            found.push(Part::Text(std::mem::take(&mut text)));
            let value: String = chars.by_ref().take_while(|c| *c != '}').collect();
            found.push(Part::Value(value.split(':').next().unwrap_or_default().to_owned()));
        } else {
            text.push(next);
        }
    }
    found.push(Part::Text(text));
    found
}

/// Methods that do not change a text.
pub fn converts(method: &str) -> bool {
    ["to_owned", "to_string", "into", "clone", "as_str", "as_ref"].contains(&method)
}

/// The name of a value that only the running program knows.
fn placeholder(expr: &Expr) -> String {
    format!(
        "<{}>",
        last_name(expr).unwrap_or_else(|| "value".to_owned()).trim_start_matches('_').replace('_', " ")
    )
}

/// The name that says most of an expression: of the field, the function or the receiver.
fn last_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.to_string()),
            syn::Member::Unnamed(_) => last_name(&field.base),
        },
        Expr::MethodCall(call) => last_name(&call.receiver),
        Expr::Call(call) => call.args.first().and_then(last_name).or_else(|| last_name(&call.func)),
        Expr::Reference(inner) => last_name(&inner.expr),
        Expr::Unary(inner) => last_name(&inner.expr),
        Expr::Paren(inner) => last_name(&inner.expr),
        Expr::Index(index) => last_name(&index.expr),
        Expr::Try(inner) => last_name(&inner.expr),
        Expr::Await(inner) => last_name(&inner.base),
        _ => None,
    }
}

/// The name of a pattern that is a single variable.
fn variable(pattern: &syn::Pat) -> Option<String> {
    match pattern {
        syn::Pat::Ident(ident) => Some(ident.ident.to_string()),
        syn::Pat::Type(typed) => variable(&typed.pat),
        _ => None,
    }
}
