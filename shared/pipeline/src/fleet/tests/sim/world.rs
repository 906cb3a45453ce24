//! The functions, storage and time of a run. All that happens is one event after the other, in the order of
//! their moments; between two of them, what runs runs until it waits.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use futures::FutureExt as _;
use s3inv_cancel::{Cancellation, CancellationToken, Clock as _};
use s3inv_store::{MemoryStore, ObjectMeta, Store as _};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::climate::{Call, Climate, Fate, PATIENCE};
use super::clock::Virtual;
use super::quiet;
use crate::fleet::tests::INDEX;
use crate::fleet::tests::wire::{Answer, Client, Request, lost};
use crate::fleet::{
    Defaults, Invocation, Latest, Pause, Place, Saving, StepError, cleanup, end, ingest, leftovers, merge,
    parse, plan, publish,
};

/// How a call failed, as the state machine sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: String,
    pub(super) cause: String,
}

impl Failure {
    fn new(error: &str, cause: &str) -> Self {
        Self { error: error.to_owned(), cause: cause.to_owned() }
    }
}

type Answered = Result<Value, Failure>;

/// Where an answer is put, and who waits for it.
type Slot = Arc<Mutex<(Option<Answered>, Option<Waker>)>>;

fn answer(slot: &Slot, answered: Answered) {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.0.get_or_insert(answered);
    slot.1.take().into_iter().for_each(Waker::wake);
}

/// A function that was called.
struct Function {
    name: String,
    client: Client,
    token: CancellationToken,
    thread: Option<JoinHandle<Answered>>,
    slot: Slot,
    /// Whether nobody hears of its end.
    is_lost: bool,
    /// Whether an index that isn't there when this has succeeded must never be.
    fences: bool,
    /// The event that ends it, if it hasn't ended.
    end: (Duration, u64),
}

enum Event {
    /// A request has its effect. Its answer comes so much later.
    Lands {
        function: usize,
        request: Request,
        fate: Fate,
        later: Duration,
    },
    /// Its sender is told.
    Answered {
        function: usize,
        request: Request,
        answer: Answer,
    },
    /// The sender of a request that has not landed waits no more.
    GivenUp((Duration, u64)),
    Killed {
        function: usize,
        error: &'static str,
    },
    CalledAgain {
        function: String,
        request: Value,
    },
    OtherPublishes,
}

/// All of it.
pub(super) struct World(RefCell<State>);

struct State {
    runtime: Handle,
    store: MemoryStore,
    clock: Arc<Virtual>,
    random: Rng,
    climate: Climate,
    functions: Vec<Function>,
    events: BTreeMap<(Duration, u64), Event>,
    scheduled: u64,
    trace: String,
    expected: Bytes,
    other: bool,
    fenced: bool,
    latest: String,
}

impl World {
    /// With what was delivered, and the index that comes of it.
    pub(super) fn new(seed: u64, runtime: Handle, store: MemoryStore, expected: Bytes) -> Self {
        let mut random = Rng::with_seed(seed);
        let climate = Climate::of(&mut random);
        let mut state = State {
            runtime,
            store,
            clock: Arc::default(),
            random,
            climate,
            functions: Vec::new(),
            events: BTreeMap::new(),
            scheduled: 0,
            trace: String::new(),
            expected,
            other: false,
            fenced: false,
            latest: String::new(),
        };
        if let Some(moment) = state.climate.other {
            state.schedule(moment, Event::OtherPublishes);
        }
        Self(RefCell::new(state))
    }

