//! A state machine, the functions that it calls, and all that can befall them. The functions are the
//! pipeline's own code, driven by hand; only the state machine is told again here.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use s3inv_cancel::Clock;
use s3inv_store::{Bucket, MemoryStore, Store};

use super::functions::{self, Ended};
use super::{Scenario, Start};
use crate::fleet::tests::INDEX;
use crate::fleet::tests::hands::Hands;
use crate::fleet::tests::wire::{Client, Request};
use crate::fleet::{Invocation, LATEST, Latest, Pause, Place, Saving};

/// What the functions are called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Job {
    Task(u32),
    Publish,
    Finish,
    Fail,
    Sweep,
    SecondSweep,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// A function's request has its effect, and is answered.
    Lands(usize),
    /// It has none, and an error is the answer.
    Refused(usize),
    /// It has its effect, but an error is the answer.
    AnswerLost(usize),
    /// An error is the answer; its effect comes later.
    GivenUp(usize),
    /// The function is killed, and its request never sent.
    Killed(usize),
    /// The function is killed, and the effect of its request comes later.
    KilledLate(usize),
    /// A request arrives whose sender has given up or gone.
    Arrives(usize),
    /// The time of a function's invocation is nearly over.
    TimeRunsOut(usize),
    /// The platform calls a function once more, as it may.
    Duplicated(Job),
    /// Somebody stops the execution.
    Stopped,
    /// Another execution publishes an index of the same inventory.
    OtherPublishes,
    /// Another execution names a newer index.
    OtherMovesLatest,
}

/// What may still befall, how often.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(super) struct Budget {
    pub(super) faults: u8,
    pub(super) kills: u8,
    pub(super) duplicates: u8,
    pub(super) stops: u8,
    pub(super) others: u8,
    pub(super) hurries: u8,
}

/// How the execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Tasks,
    Publishing,
    Finishing,
    Failing,
    Ended {
        built: bool,
    },
    /// After the time that a function may run at most.
    SweepingAgain,
    Over,
}

struct Function {
    job: Job,
    client: Client,
    clock: Arc<Hands>,
    future: Option<Pin<Box<dyn Future<Output = Ended>>>>,
    /// Whether the state machine waits for it.
    awaited: bool,
}

/// All of it at one moment.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether something has happened, apart from the others"
)]
pub(super) struct World<'s> {
    scenario: &'s Scenario,
    start: &'s Start,
    store: MemoryStore,
    functions: Vec<Function>,
    /// Requests whose senders have given up or gone.
    on_their_way: Vec<Request>,
    calls: BTreeMap<Job, u32>,
    failures: BTreeMap<Job, u32>,
    done: Vec<Job>,
    stage: Stage,
    left: Budget,
    /// Whether anything went wrong that only the second sweep can put in order.
    rough: bool,
    /// Whether the first sweep is through.
    swept: bool,
    /// Whether the index wasn't there then.
    fenced: bool,
    other: bool,
    latest: String,
}

impl<'s> World<'s> {
    pub(super) fn new(scenario: &'s Scenario, start: &'s Start) -> Self {
        let store = MemoryStore::new();
        for (key, bytes) in &start.objects {
            store.put(key, bytes.clone());
        }
        let mut world = Self {
            scenario,
            start,
            store,
            functions: Vec::new(),
            on_their_way: Vec::new(),
            calls: BTreeMap::new(),
            failures: BTreeMap::new(),
            done: Vec::new(),
            stage: Stage::Tasks,
            left: scenario.budget,
            rough: false,
            swept: false,
            fenced: false,
            other: false,
            latest: String::new(),
        };
        for task in 0..scenario.tasks() {
            world.call(Job::Task(task), true);
        }
        world.settle();
        world
    }

    /// The platform starts a function.
    fn call(&mut self, job: Job, awaited: bool) {
        let call = self.calls.entry(job).or_default();
        *call += 1;
        let client = Client::new(&self.store, self.scenario.without);
        let (clock, cancellation) = Hands::start();
        let invocation = Invocation {
            runtime: self.start.runtime.clone(),
            pause: Pause::new(&cancellation, Some(Duration::from_secs(100)), Arc::new(Saving::new(2 << 30))),
            cancellation,
            attempt: format!("{job:?}-{call}"),
            now_ms: 1_750_000_000_000,
            memory: 16 << 20,
            buckets: Arc::new(client.clone()),
            scratch: Place::parse("s3://scratch/tmp").unwrap(),
        };
        let units = self.scenario.units.clone();
        let future = functions::function(job, invocation, client.clone(), units);
        self.functions.push(Function { job, client, clock, future: Some(future), awaited });
    }

