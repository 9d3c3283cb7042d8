//! Weaves all mutants into one source, each behind a switch: `weave LIST DROPPED FROM TO`.
//!
//! `LIST` is what `cargo mutants --list --json` prints: a mutant's number is its place there, from 1. Those whose numbers are
//! in `DROPPED` are left out. Sources are read below `FROM` and written below `TO`; to standard output goes which text of them
//! is which mutant's, as JSON, so that what the compiler says can be laid at its door.
//!
//! What stands where a mutant changes something becomes `if on(7) { as mutated } else { as it is }`; in its first half nothing
//! else is woven, because one mutant is alive at a time. A mutant is text in the place of text, as for cargo-mutants: the first
//! `&&` of `a && b && c` becomes `a || (b && c)`, so operators of one chain are written out as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use proc_macro2::{LineColumn, Span};
use serde_json::{Value, json};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, Member, ReturnType, Signature, Type, TypeParamBound};

type Place = (String, usize, usize);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, dropped, from, to] = arguments.as_slice() else { panic!("weave LIST DROPPED FROM TO") };
    let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(list).unwrap()).unwrap();
    let dropped = std::fs::read_to_string(dropped).unwrap_or_default();
    let dropped: BTreeSet<u32> = dropped.lines().map(|line| line.parse().unwrap()).collect();
    let mut files: BTreeMap<String, BTreeMap<Place, Vec<(u32, String)>>> = BTreeMap::new();
    for (number, mutant) in (1..).zip(&list) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let file = files.entry(text(&mutant["file"])).or_default();
        if dropped.contains(&number) {
            continue;
        }
        let start = |name: &str| mutant["span"]["start"][name].as_u64().unwrap() as usize;
        let place = (text(&mutant["genre"]), start("line"), start("column") - 1);
        file.entry(place).or_default().push((number, text(&mutant["replacement"])));
    }
    let mut map = serde_json::Map::new();
    let mut woven = BTreeSet::new();
    for (file, mutants) in files {
        let source = std::fs::read_to_string(Path::new(from).join(&file)).unwrap();
        let mut weaver = Weaver { source: &source, mutants, edits: Vec::new() };
        weaver.visit_file(&syn::parse_file(&source).unwrap());
        let (text, pieces) = weaver.written(&mut woven);
        std::fs::write(Path::new(to).join(&file), text).unwrap();
        map.insert(file, pieces);
    }
    println!("{}", json!({ "files": map, "woven": woven }));
}

/// Text to be put before something, or after it. What is a mutant's own is told apart.
struct Edit {
    at: usize,
    after: bool,
    text: Vec<(String, Option<u32>)>,
    node: usize,
}

struct Weaver<'a> {
    source: &'a str,
    mutants: BTreeMap<Place, Vec<(u32, String)>>,
    edits: Vec<Edit>,
}

