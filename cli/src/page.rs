//! A page of HTML: everything stands in it and nothing is fetched. Styles are in the elements, and bars are
//! cells of tables, since mail programs drop all else.

use maud::{DOCTYPE, Markup, html};

use crate::table::Tone;

/// What a page says.
pub(crate) struct Page {
    pub(crate) title: String,
    /// Labels with their values.
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) parts: Vec<Part>,
    /// What it was made with.
    pub(crate) end: String,
}

/// A table with bars.
pub(crate) struct Part {
    pub(crate) heading: &'static str,
    pub(crate) notes: Vec<String>,
    /// Whether its lines are parts of one whole, which is drawn above them.
    pub(crate) is_whole: bool,
    /// The columns behind the first one, which has names.
    pub(crate) columns: Vec<&'static str>,
    pub(crate) lines: Vec<Line>,
}

/// A line of a table.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) tone: Tone,
    /// The length of its bar, of 1, if it has one.
    pub(crate) share: Option<f64>,
    pub(crate) cells: Vec<String>,
}

const BODY: &str = "margin:0 auto;max-width:52em;padding:1.5em 1em;background-color:#ffffff;color:#1b1f24;\
                    font:14px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif";
const TITLE: &str = "font-size:1.5em;line-height:1.25;margin:0 0 .6em;overflow-wrap:anywhere";
const HEADING: &str = "margin:2.2em 0 .3em;font-size:1.15em";
const FACT: &str = "padding:.1em 1.2em .1em 0;text-align:left;vertical-align:top;font-weight:400;\
                    white-space:nowrap;color:#57606a";
const NOTE: &str = "margin:.2em 0;font-size:.87em;color:#57606a;overflow-wrap:anywhere;";
/// Wider than a phone, a table scrolls, and not the page.
const FRAME: &str = "overflow-x:auto;margin:.5em 0 0";
const TABLE: &str = "border-collapse:collapse;width:100%";
const TOP: &str = "padding:.2em 0 .2em .8em;text-align:right;font-weight:400;font-size:.87em;color:#57606a;\
                   border-bottom:1px solid #c9ced4";
const NAME: &str = "padding:.35em 0;min-width:7em;text-align:left;font-weight:400;overflow-wrap:anywhere;\
                    border-bottom:1px solid #e7eaed;";
const NUMBER: &str = "padding:.35em 0 .35em .8em;text-align:right;vertical-align:top;white-space:nowrap;\
                      font-variant-numeric:tabular-nums;border-bottom:1px solid #e7eaed;";
const BAR: &str = "border-collapse:collapse;table-layout:fixed;width:100%;margin:.25em 0 0";
/// Empty cells are as high as they are told to be only where text has no height.
const CELL: &str = "padding:0;font-size:0;line-height:0;";
const TRACK: &str = "#eef0f2";
/// Told apart by people who see no red or no green, too (Okabe and Ito).
const COLOURS: [&str; 8] =
    ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#5b4fa2"];
const GREY: &str = "#a5acb3";

impl Page {
    /// As a document.
    pub(crate) fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                }
                body style=(BODY) {
                    h1 style=(TITLE) { (self.title) }
                    (self.facts())
                    @for part in &self.parts { (part.html()) }
                    p style={ (NOTE) "margin-top:2.5em" } { (self.end) }
                }
            }
        };
        page.into_string()
    }

    fn facts(&self) -> Markup {
        html! {
            table style="border-collapse:collapse" {
                @for (label, value) in &self.facts {
                    tr {
                        th scope="row" style=(FACT) { (label) }
                        td style="padding:.1em 0;overflow-wrap:anywhere" { (value) }
                    }
                }
            }
        }
    }
}

impl Part {
    /// One that says why it has no table.
    pub(crate) fn without(heading: &'static str, why: String) -> Self {
        Self { heading, notes: vec![why], is_whole: false, columns: Vec::new(), lines: Vec::new() }
    }

    fn html(&self) -> Markup {
        html! {
            h2 style=(HEADING) { (self.heading) }
            @for note in &self.notes { p style=(NOTE) { (note) } }
            @if !self.lines.is_empty() {
                @if self.is_whole { (self.strip()) }
                div style=(FRAME) {
                    table style=(TABLE) {
                        tr {
                            td style=(TOP) {}
                            @for column in &self.columns { th scope="col" style=(TOP) { (column) } }
                        }
                        @for (nth, line) in self.lines.iter().enumerate() { (line.html(self.colour(nth))) }
                    }
                }
            }
        }
    }