    /// Drives a state machine to its end, and then all that it has left behind.
    pub(super) fn run<T>(&self, machine: impl Future<Output = T>) -> T {
        let (mut machine, mut done) = (pin!(machine), None);
        loop {
            quiet::wait();
            self.state().collect();
            let started = self.state().functions.len();
            if done.is_none()
                && let Poll::Ready(end) = machine.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                done = Some(end);
            }
            let mut state = self.state();
            if state.functions.len() > started {
                continue;
            }
            state.send();
            if let Some(done) = done.take_if(|_| state.is_over()) {
                return done;
            }
            while !state.step() {}
        }
    }

    fn state(&self) -> std::cell::RefMut<'_, State> {
        self.0.borrow_mut()
    }

    /// Nothing goes wrong from now on.
    pub(super) fn calm(&self) {
        self.state().climate.calm();
    }

    pub(super) fn is_fair(&self) -> bool {
        self.state().climate.is_fair()
    }

    pub(super) fn trace(&self) -> String {
        self.state().trace.clone()
    }

    pub(super) fn document(&self, key: &str) -> Vec<u8> {
        self.state().read(key).unwrap()
    }

    /// Calls a function, and waits for its answer.
    pub(super) async fn call(&self, function: &str, request: &Value) -> Answered {
        let slot = self.state().call(function, request)?;
        std::future::poll_fn(|context| {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.1 = Some(context.waker().clone());
            slot.0.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    pub(super) async fn sleep(&self, time: Duration) {
        let clock = Arc::clone(&self.state().clock);
        clock.sleep_until(clock.now() + time).await;
    }

    /// So long at most.
    pub(super) fn at_most(&self, longest: Duration) -> Duration {
        longest.mul_f64(self.state().random.f64())
    }

    /// Waits until somebody stops the execution.
    pub(super) async fn stopped(&self) {
        let stop = self.state().climate.stop;
        match stop {
            Some(stop) => self.sleep(stop).await,
            None => std::future::pending().await,
        }
    }

    /// Whether the index is there.
    pub(super) fn is_built(&self) -> bool {
        self.state().read(INDEX).is_some()
    }
}

impl State {
    fn schedule(&mut self, moment: Duration, event: Event) -> (Duration, u64) {
        self.scheduled += 1;
        self.events.insert((moment, self.scheduled), event);
        (moment, self.scheduled)
    }

    fn note(&mut self, what: &str) {
        let _ = writeln!(self.trace, "{:>12.6} {what}", self.clock.now().as_secs_f64());
    }

    fn read(&self, key: &str) -> Option<Vec<u8>> {
        let read = self.store.read_tail(key, u64::MAX).now_or_never()?;
        read.ok().map(|(bytes, _)| bytes.to_vec())
    }

    fn is_over(&self) -> bool {
        self.events.is_empty() && self.functions.iter().all(|function| function.thread.is_none())
    }

    /// The platform calls a function, or says why not.
    fn call(&mut self, function: &str, request: &Value) -> Result<Slot, Failure> {
        let now = self.clock.now();
        let fate = self.climate.call(&mut self.random);
        if fate == Call::Throttled {
            self.note(&format!("{function} is throttled"));
            return Err(Failure::new("Lambda.TooManyRequestsException", "too many run"));
        }
        let called = self.start(function, request);
        match fate {
            Call::Killed(later) => {
                let killed = Event::Killed { function: called, error: "Runtime.ExitError" };
                self.schedule(now + later, killed);
            }
            Call::Twice(later) => {
                let again = Event::CalledAgain { function: function.to_owned(), request: request.clone() };
                self.schedule(now + later, again);
            }
            _ => {}
        }
        let started = &mut self.functions[called];
        started.is_lost = fate == Call::AnswerLost;
        Ok(Arc::clone(&started.slot))
    }

    fn start(&mut self, function: &str, request: &Value) -> usize {
        let nth = self.functions.len();
        let name = format!("{function}-{nth}");
        self.note(&format!("{name} is called: {request}"));
        let (client, token) = (Client::new(&self.store, None), CancellationToken::new());
        client.writes_in_parts();
        let invocation = self.invocation(&name, &client, &token);
        let (function, owned) = (function.to_owned(), request.clone());
        let perform = move || {
            perform(&function, &owned, &invocation)
                .map_err(|error| Failure::new(error.error_type.name(), &error.message))
        };
        let thread = Some(Builder::new().spawn(perform).unwrap());
        let killed = Event::Killed { function: nth, error: "Sandbox.Timedout" };
        let end = self.schedule(self.clock.now() + self.climate.timeout, killed);
        let fences = ["finish", "fail", "sweep"].iter().any(|step| request["step"] == *step);
        let slot = Slot::default();
        self.functions.push(Function { name, client, token, thread, slot, is_lost: false, fences, end });
        nth
    }

    fn invocation(&self, name: &str, client: &Client, token: &CancellationToken) -> Invocation {
        let (left, now) = (self.climate.timeout, self.clock.now());
        let cancellation = Cancellation::new(token.clone(), Arc::<Virtual>::clone(&self.clock));
        Invocation {
            runtime: self.runtime.clone(),
            pause: Pause::new(&cancellation, Some(left), Arc::new(Saving::new(2 << 30))),
            cancellation: cancellation.with_timeout(left.mul_f64(0.95)),
            attempt: name.to_owned(),
            now_ms: 1_750_000_000_000 + now.as_millis() as u64,
            memory: 16 << 20,
            buckets: Arc::new(client.clone()),
            scratch: Place::parse("s3://scratch/tmp").unwrap(),
        }
    }

    /// Hears of functions that have ended.
    fn collect(&mut self) {
        for nth in 0..self.functions.len() {
            let function = &mut self.functions[nth];
            let Some(thread) = function.thread.take_if(|thread| thread.is_finished()) else { continue };
            let ended = thread.join().unwrap_or_else(|panic| {
                eprintln!("{}", self.trace);
                std::panic::resume_unwind(panic)
            });
            let (end, fences) = (function.end, function.fences && ended.is_ok());
            let heard = if function.is_lost {
                Err(Failure::new("Lambda.Unknown", "its answer is lost"))
            } else {
                ended.clone()
            };
            answer(&function.slot, heard);
            let text = format!("{} ends: {ended:?}", function.name);
            self.note(&text);
            self.events.remove(&end);
            self.fenced |= fences && self.read(INDEX).is_none();
        }
    }

    /// What functions have asked for is on its way. In an order of its own: in which one they asked is
    /// up to the machine.
    fn send(&mut self) {
        for function in 0..self.functions.len() {
            let mut asked: Vec<_> = std::iter::from_fn(|| self.functions[function].client.take()).collect();
            asked.sort_by(|a, b| a.what.cmp(&b.what));
            for request in asked {
                self.send_one(function, request);
            }
        }
    }

    fn send_one(&mut self, function: usize, request: Request) {
        let now = self.clock.now();
        let mut fate = self.climate.fate(&mut self.random);
        let (there, mut later) = self.climate.latency(&mut self.random);
        if there <= PATIENCE && there + later > PATIENCE {
            (fate, later) = (Fate::AnswerLost, PATIENCE.saturating_sub(there));
        }
        let lands = self.schedule(now + there, Event::Lands { function, request, fate, later });
        if there > PATIENCE {
            self.schedule(now + PATIENCE, Event::GivenUp(lands));
        }
    }

    /// The next thing happens. Whether anybody may have noticed, and goes on.
    fn step(&mut self) -> bool {
        let event = self.events.first_key_value().map(|(&(moment, _), _)| moment);
        match (self.clock.next(), event) {
            (Some(moment), event) if event.is_none_or(|event| moment < event) => self.clock.advance(moment),
            (_, Some(moment)) => {
                let waited = self.clock.advance(moment);
                let (_, event) = self.events.pop_first().unwrap();
                let is_quiet = matches!(event, Event::Lands { .. });
                self.happens(event);
                self.check();
                waited || !is_quiet
            }
            _ => panic!("nothing happens any more:\n{}", self.trace),
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Lands { function, request, fate, later } => self.lands(function, request, fate, later),
            Event::Answered { function, request, answer } => {
                let text = if answer.is_ok() { "is answered" } else { "fails" };
                self.note(&format!("{}: {} {text}", self.functions[function].name, request.what));
                request.reply(answer);
            }
            Event::GivenUp(lands) => {
                if let Some(Event::Lands { request, .. }) = self.events.get(&lands) {
                    request.reply(Err(lost(&request.what)));
                    let text = format!("{} is given up", request.what);
                    self.note(&text);
                }
            }
            Event::Killed { function, error } => self.kill(function, error),
            Event::CalledAgain { function, request } => {
                self.start(&function, &request);
            }
            Event::OtherPublishes => self.other_publishes(),
        }
    }

    fn lands(&mut self, function: usize, mut request: Request, fate: Fate, later: Duration) {
        let name = &self.functions[function].name;
        self.note(&format!("{name}: {} lands, {fate:?}", request.what));
        let refused = Err(lost(&request.what));
        let answer = match fate {
            Fate::Refused => refused,
            Fate::AnswerLost => {
                let _ = request.land();
                refused
            }
            Fate::Answered => request.land().0,
            Fate::Cut | Fate::Wrong => request.land().0.map(|body| self.spoilt(body, fate)),
        };
        self.schedule(self.clock.now() + later, Event::Answered { function, request, answer });
    }

    /// What is read is not what is there.
    fn spoilt(&mut self, body: Box<dyn std::any::Any + Send>, fate: Fate) -> Box<dyn std::any::Any + Send> {
        let mut spoil = |bytes: Bytes| -> Bytes {
            if bytes.is_empty() {
                return bytes;
            }
            let (mut bytes, at) = (bytes.to_vec(), self.random.usize(..bytes.len()));
            if fate == Fate::Cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1 << self.random.u8(..8);
            }
            bytes.into()
        };
        match body.downcast::<Bytes>() {
            Ok(bytes) => Box::new(spoil(*bytes)),
            Err(body) => match body.downcast::<(Bytes, ObjectMeta)>() {
                Ok(tail) => Box::new((spoil(tail.0), tail.1)),
                Err(other) => other,
            },
        }
    }

    /// A function's process is gone. What it has sent may arrive, or not.
    fn kill(&mut self, killed: usize, error: &'static str) {
        if self.functions[killed].thread.is_none() {
            return;
        }
        let text = format!("{} is killed: {error}", self.functions[killed].name);
        self.note(&text);
        let function = &self.functions[killed];
        function.client.die();
        function.token.cancel();
        answer(&function.slot, Err(Failure::new(error, "killed")));
        let mut gone = Vec::new();
        for (&key, event) in &self.events {
            match event {
                Event::Lands { function, request, .. } if *function == killed => {
                    request.reply(Err(lost(&request.what)));
                    gone.extend(self.random.bool().then_some(key));
                }
                Event::Answered { function, request, .. } if *function == killed => {
                    request.reply(Err(lost(&request.what)));
                }
                _ => {}
            }
        }
        for key in &gone {
            self.events.remove(key);
        }
    }

    fn other_publishes(&mut self) {
        if self.read(INDEX).is_none() {
            self.note("another execution publishes");
            self.other = true;
            self.store.put(INDEX, super::OTHER);
        }
        let newer = serde_json::to_vec(&Latest::of("2025-05-14T01-00Z")).unwrap();
        self.store.put(super::LATEST_KEY, newer);
    }

    /// What must hold at every moment.
    fn check(&mut self) {
        if let Some(index) = self.read(INDEX) {
            let whole = if self.other { super::OTHER } else { &self.expected };
            assert!(index == whole, "a wrong index:\n{}", self.trace);
            assert!(self.other || !self.fenced, "an index appeared after cleanup:\n{}", self.trace);
        }
        if let Some(latest) = self.read(super::LATEST_KEY) {
            let latest: Latest = serde_json::from_slice(&latest).unwrap();
            assert!(latest.snapshot >= self.latest, "latest moved back:\n{}", self.trace);
            self.latest = latest.snapshot;
        }
    }
}

/// As the functions' programs do.
fn perform(function: &str, request: &Value, invocation: &Invocation) -> Result<Value, StepError> {
    match function {
        "plan" => plan(invocation, &parse(request)?, &Defaults::default()).map(|done| json!(done)),
        "ingest" => ingest(invocation, &parse(request)?).map(|done| json!(done)),
        "merge" => merge(invocation, &parse(request)?).map(|done| json!(done)),
        "publish" => publish(invocation, &parse(request)?).map(|done| json!(done)),
        "cleanup" => cleanup(invocation, &parse(request)?).map(|done| json!(done)),
        _ => {
            let mut ended = Vec::new();
            let all = leftovers(invocation, |execution| ended.push(end(invocation, &execution)))?;
            let left = ended.len() + usize::from(!all);
            ended.into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok(json!(left))
        }
    }
}
