use s3inv_rollup::{FAN_IN, RANGE_ROWS, chunks, ranges, spread_round};

use super::Args;
use super::rates::{Rates, aws};

/// Bytes that a request for data or for an upload's part has at most.
const PART: f64 = (8 << 20) as f64;
/// A table has no more than this of a function's memory: `memory.rs` of the pipeline.
const TABLE_SHARE: f64 = 7.0 / 16.0;
const LARGEST_TABLE: f64 = (1u64 << 30) as f64;
/// Segments are joined by requests one after the other, each for so much at most.
const COPY: f64 = (1u64 << 30) as f64;

/// A step of a build, as it would be.
pub(super) struct Step {
    pub(super) name: String,
    /// Calls of functions, checkpoints included.
    pub(super) calls: f64,
    /// Functions at once.
    pub(super) at_once: f64,
    /// Seconds by the clock.
    pub(super) seconds: f64,
    /// Seconds that all calls take together.
    pub(super) work: f64,
    /// Megabytes of memory of each.
    pub(super) memory: f64,
    pub(super) transitions: f64,
    pub(super) reads: f64,
    pub(super) writes: f64,
    /// What it would have to be faster in.
    pub(super) limit: &'static str,
}

impl Step {
    pub(super) fn dollars(&self) -> f64 {
        self.work * self.memory / 1024.0 * aws::GB_SECOND
            + self.calls * aws::CALL
            + self.transitions * aws::TRANSITION
            + self.reads * aws::READ
            + self.writes * aws::WRITE
    }
}

/// A build of so many objects, as the code divides it.
pub(super) struct Build {
    pub(super) steps: Vec<Step>,
    /// Compressed bytes of all data files.
    pub(super) inventory: f64,
    /// Bytes of all runs that were ever written.
    pub(super) scratch: f64,
    pub(super) index: f64,
}

/// What there is to merge.
struct Runs {
    count: usize,
    rows: f64,
}

impl Build {
    pub(super) fn new(objects: f64, args: &Args, rates: &Rates) -> Self {
        let inventory = objects * rates.row_bytes;
        let mut build = Self { steps: Vec::new(), inventory, scratch: 0.0, index: 0.0 };
        build.alone("plan", args.plan_memory, 2.0 + inventory / 2e12, 20.0, 5.0);
        let mut runs = build.ingest(objects, args, rates);
        loop {
            // Records are read 64 at a time, footers 16.
            let looks = runs.count as f64;
            let plan = 1.0 + looks * rates.latency * (1.0 / 64.0 + 3.0 / 16.0);
            build.alone("plan merge", args.plan_memory, plan, 3.0 * looks, 4.0);
            let groups = spread_round(runs.count, FAN_IN, args.concurrency as usize);
            if groups.is_empty() {
                break;
            }
            runs = build.round(&runs, &groups, args, rates);
        }
        build.last_round(&runs, objects, args, rates);
        let copies = (build.index / COPY).ceil().max(1.0);
        build.alone("publish", args.publish_memory, 1.0 + copies * 3.0, 10.0, copies + 4.0);
        let objects = build.steps.iter().map(|step| step.writes).sum::<f64>();
        let pages = (objects / 1000.0).ceil();
        build.alone("clean up", 512.0, 0.5 + pages * 0.5, pages, 2.0 * pages);
        build
    }

    /// A step of one function.
    fn alone(&mut self, name: &str, memory: f64, seconds: f64, reads: f64, writes: f64) {
        let calls = (seconds / aws::LONGEST_RUN).ceil().max(1.0);
        let limit = if seconds > 5.0 { "requests one after the other" } else { "latency" };
        self.steps.push(Step {
            name: name.to_owned(),
            calls,
            at_once: 1.0,
            seconds,
            work: seconds,
            memory,
            transitions: 1.0 + calls,
            reads,
            writes,
            limit,
        });
    }

