use std::io::Write;

use s3inv::{Below, Held, Index, List, Node, Scope};
use serde::Serialize;

use super::which::{filter, needs_cost, order};
use super::{Answering, answer, failed, scope};
use crate::args::{Output, TreeArgs};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::part::{More, Part, Whole};
use crate::priced::{CostNote, Prices};
use crate::row::Key;
use crate::sheet::Sheet;
use crate::table::Tone;
use crate::text;

pub(crate) fn tree(args: &TreeArgs) -> Result<(), Failure> {
    let prices = Prices::new(&args.table.prices)?;
    let index = prices.open(&args.scope.index.index, needs_cost(&args.which))?;
    let scope = scope(&args.scope);
    let (filter, order) = (filter(&args.which, &index)?, order(&args.which, &index)?);
    let list = List { filter, order, limit: args.limit, levels: args.depth };
    let root = index.tree(&scope, &list).map_err(failed(&index))?;
    let root = root.ok_or_else(|| super::not_found(&scope))?;
    let whole = Whole::new(&index, list.filter.counted, root.listed.held());
    let costs = prices.note(&index);
    costs.iter().for_each(CostNote::warn);
    answer(&index, |out| match args.table.answer.output {
        Output::Text => {
            let mut text = Text { out, sheet: Sheet::new(whole, args.table.human) };
            text.all(&index, costs.as_ref(), &scope, &root)
        }
        Output::Json => {
            let heading = Heading::new(&index);
            let partial = scope.exact().is_none();
            let answer = Answer { heading, partial, prices: costs, root: Shown::new(&root, &whole) };
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
    fn all(
        &mut self,
        index: &Index,
        costs: Option<&CostNote<'_>>,
        scope: &Scope,
        root: &Node,
    ) -> Result<(), Answering> {
        self.sheet.heading(self.out, &Heading::new(index))?;
        costs.iter().try_for_each(|costs| writeln!(self.out, "{costs}"))?;
        let mut name = text::name(scope.text());
        if let Some(note) = super::note_of(scope) {
            writeln!(self.out, "{note}")?;
            name.push('*');
        }
        if name.is_empty() {
            name.push_str("(root)");
        }
        self.sheet.titles(self.out)?;
        self.sheet.line(self.out, Tone::Total, (root.listed.held(), root.listed.newest), ("", &name))?;
        self.below(root, scope.parent().len(), "")
    }

    /// What is below a node, whose own name begins behind so many bytes of the prefixes of its children.
    fn below(&mut self, node: &Node, parent: usize, before: &str) -> Result<(), Answering> {
        let Some(Below { children, rest, directly }) = &node.below else { return Ok(()) };
        let more = (rest.more > 0).then(|| (format!("… {} more", text::count(rest.more)), rest.more_held));
        let here = (*directly != Held::default()).then(|| ("(directly here)".to_owned(), *directly));
        let others: Vec<_> = more.into_iter().chain(here).collect();
        let lines = children.len() + others.len();
        let branch =
            |at: usize| if at + 1 < lines { ("├── ", "│   ") } else { ("└── ", "    ") };
        for (at, child) in children.iter().enumerate() {
            let (branch, below) = branch(at);
            let name = text::name(child.listed.prefix.get(parent..).unwrap_or_default());
            let numbers = (child.listed.held(), child.listed.newest);
            self.sheet.line(self.out, Tone::Prefix, numbers, (&format!("{before}{branch}"), &name))?;
            self.below(child, child.listed.prefix.len(), &format!("{before}{below}"))?;
        }
        for (at, (name, held)) in others.iter().enumerate() {
            let (branch, _) = branch(children.len() + at);
            self.sheet.line(self.out, Tone::Rest, (*held, None), (&format!("{before}{branch}"), name))?;
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
    prices: Option<CostNote<'a>>,
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
            part: whole.part(node.listed.held(), node.listed.newest),
            below,
        }
    }
}
