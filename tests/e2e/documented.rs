//! What the README and the pages below `docs` show is what happens.

use s3inv_tests::{folder, s3inv};

const README: &str = include_str!("../../README.md");

/// Pages with examples, and how many they have at least.
const PAGES: [(&str, usize); 2] = [(README, 3), (include_str!("../../docs/cost.md"), 4)];

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

#[test]
fn the_examples_of_the_pages() {
    let folder = folder();
    s3inv(["demo", "--out", "demo.s3inv"]).within(&folder.out()).run().answer();
    for (page, least) in PAGES {
        let examples = examples(page);
        assert!(examples.len() >= least, "{examples:?}");
        for (args, output) in examples {
            assert_eq!(s3inv(&args).within(&folder.out()).run().answer(), output, "{args:?}");
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