    /// All lines as one bar.
    fn strip(&self) -> Markup {
        let shares = self.lines.iter().enumerate().map(|(nth, line)| (line.share, self.colour(nth)));
        bar(18, &shares.filter_map(|(share, colour)| Some((share?, colour))).collect::<Vec<_>>())
    }

    /// Lines of a whole have colours of their own.
    fn colour(&self, nth: usize) -> &'static str {
        match self.lines.get(nth).map(|line| line.tone) {
            Some(Tone::More) => COLOURS[5],
            Some(Tone::Less) => COLOURS[2],
            Some(Tone::Rest) => GREY,
            _ if self.is_whole => COLOURS[nth % COLOURS.len()],
            _ => COLOURS[0],
        }
    }
}

impl Line {
    fn html(&self, colour: &'static str) -> Markup {
        let weight = if self.tone == Tone::Total { "font-weight:600" } else { "" };
        html! {
            tr {
                th scope="row" style={ (NAME) (weight) } {
                    (breakable(&self.name))
                    @if let Some(share) = self.share { (bar(6, &[(share, colour)])) }
                }
                @for cell in &self.cells { td style={ (NUMBER) (weight) } { (cell) } }
            }
        }
    }
}

/// A name that goes on in the next line behind a `/` or `_`, rather than within a word.
fn breakable(name: &str) -> Markup {
    html! {
        @for (nth, word) in name.split_inclusive(['/', '_']).enumerate() {
            @if nth > 0 { wbr; }
            (word)
        }
    }
}

/// Shares of one bar, of so many pixels' height, each in its colour. Readers of the table next to it have them
/// in numbers.
fn bar(height: u32, shares: &[(f64, &'static str)]) -> Markup {
    let cell = |width: f64, colour: &str| {
        html! { td style={ (CELL) "height:" (height) "px;width:" (format!("{width:.1}")) "%;background-color:" (colour) } {} }
    };
    // What is little is still to be seen.
    let width = |share: f64| (share * 100.0).clamp(0.4, 100.0);
    let shown: Vec<_> = shares.iter().filter(|(share, _)| *share > 0.0).collect();
    let left = 100.0 - shown.iter().map(|(share, _)| width(*share)).sum::<f64>();
    html! {
        table role="presentation" aria-hidden="true" style=(BAR) {
            tr {
                @for (share, colour) in &shown { (cell(width(*share), colour)) }
                @if left > 0.05 { (cell(left, TRACK)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(share: f64) -> String {
        let line = Line {
            name: "<script>\"x\"&/".to_owned(),
            tone: Tone::Plain,
            share: Some(share),
            cells: vec!["<1KiB".to_owned()],
        };
        let part = Part {
            heading: "Sizes",
            notes: vec![],
            is_whole: true,
            columns: vec!["bytes"],
            lines: vec![line],
        };
        Page { title: "<b>".to_owned(), facts: vec![], parts: vec![part], end: String::new() }.html()
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let html = page(0.5);
        assert!(html.contains("&lt;script&gt;&quot;x&quot;&amp;/") && html.contains("&lt;1KiB"), "{html}");
        assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
    }

    #[test]
    fn names_go_on_in_the_next_line_between_words() {
        assert_eq!(breakable("logs/2024_a/").into_string(), "logs/<wbr>2024_<wbr>a/");
        assert_eq!(breakable("").into_string(), "");
    }

    #[test]
    fn a_bar_is_as_long_as_its_share() {
        for (share, widths) in [
            (0.0, &["100.0"][..]),
            (0.00001, &["0.4", "99.6"]),
            (0.25, &["25.0", "75.0"]),
            (1.0, &["100.0"]),
            (7.0, &["100.0"]),
        ] {
            let bar = bar(6, &[(share, GREY)]).into_string();
            let found: Vec<_> =
                bar.split("px;width:").skip(1).filter_map(|cell| cell.split('%').next()).collect();
            assert_eq!(found, widths, "{share}");
        }
    }

    #[test]
    fn what_is_not_known_has_no_table() {
        let html = Part::without("Age", "no dates".to_owned()).html().into_string();
        assert!(html.contains("no dates") && !html.contains("<table"), "{html}");
    }
}
