//! A build over an old index under conditions that may be too hard: it ends in one clear error and the
//! old index, or in the right new one, and leaves nothing else.

use std::fs;
use std::io::Write as _;

use s3inv_tests::{
    CURRENT, Cli, Delivered, Delivery, Finished, Folder, Row, csv_text, folder, gzip, s3inv, single_objects,
};

use crate::build::build as plain_build;

pub(crate) struct Trial {
    pub(crate) folder: Folder,
    pub(crate) delivered: Delivered,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
}

impl Trial {
    /// Of an inventory of so many prefixes, in three files.
    pub(crate) fn new(objects: usize) -> Self {
        let folder = folder();
        let small = Delivery::csv(&[Row::new("old/a", 3)], 1).write(&folder.path("small"));
        plain_build(&folder, &small).run().summary();
        let old = fs::read(folder.index()).unwrap();
        let rows: Vec<_> = single_objects(objects as u64).collect();
        let files = rows.chunks(objects.div_ceil(3)).map(|rows| gzip(&csv_text(rows.to_vec(), CURRENT)));
        let delivered = Delivery::csv_files(CURRENT, files.collect()).write(&folder.input());
        let mut trial = Self { folder, delivered, old, new: Vec::new() };
        trial.build().run().summary();
        trial.new = fs::read(trial.folder.index()).unwrap();
        trial.reset();
        trial
    }

    /// A build in the least memory, by two workers.
    pub(crate) fn build(&self) -> Cli {
        let build = s3inv(["build", "--verbose", "--mem-budget", "16MiB", "--workers", "2"]);
        let build = build.arg("--s3-manifest", &self.delivered.manifest);
        build.arg("--out", self.folder.index()).arg("--temp-dir", self.folder.temp())
    }

    /// The old index is there again.
    pub(crate) fn reset(&self) {
        fs::write(self.folder.index(), &self.old).unwrap();
    }

    /// Whether the new index is there, whole, and not the old one.
    pub(crate) fn is_new(&self) -> bool {
        let there = fs::read(self.folder.index()).unwrap();
        assert!(there == self.old || there == self.new, "neither the old nor the new index");
        there == self.new
    }

    /// The error that it ended with, if it did. Then the old index is there again.
    pub(crate) fn ended(&self, finished: &Finished) -> Option<String> {
        self.folder.assert_left(&["index.s3inv"]);
        let error = (finished.code != Some(0)).then(|| finished.error());
        assert_eq!(self.is_new(), error.is_none(), "{finished:?}");
        self.reset();
        error
    }

    /// The error that it must have ended with.
    pub(crate) fn failed(&self, finished: &Finished) -> String {
        self.ended(finished).expect("it succeeds")
    }

    /// A build where nothing is in the way: what others left is gone after it.
    pub(crate) fn recovers(&self) {
        let finished = self.build().run();
        assert_eq!(self.ended(&finished), None, "{finished:?}");
    }

    /// An error without the names that are this test's own.
    pub(crate) fn plain(&self, error: &str) -> String {
        let root = self.folder.path("");
        error.replace(root.to_str().unwrap(), "").replace(root.to_str().unwrap().trim_end_matches('/'), "")
    }
}

/// That something can't be tried here, and why; also where the output of tests that pass isn't shown.
pub(crate) fn skipped(test: &str, why: &str) {
    let mut shown = std::io::stderr();
    writeln!(shown, "skipped: {test}: {why}").unwrap();
}
