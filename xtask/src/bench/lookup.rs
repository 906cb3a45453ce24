use super::Bench;
use crate::failure::Failure;
use crate::table::Table;
use crate::workspace::{cargo, output};

/// Prefixes for each row of a data set: far more than caches hold.
const TIMES: usize = 5;

/// A line of what the example prints.
#[derive(Debug, PartialEq)]
struct Line {
    what: String,
    nanoseconds: String,
    /// Cache misses that take as long.
    misses: String,
}

impl Line {
    /// Of `present, batch, 2 threads   12.3 ns  0.5`.
    fn parse(line: &str) -> Option<Self> {
        let (what, misses) = line.trim_end().rsplit_once(" ns ")?;
        let (what, nanoseconds) = what.trim_end().rsplit_once(' ')?;
        let of = |text: &str| text.trim().to_owned();
        Some(Self { what: of(what), nanoseconds: of(nanoseconds), misses: of(misses) })
    }
}

pub(super) fn section(bench: &Bench) -> Result<String, Failure> {
    let prefixes = bench.rows * TIMES;
    eprintln!("looking up some of {prefixes} prefixes …");
    let mut example = cargo();
    example.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "s3inv-index-format",
        "--example",
        "lookup",
        "--",
    ]);
    let printed = output(example.arg(prefixes.to_string()), "see what it says above")?;
    table(&String::from_utf8_lossy(&printed))
}

/// The first line says what the index is.
fn table(printed: &str) -> Result<String, Failure> {
    let (index, lines) = printed.split_once('\n').unwrap_or_default();
    let lines: Option<Vec<Line>> = lines.lines().map(Line::parse).collect();
    let lines = lines.filter(|lines| !lines.is_empty()).ok_or_else(|| {
        Failure::new(format_args!("the example `lookup` printed {printed:?}"), "see whether that has changed")
    })?;
    let mut table = Table::new(vec![
        ("what is looked for", |line: &Line| line.what.clone()),
        ("ns", |line| line.nanoseconds.clone()),
        ("cache misses", |line| line.misses.clone()),
    ]);
    for line in &lines {
        table.push(line);
    }
    Ok(format!("{index}.\n\n{table}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_example_prints_becomes_a_table() {
        let printed = "10 prefixes, 99 bytes\ncache miss                  230.1 ns  1.00\n\
                       present, batch, 2 threads    115.0 ns  0.50\n";
        let expected = "10 prefixes, 99 bytes.\n\n| what is looked for | ns | cache misses |\n|---|--:|--:|\n\
                        | cache miss | 230.1 | 1.00 |\n| present, batch, 2 threads | 115.0 | 0.50 |\n";
        assert_eq!(table(printed).unwrap(), expected);
    }

    #[test]
    fn what_is_no_such_line_is_an_error() {
        for printed in ["", "10 prefixes\n", "10 prefixes\nno line\n"] {
            assert!(table(printed).unwrap_err().to_string().contains("lookup"), "{printed:?}");
        }
    }
}
