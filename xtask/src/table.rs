use std::fmt;

/// A column: its head, and how to show an item there.
pub(crate) type Column<T> = (&'static str, fn(&T) -> String);

/// A Markdown table with a row for each item.
pub(crate) struct Table<T> {
    columns: Vec<Column<T>>,
    rows: Vec<Vec<String>>,
}

impl<T> Table<T> {
    pub(crate) fn new(columns: Vec<Column<T>>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, item: &T) {
        self.rows.push(self.columns.iter().map(|(_, show)| show(item)).collect());
    }
}

impl<T> fmt::Display for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let heads: Vec<&str> = self.columns.iter().map(|&(head, _)| head).collect();
        writeln!(f, "| {} |", heads.join(" | "))?;
        writeln!(f, "|---{}|", "|--:".repeat(heads.len().saturating_sub(1)))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_markdown() {
        let mut table: Table<u32> =
            Table::new(vec![("n", |n| n.to_string()), ("twice", |n| (2 * n).to_string())]);
        table.push(&1);
        table.push(&21);
        assert_eq!(table.to_string(), "| n | twice |\n|---|--:|\n| 1 | 2 |\n| 21 | 42 |\n");
    }
}
