//! A prefix with its sums, as JSON and as text.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3inv_index_format::Info;
use s3inv_model::{Cell, prefix};
use serde::Serialize;

use crate::text;

/// Objects and their bytes.
#[derive(Serialize)]
struct Sums {
    objects: u64,
    bytes: u64,
}

/// What is known of a prefix.
#[derive(Serialize)]
pub(crate) struct Row<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_b64: Option<String>,
    depth: usize,
    objects: u64,
    bytes: u64,
    classes: BTreeMap<&'a str, Sums>,
}

impl<'a> Row<'a> {
    /// The row of a prefix in an index.
    pub(crate) fn new(info: &'a Info, key: &'a [u8], cells: &[Cell]) -> Self {
        let name =
            |cell: &Cell| info.columns.get(usize::from(cell.column)).map(|column| column.name.as_str());
        let sums = |cell: &Cell| Sums { objects: cell.objects, bytes: cell.bytes };
        let text = std::str::from_utf8(key).ok();
        Self {
            prefix: text,
            prefix_b64: text.is_none().then(|| STANDARD.encode(key)),
            depth: prefix::depth(key),
            objects: cells.iter().map(|cell| cell.objects).sum(),
            bytes: cells.iter().map(|cell| cell.bytes).sum(),
            classes: cells.iter().filter_map(|cell| Some((name(cell)?, sums(cell)))).collect(),
        }
    }

    /// The row for people, with a line for each class or without.
    pub(crate) fn text(&self, show_tiers: bool) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| {
            match (&self.prefix, &self.prefix_b64) {
                (Some(prefix), _) => writeln!(f, "Prefix: {}", text::printable(prefix))?,
                (_, b64) => writeln!(f, "Prefix (base64): {}", b64.as_deref().unwrap_or_default())?,
            }
            writeln!(f, "Objects: {}\nBytes: {}", self.objects, self.bytes)?;
            if show_tiers {
                writeln!(f, "Tier breakdown:")?;
                for (class, Sums { objects, bytes }) in &self.classes {
                    writeln!(f, "  {class}: {objects} objects, {bytes} bytes")?;
                }
            }
            Ok(())
        })
    }
}
