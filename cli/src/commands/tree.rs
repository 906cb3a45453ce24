use std::io::Write;

use s3inv::{Below, Index, List, Measure, Node, Order, Scope};
use serde::Serialize;

use super::{Answering, answer, open, scope};
use crate::args::{Output, TreeArgs};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::part::{More, Part, Whole};
use crate::row::Key;
use crate::sheet::{Line, Sheet};
use crate::text;

pub(crate) fn tree(args: &TreeArgs) -> Result<(), Failure> {
    let index = open(&args.scope.index)?;
    let scope = scope(&args.scope);
    let measures = &index.info().schema.measures;
    let order = if measures.has(Measure::Bytes) { Order::Bytes } else { Order::Objects };
    let list = List { order, limit: args.limit, levels: args.depth, ..List::default() };
    let failed = |error| Failure::Index { index: index.name().to_owned(), error };
    let root = index.tree(&scope, &list).map_err(failed)?;
    let root = root.ok_or_else(|| super::not_found(&index, scope.text()))?;
    let whole = Whole::new(index.info(), list.filter.counted, root.listed.count);
    answer(&index, |out| match args.output {
        Output::Text => Text { out, sheet: Sheet::new(whole, args.human) }.all(&index, &scope, &root),
        Output::Json => {
            let heading = Heading::new(index.name(), index.info());
            let partial = scope.exact().is_none();
            let answer = Answer { heading, partial, root: Shown::new(&root, &whole) };
            Ok(writeln!(out, "{}", serde_json::to_string(&answer)?)?)
        }
    })
}

/// A tree for people.
struct Text<'a> {
    out: &'a mut dyn Write,
    sheet: Sheet,
}

impl Text<'_> {
    fn all(&mut self, index: &Index, scope: &Scope, root: &Node) -> Result<(), Answering> {
        self.sheet.heading(self.out, &Heading::new(index.name(), index.info()))?;
        let mut name = text::name(scope.text());
        if scope.exact().is_none() {
            writeln!(self.out, "{}", super::sums_directories(scope))?;
            name.push('*');
        }
        if name.is_empty() {
            name.push_str("(root)");
        }
        self.sheet.titles(self.out)?;
        self.sheet.line(self.out, Line::Total, (root.listed.count, root.listed.newest), ("", &name))?;
        self.below(root, scope.parent().len(), "")
    }

    /// What is below a node, whose own name begins behind so many bytes of the prefixes of its children.
    fn below(&mut self, node: &Node, parent: usize, before: &str) -> Result<(), Answering> {
        let Some(Below { children, rest, directly }) = &node.below else { return Ok(()) };
        let more = (rest.more > 0).then(|| (format!("… {} more", text::count(rest.more)), rest.more_count));
        let here = (directly.objects > 0).then(|| ("(directly here)".to_owned(), *directly));
        let others: Vec<_> = more.into_iter().chain(here).collect();
        let lines = children.len() + others.len();
        let branch =
            |at: usize| if at + 1 < lines { ("├── ", "│   ") } else { ("└── ", "    ") };
        for (at, child) in children.iter().enumerate() {
            let (branch, below) = branch(at);
            let name = text::name(child.listed.prefix.get(parent..).unwrap_or_default());
            let numbers = (child.listed.count, child.listed.newest);
            self.sheet.line(self.out, Line::Prefix, numbers, (&format!("{before}{branch}"), &name))?;
            self.below(child, child.listed.prefix.len(), &format!("{before}{below}"))?;
        }
        for (at, (name, count)) in others.iter().enumerate() {
            let (branch, _) = branch(children.len() + at);
            self.sheet.line(self.out, Line::Other, (*count, None), (&format!("{before}{branch}"), name))?;
        }
        Ok(())
    }
}

/// The tree for programs.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    heading: Heading<'a>,
    partial: bool,
    #[serde(flatten)]
    root: Shown<'a>,
}

/// A node, and what is below it where the tree goes on.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    key: Key<'a>,
    #[serde(flatten)]
    part: Part,
    #[serde(flatten)]
    below: Option<ShownBelow<'a>>,
}

#[derive(Serialize)]
struct ShownBelow<'a> {
    children: Vec<Shown<'a>>,
    more: More,
    directly: Part,
}

impl<'a> Shown<'a> {
    fn new(node: &'a Node, whole: &Whole) -> Self {
        let below = node.below.as_ref().map(|below| ShownBelow {
            children: below.children.iter().map(|child| Self::new(child, whole)).collect(),
            more: More::new(&below.rest, whole),
            directly: whole.part(below.directly, None),
        });
        Self {
            key: Key::new(&node.listed.prefix),
            part: whole.part(node.listed.count, node.listed.newest),
            below,
        }
    }
}
