//! A cloud of one process, and what is delivered to it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use md5::{Digest, Md5};
use s3inv_cancel::{Cancellation, Clock};
use s3inv_store::{Bucket, MemoryStore, StoreError};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::super::*;
use crate::{BuildOptions, build};

/// All buckets are one.
pub(super) struct OneBucket<B>(pub(super) B);

#[async_trait]
impl<B: Bucket + Clone + 'static> Buckets for OneBucket<B> {
    fn open(&self, _: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        Ok(Arc::new(self.0.clone()))
    }

    async fn anywhere(&self, _: &str) -> Result<Arc<dyn Bucket>, StoreError> {
        Ok(Arc::new(self.0.clone()))
    }
}

pub(super) const FOLDER: &str = "inventories/my-bucket/daily";
pub(super) const EXECUTION: &str = "run-1";

/// A cloud of one process.
pub(super) struct Cloud {
    pub(super) runtime: Runtime,
    pub(super) store: MemoryStore,
    pub(super) buckets: Arc<dyn Buckets>,
    /// How often a step is tried that fails in a way that passes.
    pub(super) tries: usize,
    pub(super) attempts: AtomicUsize,
    /// After how many looks at the clock an invocation is to pause.
    pub(super) patience: Option<usize>,
}

/// Time that goes on by a second whenever somebody looks.
struct Looks(AtomicUsize);

impl Clock for Looks {
    fn now(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed) as u64)
    }

    fn sleep_until(&self, _: std::time::Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

impl Cloud {
    pub(super) fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let store = MemoryStore::new();
        let buckets = Arc::new(OneBucket(store.clone()));
        Self { runtime, store, buckets, tries: 1, attempts: AtomicUsize::new(0), patience: None }
    }

    pub(super) fn invocation(&self) -> Invocation {
        let cancellation = Cancellation::never();
        let clock = Arc::new(Looks(AtomicUsize::new(0)));
        let looks = Cancellation::new(s3inv_cancel::CancellationToken::new(), clock);
        // Behind them are the two seconds that saving takes, or half of the time.
        let left =
            self.patience.map(|looks| std::time::Duration::from_secs(looks as u64 + looks.min(2) as u64));
        let pause = Pause::new(&looks, left, Arc::new(Saving::new(2 << 30)));
        Invocation {
            runtime: self.runtime.handle().clone(),
            cancellation,
            pause,
            attempt: format!("a{}", self.attempts.fetch_add(1, Ordering::Relaxed)),
            now_ms: 1_750_000_000_000,
            memory: 16 << 20,
            buckets: Arc::clone(&self.buckets),
            scratch: Place::parse("s3://scratch/tmp").unwrap(),
        }
    }

    /// As the state machine does it.
    pub(super) fn tried<T>(
        &self,
        step: impl Fn(&Invocation) -> Result<T, StepError>,
    ) -> Result<T, StepError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match step(&self.invocation()) {
                Err(error) if error.error_type.is_retried() && tried < self.tries => {}
                done => return done,
            }
        }
    }

    pub(super) fn deliver(&self, files: &BTreeMap<String, Vec<u8>>) {
        for (key, bytes) in files {
            self.store.put(key, bytes.clone());
        }
    }

    pub(super) fn bytes(&self, key: &str) -> Vec<u8> {
        let read = self.runtime.block_on(s3inv_store::Store::read_tail(&self.store, key, u64::MAX));
        read.unwrap_or_else(|error| panic!("{error}")).0.to_vec()
    }

    pub(super) fn plan(&self, options: &Value) -> Result<Planned, StepError> {
        let manifest = format!("s3://reports/{FOLDER}/2025-05-13T01-00Z/manifest.json");
        let request = json!({
            "version": 1, "step": "plan", "execution": EXECUTION,
            "input": { "manifest": manifest, "output": "s3://indexes/all", "options": options },
        });
        let request = parse(&request)?;
        self.tried(|invocation| plan(invocation, &request, &Defaults::default()))
    }

    pub(super) fn plan_merge(&self, stage: Stage) -> Result<Planned, StepError> {
        let request = json!({ "version": 1, "step": "plan_merge", "execution": EXECUTION, "stage": stage });
        let request = parse(&request)?;
        self.tried(|invocation| plan(invocation, &request, &Defaults::default()))
    }

    pub(super) fn tasks(&self, planned: &Planned) -> Vec<TaskRequest> {
        let items: Vec<Value> = serde_json::from_slice(&self.bytes(&planned.items)).unwrap();
        items.iter().map(|item| parse(item).unwrap()).collect()
    }

    /// Does all tasks of a stage; how many calls that took.
    pub(super) fn map(&self, planned: &Planned) -> Result<usize, StepError> {
        let mut calls = 0;
        for task in self.tasks(planned) {
            loop {
                calls += 1;
                let again = match task.stage {
                    Stage::Ingest => self.tried(|invocation| ingest(invocation, &task))?,
                    Stage::Merge(_) => self.tried(|invocation| merge(invocation, &task))?,
                };
                if again.is_none() {
                    break;
                }
            }
        }
        Ok(calls)
    }

    pub(super) fn publish(&self, stage: Stage) -> Result<Published, StepError> {
        Ok(self.published(stage)?.0)
    }

    /// Publishes; how many calls that took.
    pub(super) fn published(&self, stage: Stage) -> Result<(Published, usize), StepError> {
        let request = parse(&json!({"version": 1, "execution": EXECUTION, "stage": stage}))?;
        for calls in 1.. {
            if let PublishAnswer::Published(published) =
                self.tried(|invocation| publish(invocation, &request))?
            {
                return Ok((published, calls));
            }
        }
        unreachable!("it ends, or fails")
    }

    /// Cleans up after success; how many calls that took.
    pub(super) fn finish(&self) -> usize {
        let request = json!({"version": 1, "step": "finish", "execution": EXECUTION});
        let request = parse(&request).unwrap();
        for calls in 1.. {
            let answer = self.tried(|invocation| cleanup(invocation, &request)).unwrap();
            if answer == CleanupAnswer::Done(None) {
                return calls;
            }
        }
        unreachable!("it ends, or fails")
    }

    /// All steps; calls of each stage.
    pub(super) fn run(&self, options: &Value) -> Result<(Published, Vec<usize>), StepError> {
        let mut planned = self.plan(options)?;
        let mut calls = vec![self.map(&planned)?];
        while !planned.last {
            planned = self.plan_merge(planned.stage)?;
            calls.push(self.map(&planned)?);
        }
        let (published, publishing) = self.published(planned.stage)?;
        calls.push(publishing);
        Ok((published, calls))
    }

    pub(super) fn scratch(&self) -> Vec<String> {
        self.store.keys().into_iter().filter(|key| key.starts_with("tmp/")).collect()
    }
}

