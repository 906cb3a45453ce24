use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use s3inv_cancel::SystemClock;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::caller::Caller;
use crate::config::Function;
use crate::ended::{Ended, Invoked};
use crate::error::Error;
use crate::fault::Fault;
use crate::front::Front;
use crate::functions::{self, Functions, Live};
use crate::http::{listen, serve};
use crate::names::function_arn;
use crate::process::{self, Ports};
use crate::runtime_api::{self, Event};
use crate::sandbox::{Run, Sandbox};
use crate::{ids, time};

/// Runs functions.
pub(crate) struct Host {
    pub(crate) functions: Functions,
    concurrency: usize,
    group: i32,
    /// Counts the invocations that run, of all functions; held while one more is let in.
    running: Mutex<usize>,
    /// What processes are given for their endpoint.
    pub(crate) front: OnceLock<Weak<Front>>,
    pub(crate) tasks: TaskTracker,
}

/// Why an invocation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotFound,
    Throttled,
    /// It may have run or not.
    Service,
}

/// What a fault changes of a run.
#[derive(Clone, Copy, Default)]
struct Changes {
    kill_after: Option<Duration>,
    timeout: Option<Duration>,
    deadline: Option<Duration>,
}

impl Host {
    pub(crate) fn new(
        functions: Vec<Function>,
        logs: &Path,
        concurrency: usize,
        group: i32,
    ) -> Result<Self, Error> {
        Ok(Self {
            functions: functions::all(functions, logs)?,
            concurrency,
            group,
            running: Mutex::new(0),
            front: OnceLock::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Runs a function on an event, to its end even if nobody waits for it any more.
    pub(crate) async fn invoke(self: &Arc<Self>, name: &str, payload: Bytes) -> Result<Invoked, Refusal> {
        let live = self.functions.get(name).ok_or(Refusal::NotFound)?;
        let (host, live) = (Arc::clone(self), Arc::clone(live));
        let run = self.tasks.spawn(async move { host.with_fault(&live, payload).await });
        run.await.unwrap_or(Err(Refusal::Service))
    }

    async fn with_fault(self: &Arc<Self>, live: &Arc<Live>, payload: Bytes) -> Result<Invoked, Refusal> {
        let id = ids::unique();
        let mut changes = Changes::default();
        match live.faults.take(&payload) {
            Fault::Pass => {}
            Fault::Throttle => {
                live.counting.count(|counters| counters.throttles += 1);
                return Err(Refusal::Throttled);
            }
            Fault::Answer(answer) => return Ok(Invoked::answered(&id, &answer)),
            Fault::Fail { error_type, message } => {
                live.counting.count(|counters| counters.errors += 1);
                return Ok(Invoked::platform_error(&id, &error_type, &message));
            }
            Fault::DropAnswer => {
                self.once(live, &id, payload, changes).await?;
                return Err(Refusal::Service);
            }
            Fault::Twice => drop(self.once(live, &id, payload.clone(), changes).await?),
            Fault::TwiceAtOnce => self.duplicate(live, &id, &payload),
            Fault::KillAtStart => changes.kill_after = Some(Duration::ZERO),
            Fault::KillAfter(delay) => changes.kill_after = Some(delay),
            Fault::Deadline(deadline) => changes.deadline = Some(deadline),
            Fault::Timeout(timeout) => changes.timeout = Some(timeout),
        }
        self.once(live, &id, payload, changes).await
    }

    /// Runs it beside the invocation that it copies; Lambda keeps the id.
    fn duplicate(self: &Arc<Self>, live: &Arc<Live>, id: &str, payload: &Bytes) {
        let (host, live, id, payload) = (Arc::clone(self), Arc::clone(live), id.to_owned(), payload.clone());
        self.tasks.spawn(async move {
            // Nobody hears of it.
            let _ = host.once(&live, &id, payload, Changes::default()).await;
        });
    }

    async fn once(
        self: &Arc<Self>,
        live: &Arc<Live>,
        id: &str,
        payload: Bytes,
        changes: Changes,
    ) -> Result<Invoked, Refusal> {
        let _slot = self.enter(live)?;
        let function = live.function();
        let ended = self.in_sandbox(live, &function, id, payload, changes).await;
        let invoked = ended.map_err(|error| {
            live.log.line(id, &format!("{}: {error}", function.binary.display()));
            Refusal::Service
        })?;
        let invoked = invoked.into_invoked(id);
        if invoked.is_error {
            live.counting.count(|counters| counters.errors += 1);
            live.log.line(id, &format!("ended with {}", String::from_utf8_lossy(&invoked.payload)));
        }
        Ok(invoked)
    }

    async fn in_sandbox(
        self: &Arc<Self>,
        live: &Arc<Live>,
        function: &Function,
        id: &str,
        payload: Bytes,
        changes: Changes,
    ) -> io::Result<Ended> {
        let mut sandbox = match self.ready(live, function, id, &payload).await? {
            Ok(sandbox) => sandbox,
            Err(ended) => return Ok(ended),
        };
        live.counting.count(|counters| counters.invocations += 1);
        let limit = changes.timeout.unwrap_or(function.timeout);
        let deadline = time::epoch() + changes.deadline.unwrap_or(limit);
        let event = Event {
            id: id.to_owned(),
            payload,
            deadline: deadline.as_millis(),
            arn: function_arn(&function.name),
        };
        let run = Run { event, limit, kill_after: changes.kill_after };
        let ended = sandbox.run(run, function, &live.counting).await;
        if ended.lives() {
            live.put_idle(sandbox);
        }
        Ok(ended)
    }

    /// A warm process, or else a new one.
    async fn ready(
        self: &Arc<Self>,
        live: &Arc<Live>,
        function: &Function,
        id: &str,
        payload: &[u8],
    ) -> io::Result<Result<Sandbox, Ended>> {
        while let Some(mut warm) = live.take_idle() {
            // One that has died or got stuck since its last answer is no concern of this invocation.
            if warm.ready(&live.counting).await.is_ok() {
                return Ok(Ok(warm));
            }
        }
        let mut cold = self.start(live, function).await?;
        cold.caller.begin(id, payload);
        live.counting.count(|counters| counters.cold_starts += 1);
        Ok(cold.ready(&live.counting).await.map(|()| cold))
    }

    async fn start(self: &Arc<Self>, live: &Arc<Live>, function: &Function) -> io::Result<Sandbox> {
        let ((runtime, runtime_port), (front, front_port)) = (listen().await?, listen().await?);
        let caller = Arc::new(Caller::new(&function.name));
        let (send, calls) = mpsc::channel(16);
        let send = Arc::new(send);
        let mut servers = JoinSet::new();
        servers.spawn(serve(runtime, move |request| runtime_api::handle(request, Arc::clone(&send))));
        if let Some(shared) = self.front.get().and_then(Weak::upgrade) {
            servers.spawn(shared.serve(front, Some(Arc::clone(&caller))));
        }
        let starting = Some(SystemClock::new());
        let ports = Ports { runtime: runtime_port, front: front_port };
        let mut child = process::start(function, &ports, self.group)?;
        caller.set_process(child.id().unwrap_or(0));
        // Not among the servers: what a killed process has printed is read to its end.
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            self.tasks.spawn(process::keep_log(out, Arc::clone(&caller), Arc::clone(&live.log)));
            self.tasks.spawn(process::keep_log(err, Arc::clone(&caller), Arc::clone(&live.log)));
        }
        Ok(Sandbox { child, calls, caller, servers, waiting: None, starting })
    }

    /// Lets an invocation in, if not too many run.
    fn enter(self: &Arc<Self>, live: &Arc<Live>) -> Result<Slot, Refusal> {
        let limit = live.function().concurrency.unwrap_or(usize::MAX);
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if *all >= self.concurrency || live.counting.get().running >= limit {
            live.counting.count(|counters| counters.throttles += 1);
            return Err(Refusal::Throttled);
        }
        *all += 1;
        live.counting.count(|counters| {
            counters.running += 1;
            counters.highest_concurrency = counters.highest_concurrency.max(counters.running);
        });
        Ok(Slot { host: Arc::clone(self), live: Arc::clone(live) })
    }

    /// How many invocations run.
    pub(crate) fn running(&self) -> usize {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all has ended, once the processes have been killed.
    pub(crate) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        for live in self.functions.values() {
            retire(live).await;
        }
    }
}

/// Ends the processes of a function that wait.
pub(crate) async fn retire(live: &Live) {
    while let Some(mut sandbox) = live.take_idle() {
        sandbox.end().await;
    }
}

/// An invocation that counts as running.
struct Slot {
    host: Arc<Host>,
    live: Arc<Live>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut all = self.host.running.lock().unwrap_or_else(PoisonError::into_inner);
        *all -= 1;
        self.live.counting.count(|counters| counters.running -= 1);
    }
}
