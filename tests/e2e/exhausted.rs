//! A machine that has no more: disk, file sizes, open files, threads, address space.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use s3inv_tests::{Finished, Shim, files_below, s3inv};

use crate::trial::{Trial, skipped};

/// Mounts a small file system of its own over a folder, with what is in it; and copies what is there
/// when the program has ended, since nobody else sees it.
const IN_LITTLE_SPACE: &str = r#"
size=$1 place=$2 seen=$3; shift 3
cp -R "$place" "$seen"
mount -t tmpfs -o "$size" none "$place" || exit 99
cp -R "$seen/." "$place"
code=0; "$@" || code=$?
rm -rf "$seen"; cp -R "$place" "$seen"
exit $code
"#;

/// What `unshare` needs for mounts of one's own, if it can be had: root's right, or a user namespace.
fn mounts() -> Result<&'static str, String> {
    let can = |how| {
        let script = "mount -t tmpfs none /mnt";
        Command::new("unshare")
            .args([how, "sh", "-c", script])
            .output()
            .is_ok_and(|done| done.status.success())
    };
    let how = ["-m", "-Urm"].into_iter().find(|how| can(how));
    how.ok_or_else(|| "neither root nor a user namespace may mount a file system here".to_owned())
}

impl Trial {
    /// Runs a build with so much space in a folder. What it left there stands in the folder's place.
    fn run_in_space(&self, how: &str, size: &str, place: &Path) -> Finished {
        let seen = self.folder.path("seen");
        let args = [how, "sh", "-c", IN_LITTLE_SPACE, "sh", size].map(AsRef::<Path>::as_ref);
        let finished = self.build().under("unshare", args.into_iter().chain([place, &seen])).run();
        fs::remove_dir_all(place).unwrap();
        fs::rename(seen, place).unwrap();
        finished
    }

    /// From too little space to enough: the errors, without numbers.
    fn in_spaces(&self, place: &Path, sizes: &[&str]) -> Vec<String> {
        let how = match mounts() {
            Ok(how) => how,
            Err(why) => {
                skipped("a full disk", &why);
                return Vec::new();
            }
        };
        let ended = |size: &&str| self.ended(&self.run_in_space(how, size, place));
        let errors: Vec<_> = sizes.iter().map(ended).collect();
        let (enough, too_little) = errors.split_last().unwrap();
        assert_eq!(enough, &None, "it is enough");
        too_little.iter().map(|error| without_numbers(&self.plain(error.as_ref().unwrap()))).collect()
    }
}

impl Trial {
    /// A success with the new index; or an error that names a place and this cause, and the old index, unless
    /// the last thing of all has failed.
    fn assert_told(&self, finished: &Finished, errno: i32) {
        if finished.code == Some(0) {
            finished.summary();
            assert!(self.is_new(), "a success without its index");
            return;
        }
        let error = finished.error();
        assert!(error.contains(&format!("(os error {errno})")) && self.plain(&error) != error, "{error}");
        assert!(!self.is_new() || error.contains("written, but a loss of power may undo it"), "{error}");
    }
}

/// A text with `N` for each number.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match (c.is_ascii_digit(), out.ends_with('N')) {
            (false, _) => out.push(c),
            (true, false) => out.push('N'),
            (true, true) => {}
        }
    }
    out
}

const FULL: &str = "No space left on device (os error N)";

#[test]
fn temporary_files_on_a_full_disk() {
    let trial = Trial::new(60_000);
    let sizes = ["size=64k", "size=600k", "size=1200k", "nr_inodes=3", "nr_inodes=5", "size=16m"];
    let errors: BTreeSet<_> = trial.in_spaces(&trial.folder.temp(), &sizes).into_iter().collect();
    for error in &errors {
        assert!(error.ends_with(FULL) && error.contains("temp/sNinv-index-N-N"), "{error}");
    }
    eprintln!("temporary files: {errors:#?}");
}

#[test]
fn an_index_on_a_full_disk() {
    let trial = Trial::new(60_000);
    let sizes = ["size=32k", "size=100k", "size=300k", "nr_inodes=2", "size=16m"];
    let errors: BTreeSet<_> = trial.in_spaces(&trial.folder.out(), &sizes).into_iter().collect();
    for error in &errors {
        assert!(error.ends_with(&format!("out/index.sNinv: {FULL}")), "{error}");
    }
    eprintln!("index: {errors:#?}");
}

/// A limit of the process, not of the disk: no file may become larger.
#[test]
fn files_that_may_not_become_large() {
    let trial = Trial::new(60_000);
    let mut errors = BTreeSet::new();
    for limit in [4_096, 65_536, 200_000, 400_000, trial.new.len() - 1, trial.new.len()] {
        let finished = trial.build().under("prlimit", [format!("--fsize={limit}")]).run();
        errors.extend(trial.ended(&finished).map(|error| without_numbers(&trial.plain(&error))));
    }
    let told = [
        "ingest phase: process chunk: temporary files in temp/sNinv-index-N-N: File too large (os error N)",
        "publish phase: publish index: out/index.sNinv: File too large (os error N)",
    ];
    assert!(told.iter().all(|error| errors.contains(*error)), "{errors:#?}");
}