    /// Lets functions run on until all of them wait.
    fn settle(&mut self) {
        loop {
            let mut ended = None;
            for (at, function) in self.functions.iter_mut().enumerate() {
                let Some(future) = &mut function.future else { continue };
                if let Poll::Ready(end) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    function.future = None;
                    ended = Some((at, end));
                    break;
                }
            }
            let Some((at, end)) = ended else { break };
            self.functions[at].client.tell(end as u64);
            self.ended(at, end);
        }
        self.go_on();
    }

    /// A function has ended: what the state machine does then.
    fn ended(&mut self, at: usize, end: Ended) {
        let Function { job, awaited, .. } = self.functions[at];
        if matches!(job, Job::Finish | Job::Fail | Job::Sweep | Job::SecondSweep) {
            self.functions[at].client.catch_up();
            if end == Ended::Done && !self.swept {
                self.swept = true;
                self.fenced = !self.has(INDEX);
            }
        }
        if !std::mem::take(&mut self.functions[at].awaited) || !awaited {
            return;
        }
        match (end, job) {
            (Ended::Again, _) => {
                self.failures.remove(&job);
                self.call(job, true);
            }
            (Ended::Done, _) => self.done(job),
            // Cleanup is tried until it is done: there is always a janitor.
            (_, Job::Finish | Job::Fail | Job::Sweep | Job::SecondSweep) => self.call(job, true),
            (Ended::Retryable, _) if self.failures.get(&job).copied().unwrap_or(0) < 1 => {
                *self.failures.entry(job).or_default() += 1;
                self.call(job, true);
            }
            (Ended::Retryable | Ended::Failed, _) => {
                self.forget();
                self.stage = Stage::Failing;
                self.call(Job::Fail, true);
            }
        }
    }

    /// The state machine waits for nobody any more. They run on.
    fn forget(&mut self) {
        self.functions.iter_mut().for_each(|function| function.awaited = false);
    }

    fn done(&mut self, job: Job) {
        match job {
            Job::Task(_) => {
                self.done.push(job);
                if self.done.len() == self.scenario.tasks() as usize {
                    self.stage = Stage::Publishing;
                    self.call(Job::Publish, true);
                }
            }
            Job::Publish => {
                self.stage = Stage::Finishing;
                self.call(Job::Finish, true);
            }
            Job::Finish => self.stage = Stage::Ended { built: true },
            Job::Fail | Job::Sweep => self.stage = Stage::Ended { built: false },
            Job::SecondSweep => self.stage = Stage::Over,
        }
    }

    fn is_quiet(&self) -> bool {
        self.on_their_way.is_empty() && self.functions.iter().all(|function| function.future.is_none())
    }

    /// When nothing runs any more, it is time for the second sweep.
    fn go_on(&mut self) {
        if !matches!(self.stage, Stage::Ended { .. }) || !self.is_quiet() || !self.swept {
            return;
        }
        if self.scenario.without == Some(super::Rule::SecondSweep) {
            self.stage = Stage::Over;
        } else if self.rough {
            self.stage = Stage::SweepingAgain;
            self.call(Job::SecondSweep, true);
            self.settle();
        } else {
            // Nothing has happened that it would be for.
            self.stage = Stage::Over;
        }
    }

    /// All that may happen now.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (at, function) in self.functions.iter().enumerate() {
            if function.future.is_some()
                && let Some((what, writes)) = function.client.waits_for()
            {
                self.befalls(at, function, &what, writes, &mut events);
            }
        }
        events.extend((0..self.on_their_way.len()).map(Event::Arrives));
        let runs = !matches!(self.stage, Stage::Ended { .. } | Stage::SweepingAgain | Stage::Over);
        if runs && self.left.duplicates > 0 {
            let again = |job: &&Job| self.calls[job] < 3;
            events.extend(self.calls.keys().filter(again).map(|&job| Event::Duplicated(job)));
        }
        if runs && self.left.stops > 0 {
            events.push(Event::Stopped);
        }
        if runs && self.left.others > 0 {
            events.extend([Event::OtherPublishes, Event::OtherMovesLatest]);
        }
        events
    }

    fn befalls(&self, at: usize, function: &Function, what: &str, writes: bool, events: &mut Vec<Event>) {
        events.push(Event::Lands(at));
        if what == "decide" {
            events.push(Event::Refused(at));
            return;
        }
        if self.left.faults > 0 {
            events.push(Event::Refused(at));
            if writes {
                events.extend([Event::AnswerLost(at), Event::GivenUp(at)]);
            }
        }
        if self.left.kills > 0 {
            events.push(Event::Killed(at));
            if writes {
                events.push(Event::KilledLate(at));
            }
        }
        let hurries = matches!(function.job, Job::Publish | Job::Finish | Job::Fail | Job::Sweep);
        if self.left.hurries > 0 && hurries && function.clock.now().is_zero() {
            events.push(Event::TimeRunsOut(at));
        }
    }

    /// Lets something happen.
    pub(super) fn happens(&mut self, event: Event) {
        match event {
            Event::Lands(at) => self.functions[at].client.land(),
            Event::Refused(at) if self.asks(at) == "decide" => self.functions[at].client.refuse(),
            Event::Refused(at) => self.fault(|world| world.functions[at].client.refuse()),
            Event::AnswerLost(at) => self.fault(|world| world.functions[at].client.lose()),
            Event::GivenUp(at) => self.fault(|world| {
                let request = world.functions[at].client.give_up();
                world.on_their_way.extend(request);
            }),
            Event::Killed(at) => self.kill(at, false),
            Event::KilledLate(at) => self.kill(at, true),
            Event::Arrives(at) => {
                let request = self.on_their_way.remove(at);
                request.arrive();
            }
            Event::TimeRunsOut(at) => {
                self.left.hurries -= 1;
                self.functions[at].clock.set(Duration::from_secs(99));
                self.functions[at].client.tell(7);
            }
            Event::Duplicated(job) => {
                self.left.duplicates -= 1;
                self.call(job, false);
            }
            Event::Stopped => {
                self.left.stops -= 1;
                self.forget();
                self.stage = Stage::Ended { built: false };
                self.call(Job::Sweep, true);
            }
            Event::OtherPublishes => {
                self.left.others -= 1;
                if !self.has(INDEX) {
                    self.other = true;
                    self.store.put(INDEX, super::OTHER);
                }
            }
            Event::OtherMovesLatest => {
                self.left.others -= 1;
                let latest = serde_json::to_vec(&Latest::of("2025-05-14T01-00Z")).unwrap();
                self.store.put(&Self::latest_key(), latest);
            }
        }
        self.settle();
    }

    pub(super) fn asks(&self, at: usize) -> String {
        self.functions.get(at).and_then(|function| function.client.waits_for()).unwrap_or_default().0
    }

    fn fault(&mut self, happens: impl FnOnce(&mut Self)) {
        self.left.faults -= 1;
        self.rough = true;
        happens(self);
    }

    /// Nothing of a process that is killed runs on: it has no upload whose drop would do anything.
    fn kill(&mut self, at: usize, late: bool) {
        self.left.kills -= 1;
        self.rough = true;
        let request = self.functions[at].client.take();
        self.on_their_way.extend(request.filter(|_| late));
        let client = self.functions[at].client.clone();
        client.tell(5);
        self.functions[at].future = None;
        self.ended(at, Ended::Retryable);
    }

    fn has(&self, key: &str) -> bool {
        self.store.head(key).now_or_never().is_some_and(|head| head.is_ok())
    }

    fn read(&self, key: &str) -> Option<Vec<u8>> {
        let read = self.store.read_tail(key, u64::MAX).now_or_never()?;
        read.ok().map(|(bytes, _)| bytes.to_vec())
    }

    fn latest_key() -> String {
        let folder = INDEX.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{LATEST}")
    }

    /// What must hold at every moment.
    pub(super) fn check(&mut self) -> Result<(), String> {
        if let Some(index) = self.read(INDEX) {
            let whole = if self.other { index == super::OTHER } else { self.start.is_index(&index) };
            if !whole {
                return Err(format!("a wrong index: {:?}", String::from_utf8_lossy(&index)));
            }
            if self.fenced && !self.other {
                return Err("an index appeared after the sweep".to_owned());
            }
        }
        if let Some(bytes) = self.read(&Self::latest_key()) {
            let latest: Latest = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
            if latest.snapshot < self.latest {
                return Err(format!("latest moved back from {} to {}", self.latest, latest.snapshot));
            }
            self.latest = latest.snapshot;
        }
        if self.events().is_empty() { self.check_end() } else { Ok(()) }
    }

    /// What must hold when nothing can happen any more.
    fn check_end(&self) -> Result<(), String> {
        if self.stage != Stage::Over {
            return Err(format!("stuck: {:?}", self.stage));
        }
        let scratch: Vec<_> = self.store.keys().into_iter().filter(|key| key.starts_with("tmp/")).collect();
        if scratch != ["tmp/run-1/CANCELLED"] {
            return Err(format!("left in scratch: {scratch:?}"));
        }
        let uploads = self.store.uploads("").now_or_never().and_then(Result::ok).unwrap_or_default();
        if !uploads.is_empty() {
            return Err(format!("uploads left open: {uploads:?}"));
        }
        let smooth = !self.rough && self.left.stops == self.scenario.budget.stops && !self.other;
        if smooth && !(self.calls.contains_key(&Job::Finish) && self.has(INDEX)) {
            return Err("no index, though nothing went wrong".to_owned());
        }
        Ok(())
    }

    pub(super) fn is_built(&self) -> bool {
        self.calls.contains_key(&Job::Finish)
    }

    /// All that the future depends on.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut state = DefaultHasher::new();
        for key in self.store.keys() {
            let meta = self.store.head(&key).now_or_never().and_then(Result::ok);
            (key, meta.map(|meta| meta.etag)).hash(&mut state);
        }
        self.store.uploads("").now_or_never().and_then(Result::ok).hash(&mut state);
        for function in &self.functions {
            (function.job, function.awaited, function.future.is_some()).hash(&mut state);
            function.client.history().hash(&mut state);
        }
        for request in &self.on_their_way {
            request.what.hash(&mut state);
        }
        (self.stage, self.left, self.rough, self.swept, self.fenced, self.other).hash(&mut state);
        (&self.calls, &self.failures, &self.done, &self.latest).hash(&mut state);
        state.finish()
    }
}
