//! What the command line says of itself, to shells and to `man`.

use std::fs;
use std::process::Command;

use s3inv_tests::{folder, s3inv};

/// What bash offers for a line that ends here.
const COMPLETE: &str = r#"
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
function=$(complete -p s3inv-index | sed 's/.* -F \([^ ]*\) .*/\1/')
"$function" s3inv-index "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn bash_completes_commands_and_options() {
    let folder = folder();
    let script = folder.path("completions");
    fs::write(&script, s3inv(["completions", "bash"]).run().answer()).unwrap();
    let checked = Command::new("bash").arg("-n").arg(&script).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    let offered = |line: &[&str]| {
        let mut bash = Command::new("bash");
        let done = bash.args(["-c", COMPLETE, "bash"]).arg(&script).args(line).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(offered(&["s3inv-index", "que"]), "query\n");
    assert_eq!(offered(&["s3inv-index", "export", "--dd"]), "--ddl\n");
    assert_eq!(offered(&["s3inv-index", "export", "--format", "p"]), "parquet\n");
}

#[test]
fn every_shell_has_a_script_and_every_command_a_page() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(s3inv(["completions", shell]).run().answer().contains("s3inv-index"), "{shell}");
    }
    assert_eq!(s3inv(["completions", "tcsh"]).run().code, Some(2));
    let folder = folder();
    let pages = folder.path("man1");
    assert_eq!(s3inv(["man"]).arg("--out", &pages).run().answer(), "");
    for page in ["s3inv-index", "s3inv-index-build", "s3inv-index-export", "s3inv-index-man"] {
        let text = fs::read_to_string(pages.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    assert_eq!(
        s3inv(["man"]).run().answer(),
        fs::read_to_string(pages.join("s3inv-index.1")).unwrap(),
        "the page on stdout is the first one"
    );
    let nowhere = s3inv(["man", "--out", "/dev/null/man1"]).run();
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr[0].starts_with("error: /dev/null/man1: "), "{:?}", nowhere.stderr);
}