impl Weaver<'_> {
    fn of(&self, genre: &str, at: LineColumn) -> Vec<(u32, String)> {
        self.mutants.get(&(genre.to_owned(), at.line, at.column)).cloned().unwrap_or_default()
    }

    fn wrap(&mut self, range: Range<usize>, before: Vec<(String, Option<u32>)>, after: &str) {
        let node = self.edits.len();
        self.edits.push(Edit { at: range.start, after: false, text: before, node });
        self.edits.push(Edit { at: range.end, after: true, text: vec![(after.to_owned(), None)], node });
    }

    /// `(if on(7) { as mutated } else { as it is })`, for each of them.
    fn switch(&mut self, range: Range<usize>, mutated: Vec<(u32, String)>) {
        if mutated.is_empty() {
            return;
        }
        let mut before = vec![("(".to_owned(), None)];
        for (number, text) in mutated {
            before.push((format!("if crate::mutants::on({number}) {{ {text} }}"), Some(number)));
            before.push((" else ".to_owned(), None));
        }
        before.push(("{ ".to_owned(), None));
        self.wrap(range, before, " })");
    }

    /// The text of `whole` with `part` replaced.
    fn replaced(&self, whole: &Range<usize>, part: &Range<usize>, with: &str) -> String {
        format!("{}{with}{}", &self.source[whole.start..part.start], &self.source[part.end..whole.end])
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        let (Some(first), Some(last)) = (block.stmts.first(), block.stmts.last()) else { return };
        let mutants = self.of("FnValue", first.span().start());
        let body = first.span().byte_range().start..last.span().byte_range().end;
        if mutants.is_empty() {
            return;
        }
        if let Some(item) = iterated(&signature.output) {
            let item = &self.source[item.byte_range()];
            let mut before = vec![(format!("let woven: Box<dyn Iterator<{item}> + '_> = "), None)];
            for (number, text) in mutants {
                before.push((format!("if crate::mutants::on({number}) {{ Box::new({text}) }}"), Some(number)));
                before.push((" else ".to_owned(), None));
            }
            before.push(("{ Box::new({ ".to_owned(), None));
            self.wrap(body, before, " }) }; woven");
        } else {
            let early =
                |(number, text)| (format!("if crate::mutants::on({number}) {{ return {text}; }} "), Some(number));
            self.wrap(body, mutants.into_iter().map(early).collect(), "");
        }
    }

    /// The operators of one chain below `expr`: of which mutants are listed, and where.
    fn operators(&self, expr: &Expr, family: u8, found: &mut Vec<(Range<usize>, u32, String)>) {
        if let Expr::Binary(binary) = expr
            && family_of(&binary.op) == family
        {
            let op = binary.op.span();
            let mutants = self.of("BinaryOperator", op.start()).into_iter();
            found.extend(mutants.map(|(number, text)| (op.byte_range(), number, text)));
            self.operators(&binary.left, family, found);
            self.operators(&binary.right, family, found);
        }
    }

    /// What is below a chain of operators, without the chain's own.
    fn below(&mut self, expr: &Expr, family: u8) {
        match expr {
            Expr::Binary(binary) if family_of(&binary.op) == family => {
                self.below(&binary.left, family);
                self.below(&binary.right, family);
            }
            _ => self.visit_expr(expr),
        }
    }

    /// The text with all mutants, and what of it is whose: `[from, to, number]` and, around each place, `[from, to, [numbers]]`.
    fn written(mut self, woven: &mut BTreeSet<u32>) -> (String, Value) {
        // At one place what ends there comes first, the innermost of it first; then what begins, the outermost first.
        self.edits.sort_by_key(|edit| {
            let order = isize::try_from(edit.node).unwrap();
            (edit.at, !edit.after, if edit.after { -order } else { order })
        });
        let (mut text, mut at) = (String::new(), 0);
        let (mut own, mut around, mut open) = (Vec::new(), Vec::new(), BTreeMap::new());
        for edit in self.edits {
            text.push_str(&self.source[at..edit.at]);
            at = edit.at;
            let start = text.len();
            let mut numbers = Vec::new();
            for (piece, whose) in edit.text {
                let from = text.len();
                text.push_str(&piece);
                if let Some(number) = whose {
                    own.push(json!([from, text.len(), number]));
                    numbers.push(number);
                    woven.insert(number);
                }
            }
            if edit.after {
                let (from, numbers): (usize, Vec<u32>) = open.remove(&edit.node).unwrap();
                around.push(json!([from, text.len(), numbers]));
            } else {
                open.insert(edit.node, (start, numbers));
            }
        }
        text.push_str(&self.source[at..]);
        (text, json!({ "own": own, "around": around }))
    }
}

