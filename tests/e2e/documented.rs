//! What the README and the pages below `docs` show is what happens.

use s3inv_tests::{folder, s3inv};

const README: &str = include_str!("../../README.md");
const ANSWERS: &str = include_str!("../../docs/answers.md");

/// Pages with examples.
const PAGES: [&str; 3] = [README, ANSWERS, include_str!("../../docs/cost.md")];

/// Those of two days of a bucket, which the tests of `diff` run.
const OF_TWO_DAYS: &str = "```console\n$ s3inv-index diff ";

/// The commands of a page with a `$`, each with what it prints.
pub(crate) fn examples(page: &str) -> Vec<(Vec<String>, String)> {
    let mut examples: Vec<(Vec<String>, String)> = Vec::new();
    let mut within = false;
    for line in page.lines() {
        let Some(text) = line.strip_prefix("    ") else {
            within = false;
            continue;
        };
        if let Some(command) = text.strip_prefix("$ s3inv-index ") {
            examples.push((command.split(' ').map(str::to_owned).collect(), String::new()));
            within = true;
        } else if within && let Some((_, output)) = examples.last_mut() {
            output.push_str(text);
            output.push('\n');
        }
    }
    examples
}

/// An answer without what changes from day to day.
pub(crate) fn without_age(answer: &str) -> String {
    let without = |line: &str| match line.rsplit_once(", ") {
        Some((snapshot, age)) if age.ends_with(" days old") => format!("{snapshot}\n"),
        _ => format!("{}\n", line.split("\"age_hours\":").map(without_number).collect::<Vec<_>>().join("")),
    };
    answer.lines().map(without).collect()
}

fn without_number(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_digit())
}

#[test]
fn the_examples_of_the_documentation() {
    let folder = folder();
    s3inv(["demo", "--out", "demo.s3inv"]).within(&folder.out()).run().answer();
    for page in PAGES {
        let examples = examples(page);
        let all = page.matches("$ s3inv-index ").count() - page.matches(OF_TWO_DAYS).count();
        assert_eq!(examples.len(), all, "{examples:?}");
        for (args, output) in examples {
            let answer = s3inv(&args).within(&folder.out()).run();
            assert_eq!(without_age(answer.answer()), without_age(&output), "{args:?}");
        }
    }
}

#[test]
fn the_commands_of_the_readme_exist() {
    let named = README.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let commands: Vec<_> = named.map(|(name, _)| name).filter(|name| !name.contains('/')).collect();
    // The other table is of folders.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let commands: Vec<_> = commands.into_iter().filter(|name| !root.join(name).is_dir()).collect();
    assert!(commands.len() > 4, "{commands:?}");
    for command in commands.into_iter().filter(|name| !name.contains(',')) {
        let help = s3inv([command, "--help"]).run();
        assert!(help.answer().contains("Example"), "{command}");
    }
}