/// Every call that opens or changes a file fails once, and from then on; with a disk that is full, and with
/// one that is broken.
#[test]
fn each_call_that_opens_or_changes_a_file_fails() {
    let trial = Trial::new(2_000);
    let shim = Shim::new(&trial.folder, "calls");
    let build = |at: usize, errno: i32, times: &str| {
        let build = shim.before(trial.build()).env("FAULT_AT", at.to_string());
        build.env("FAULT_IS", errno.to_string()).env("FAULT_FOR", times).run()
    };
    let (mut failed, mut left) = (0, 0);
    for (errno, times) in [(28, "1"), (5, "1"), (28, "1000")] {
        for at in 1..=64 {
            let finished = build(at, errno, times);
            failed += usize::from(finished.code != Some(0));
            trial.assert_told(&finished, errno);
            let there = files_below(&trial.folder.out()).len() + files_below(&trial.folder.temp()).len();
            // Where it was the removal of a file that failed, the next build does it.
            assert!(there == 1 || errno == 5, "call {at}: something is left");
            left += usize::from(there > 1);
            trial.reset();
        }
    }
    eprintln!("{failed} of 192 failed; after {left} something was left to the next build");
    assert!(failed > 80 && left < 10, "{failed} {left}");
    trial.recovers();
}

#[test]
fn from_too_few_open_files_to_enough() {
    let trial = Trial::new(60_000);
    let mut errors = BTreeSet::new();
    let mut enough = 0;
    for limit in 4..=36 {
        let finished = trial.build().under("prlimit", [format!("--nofile={limit}")]).run();
        match trial.ended(&finished) {
            Some(error) => {
                assert!(error.contains("Too many open files (os error 24)"), "{limit}: {error}");
                errors.insert(without_numbers(&trial.plain(&error)));
            }
            None => enough += 1,
        }
    }
    eprintln!("enough: {enough} of 33; errors: {errors:#?}");
    assert!(enough > 0 && errors.len() > 2, "{enough} {errors:#?}");
    let asked = s3inv(["query", "--prefix", ""]).arg("--index", trial.folder.index());
    let error = asked.under("prlimit", ["--nofile=7"]).run().error();
    assert!(error.ends_with("raise their limit (`ulimit -n`)"), "{error}");
}

#[test]
fn from_too_few_threads_to_enough() {
    let trial = Trial::new(60_000);
    if fs::metadata(trial.folder.temp()).unwrap().uid() != 0 {
        return skipped("too few threads", "only root can be a user who has no other threads");
    }
    // Nobody else's: the limit counts all threads of a user.
    let user = 1_000_000_000 + std::process::id();
    fs::set_permissions(trial.folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    for place in [trial.folder.temp(), trial.folder.out()] {
        chown(place, Some(user), Some(user)).unwrap();
    }
    let binary = trial.folder.path("s3inv-index");
    let (mut few, mut enough) = (0, 0);
    for limit in 1..=14 {
        let build = trial.build().copied_to(&binary).under("prlimit", [format!("--nproc={limit}")]);
        let user = [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()];
        match trial.ended(&build.under("setpriv", user).run()) {
            Some(error) => {
                assert!(
                    error.contains("no more threads") && error.contains("`ulimit -u`"),
                    "{limit}: {error}"
                );
                few += 1;
            }
            None => enough += 1,
        }
    }
    eprintln!("too few threads: {few}, enough: {enough}");
    assert!(few > 3 && enough > 0, "{few} {enough}");
}

/// An allocation that fails ends the process as a kill does.
#[test]
fn from_too_little_address_space_to_enough() {
    let trial = Trial::new(60_000);
    let (mut died, mut failed, mut built) = (0, 0, 0);
    for megabytes in [60, 80, 120, 180, 200, 240, 300, 400, 4_000] {
        let finished = trial.build().under("prlimit", [format!("--as={megabytes}000000")]).run();
        if finished.signal == Some(6) {
            died += 1;
            assert!(!trial.is_new(), "{megabytes}");
            trial.recovers();
        } else {
            *(if trial.ended(&finished).is_some() { &mut failed } else { &mut built }) += 1;
        }
    }
    eprintln!("address space: {died} died, {failed} failed, {built} were built");
    assert!(built > 0 && died + failed > 0, "{died} {failed} {built}");
}

#[test]
fn an_answer_to_a_full_disk() {
    let trial = Trial::new(1_000);
    let export = s3inv(["export", "--format", "jsonl"]).arg("--index", trial.folder.index());
    let mut command = export.command();
    let done = command.stdout(fs::File::options().write(true).open("/dev/full").unwrap()).output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    let expected = "{\"level\":\"error\",\"msg\":\"stdout: No space left on device (os error 28)\"}\n";
    assert_eq!((done.status.code(), told.as_str()), (Some(1), expected));
}