/// A delivery of CSV files with so many rows each.
pub(super) fn delivery(files: usize, rows: usize) -> BTreeMap<String, Vec<u8>> {
    let row = |nth: usize| {
        let place = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 50;
        let class = ["STANDARD", "GLACIER"][nth % 5 / 4];
        format!("\"my-bucket\",\"d{}/e{place}/k{nth}\",\"{}\",\"{class}\"\n", place % 7, nth * 3)
    };
    let text = |file: usize| (file * rows..(file + 1) * rows).map(row).collect::<String>();
    delivered((0..files).map(|file| (format!("{file}.csv"), text(file).into_bytes())).collect())
}

/// Bytes, compressed.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A delivery of these data files.
pub(super) fn delivered(files: Vec<(String, Vec<u8>)>) -> BTreeMap<String, Vec<u8>> {
    let mut objects = BTreeMap::new();
    let mut listed = Vec::new();
    for (name, bytes) in files {
        let key = format!("{FOLDER}/data/{name}");
        let md5 = format!("{:032x}", u128::from_be_bytes(Md5::digest(&bytes).into()));
        listed.push(json!({ "key": key, "size": bytes.len(), "MD5checksum": md5 }));
        objects.insert(key, bytes);
    }
    let manifest = json!({
        "sourceBucket": "my-bucket", "destinationBucket": "arn:aws:s3:::reports", "version": "2016-11-30",
        "creationTimestamp": "1747098000000", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, StorageClass", "files": listed,
    });
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let checksum = format!("{:032x}\n", u128::from_be_bytes(Md5::digest(&manifest).into()));
    let folder = format!("{FOLDER}/2025-05-13T01-00Z");
    objects.insert(format!("{folder}/manifest.json"), manifest);
    objects.insert(format!("{folder}/manifest.checksum"), checksum.into_bytes());
    objects
}

/// What one process makes of it.
pub(super) fn built(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    built_with(files, false)
}

/// The same, with tables to look prefixes up in if there are to be some.
pub(super) fn built_with(files: &BTreeMap<String, Vec<u8>>, lookup: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    for (key, bytes) in files {
        let path = folder.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    let manifest = at(&format!("{FOLDER}/2025-05-13T01-00Z/manifest.json"));
    let mut options = BuildOptions::new(&manifest, &at("index.s3inv")).unwrap();
    options.temp_dir = folder.path().to_owned();
    options.lookup = lookup;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(build(options)).unwrap();
    std::fs::read(at("index.s3inv")).unwrap()
}