    /// A step of many. Each reads so many bytes in so many requests, and takes so many seconds of a
    /// processor's work.
    fn map(&mut self, name: &str, memory: f64, args: &Args, rates: &Rates, task: &Task) {
        let computing = task.computing / (memory / aws::MB_A_PROCESSOR).min(1.0);
        let network = (task.bytes_in + task.bytes_out) / rates.network;
        let each = rates.start + task.waiting + computing.max(network);
        let parts = (each / aws::LONGEST_RUN).ceil().max(1.0);
        let at_once = task.count.min(f64::from(args.concurrency));
        let waves = (task.count / at_once).ceil();
        let starting = task.count / aws::CHILDREN_A_SECOND;
        // Children begin one after the other; who is through makes room for another.
        let seconds = (starting + each).max(waves * each);
        let limit = if starting > waves * each / 2.0 {
            "children begun a second"
        } else if waves > 1.0 {
            "functions at once"
        } else if network > computing {
            "a function's network"
        } else if computing > task.waiting {
            "a processor"
        } else {
            "latency"
        };
        self.steps.push(Step {
            name: name.to_owned(),
            calls: task.count * parts,
            at_once,
            seconds,
            work: task.count * each,
            memory,
            transitions: 1.0 + task.count * (3.0 + 2.0 * (parts - 1.0)),
            reads: task.count * (8.0 + task.reads + (task.bytes_in / PART).ceil()),
            writes: task.count * (4.0 + (task.bytes_out / PART).ceil()),
            limit,
        });
        self.scratch += task.count * task.bytes_out;
    }

    fn ingest(&mut self, objects: f64, args: &Args, rates: &Rates) -> Runs {
        let count = chunks(self.inventory as u64, args.concurrency) as f64;
        let rows = objects / count;
        let prefixes = (rows / rates.rows_per_prefix).max(1.0);
        let table = (args.ingest_memory * 1_048_576.0 * TABLE_SHARE).min(LARGEST_TABLE);
        let runs = (prefixes * rates.table_bytes / table).ceil().max(1.0);
        let task = Task {
            count,
            computing: rows / rates.ingest_rows,
            bytes_in: self.inventory / count,
            bytes_out: prefixes * rates.run_bytes,
            reads: 0.0,
            waiting: 10.0 * rates.latency,
        };
        self.map("ingest", args.ingest_memory, args, rates, &task);
        Runs { count: (count * runs) as usize, rows: count * prefixes }
    }

    fn round(&mut self, runs: &Runs, groups: &[std::ops::Range<usize>], args: &Args, rates: &Rates) -> Runs {
        let merged: usize = groups.iter().map(ExactSizeIterator::len).sum();
        let each = runs.rows / runs.count as f64;
        let rows = each * merged as f64 / groups.len() as f64;
        let fan_in = merged as f64 / groups.len() as f64;
        let task = Task::merge(groups.len() as f64, rows, fan_in, rates.run_bytes, rates);
        self.map("merge, a round", args.merge_memory, args, rates, &task);
        // As if no two runs had a prefix in common: the worst.
        Runs { count: runs.count - merged + groups.len(), rows: runs.rows }
    }

    fn last_round(&mut self, runs: &Runs, objects: f64, args: &Args, rates: &Rates) {
        let count = ranges(runs.rows as u64, RANGE_ROWS) as f64;
        self.index = (objects / rates.rows_per_prefix).min(runs.rows) * rates.index_bytes;
        let task = Task::merge(count, runs.rows / count, runs.count as f64, rates.index_bytes, rates);
        self.map("merge, to the index", args.merge_memory, args, rates, &task);
    }
}

/// One of many that are alike.
struct Task {
    count: f64,
    /// Seconds of a processor.
    computing: f64,
    bytes_in: f64,
    bytes_out: f64,
    /// Requests to read, besides those that the bytes take.
    reads: f64,
    /// Seconds before the first byte.
    waiting: f64,
}

impl Task {
    fn merge(count: f64, rows: f64, runs: f64, bytes: f64, rates: &Rates) -> Self {
        Self {
            count,
            computing: rows / rates.merge_rows,
            bytes_in: rows * rates.run_bytes,
            bytes_out: rows * bytes,
            reads: 3.0 * runs,
            // Footers are read 16 at a time, then each run's first window.
            waiting: rates.latency * (3.0 * (runs / 16.0).ceil() + runs),
        }
    }
}