impl<'ast> Visit<'ast> for Weaver<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let family = family_of(&binary.op);
        let whole = binary.span().byte_range();
        let mut found = Vec::new();
        let expr = Expr::Binary(binary.clone());
        self.operators(&expr, family, &mut found);
        if !has_let(&expr) {
            let mutated = found.iter().map(|(op, number, text)| (*number, self.replaced(&whole, op, text))).collect();
            self.switch(whole, mutated);
        }
        self.below(&expr, family);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let (whole, op) = (unary.span().byte_range(), unary.op.span());
        let mutants = self.of("UnaryOperator", op.start()).into_iter();
        let mutated = mutants.map(|(number, text)| (number, self.replaced(&whole, &op.byte_range(), &text))).collect();
        self.switch(whole, mutated);
        visit::visit_expr_unary(self, unary);
    }

    /// Arms that cannot all be deleted in turn leave a match without an answer: the compiler points at what is matched.
    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        let arms = expr.arms.iter().flat_map(|arm| self.of("MatchArm", arm.span().start()));
        let before = arms.map(|(number, _)| (String::new(), Some(number))).collect();
        self.wrap(expr.span().byte_range(), before, "");
        visit::visit_expr_match(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        for (number, _) in self.of("MatchArm", arm.span().start()) {
            let text = vec![(format!(" if !crate::mutants::on({number})"), Some(number))];
            let node = self.edits.len();
            self.edits.push(Edit { at: arm.pat.span().byte_range().end, after: false, text, node });
        }
        if let Some((_, guard)) = &arm.guard
            && !has_let(guard)
        {
            let on = |replacement: &str, mutants: &[(u32, String)]| {
                let number = mutants.iter().find(|(_, text)| text == replacement).map(|(number, _)| *number);
                (format!("crate::mutants::on({})", number.unwrap_or(0)), number)
            };
            let mutants = self.of("MatchArmGuard", guard.span().start());
            if !mutants.is_empty() {
                let glue = |text: &str| (text.to_owned(), None);
                let (yes, no) = (on("true", &mutants), on("false", &mutants));
                let before = vec![glue("("), yes, glue(" || (!"), no, glue(" && (")];
                self.wrap(guard.span().byte_range(), before, ")))");
            }
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, expr: &'ast syn::ExprStruct) {
        for field in &expr.fields {
            let (Some(rest), Member::Named(name)) = (&expr.rest, &field.member) else { continue };
            let at = field.expr.span().byte_range();
            for (number, _) in self.of("StructField", field.span().start()) {
                let (path, rest) =
                    (&self.source[expr.path.span().byte_range()], &self.source[rest.span().byte_range()]);
                let other = format!("{{ let whole: {path} = Clone::clone(&({rest})); whole.{name} }}");
                let named = if field.colon_token.is_none() { format!("{name}: ") } else { String::new() };
                let switch = format!("if crate::mutants::on({number}) {other}");
                let before = vec![(named, None), (switch, Some(number)), (" else { ".to_owned(), None)];
                self.wrap(at.clone(), before, " }");
            }
        }
        visit::visit_expr_struct(self, expr);
    }
}

/// Operators that others may bind to when one of them changes: logic, arithmetic; all others stand alone.
fn family_of(op: &BinOp) -> u8 {
    match op {
        BinOp::And(_) | BinOp::Or(_) => 1,
        BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_) => 2,
        BinOp::BitAnd(_) | BinOp::BitOr(_) | BinOp::BitXor(_) | BinOp::Shl(_) | BinOp::Shr(_) => 2,
        _ => 3,
    }
}

/// Whether it is a chain with `let`, which may stand only where it stands.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// `Item = X`, of a function that returns `impl Iterator<Item = X>` and nothing more.
fn iterated(output: &ReturnType) -> Option<Span> {
    let ReturnType::Type(_, output) = output else { return None };
    let Type::ImplTrait(output) = &**output else { return None };
    output.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => match &bound.path.segments.last()?.arguments {
            syn::PathArguments::AngleBracketed(arguments) => Some(arguments.args.span()),
            _ => None,
        },
        _ => None,
    })
}
