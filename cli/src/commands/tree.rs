use std::io::Write;

use s3inv::{Below, Held, Index, List, Node, Scope};
use serde::Serialize;

use super::filter::{Selection, counted_of, filter, needs_cost, note_of_class, order, share_of};
use super::{Answering, answer, failed};
use crate::args::{Output, TreeArgs, WhichArgs};
use crate::failure::Failure;
use crate::heading::Heading;
use crate::part::{More, Part, Whole};
use crate::priced::{CostNote, Prices, classes_of};
use crate::row::Key;
use crate::sheet::Sheet;
use crate::table::Tone;
use crate::text;

pub(crate) fn tree(args: &TreeArgs) -> Result<(), Failure> {
    let prices = Prices::new(&args.table.prices)?;
    let index = prices.open(&args.scope.index.index, needs_cost(&args.which))?;
    let scope = args.scope.prefix.scope();
    let (filter, order) = (filter(&args.which, &index)?, order(&args.which, &index)?);
    let list = List { filter, order, limit: args.limit, levels: args.depth };
    let root = index.tree(&scope, &list).map_err(failed(&index))?;
    let root = root.ok_or_else(|| super::not_found(&index, &scope))?;
    let whole = Whole::new(&index, list.filter.counted, share_of(order, &index), root.listed.held());
    let sums = index.sums(&scope).map_err(failed(&index))?.unwrap_or_default();
    let costs = prices.note_of_classes(&index, &counted_of(&args.which, classes_of(&index.stats_of(&sums))));
    costs.iter().for_each(CostNote::warn_beside_answer);
    answer(&index, |out| match args.table.answer.output {
        Output::Text => {
            let mut text = Text { index: &index, out, sheet: Sheet::new(whole, args.table.human) };
            text.all(costs.as_ref(), &scope, &args.which, &root)
        }
        Output::Json => {
            let heading = Heading::new(&index);
            let partial = scope.exact().is_none();
            let selection = Selection::new(&args.which, &list);
            let answer =
                Answer { heading, partial, prices: costs, selection, root: Shown::new(&root, &whole) };
            Ok(writeln!(out, "{}", serde_json::to_string(&answer)?)?)
        }
    })
}

/// A tree for people.
struct Text<'a> {
    index: &'a Index,
    out: &'a mut dyn Write,
    sheet: Sheet,
}

impl Text<'_> {
    fn all(
        &mut self,
        costs: Option<&CostNote<'_>>,
        scope: &Scope,
        which: &WhichArgs,
        root: &Node,
    ) -> Result<(), Answering> {
        self.sheet.heading(self.out, &Heading::new(self.index))?;
        costs.iter().try_for_each(|costs| writeln!(self.out, "{costs}"))?;
        let mut name = text::name(scope.text());
        if let Some(note) = super::note_of(scope) {
            writeln!(self.out, "Note: {note}")?;
            name.push('*');
        }
        note_of_class(which).iter().try_for_each(|note| writeln!(self.out, "Note: {note}"))?;
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
        // A prefix without directories would be said twice.
        let is_leaf = children.is_empty() && rest.more == 0;
        let here = (!is_leaf && *directly != Held::default())
            .then(|| (super::directly(self.index, &node.listed.prefix).to_owned(), *directly));
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
    selection: Selection<'a>,
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
    /// Nothing does in what begins with a part of a name.
    directly: Option<Part>,
}

impl<'a> Shown<'a> {
    fn new(node: &'a Node, whole: &Whole) -> Self {
        let is_prefix = Scope::new(node.listed.prefix.as_slice()).exact().is_some();
        let below = node.below.as_ref().map(|below| ShownBelow {
            children: below.children.iter().map(|child| Self::new(child, whole)).collect(),
            more: More::new(&below.rest, whole),
            directly: is_prefix.then(|| whole.part(below.directly, None)),
        });
        Self {
            key: Key::new(&node.listed.prefix),
            part: whole.part(node.listed.held(), node.listed.newest),
            below,
        }
    }
}
