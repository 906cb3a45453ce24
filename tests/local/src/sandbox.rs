use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use s3inv_cancel::{Clock as _, SystemClock};
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::config::Function;
use crate::counters::Counting;
use crate::ended::Ended;
use crate::memory;
use crate::runtime_api::{Call, Event};
use crate::time::pause;

/// How long a process may take from its start to its first `next`; as on Lambda.
const START: Duration = Duration::from_secs(10);

/// How often a process's memory is looked at while it works.
const LOOK: Duration = Duration::from_millis(10);

/// A process of a function, between invocations or in one.
pub(crate) struct Sandbox {
    pub(crate) child: Child,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) caller: Arc<Caller>,
    /// Its ends of the conversation: the Runtime API, its front, its logs.
    pub(crate) servers: JoinSet<()>,
    /// Set when it waits for an event.
    pub(crate) waiting: Option<oneshot::Sender<Event>>,
    /// Runs from its start to its first `next`.
    pub(crate) starting: Option<SystemClock>,
}

/// One run of an invocation.
pub(crate) struct Run {
    pub(crate) event: Event,
    /// When it is killed.
    pub(crate) limit: Duration,
    /// When it is killed by a fault.
    pub(crate) kill_after: Option<Duration>,
}

/// Why a process has to end.
enum Stop {
    Timeout,
    Memory,
    Killed,
}

/// What happens next.
enum Happened {
    Call(Call),
    Exited(io::Result<std::process::ExitStatus>),
    Stop(Stop),
    Look,
}

impl Sandbox {
    /// Waits until the process is ready for an event.
    pub(crate) async fn ready(&mut self, counting: &Counting) -> Result<(), Ended> {
        match tokio::time::timeout(START, self.next()).await {
            Ok(Ok(())) => {
                if let Some(clock) = self.starting.take() {
                    counting.count(|counters| {
                        counters.slowest_start = counters.slowest_start.max(clock.now());
                    });
                }
                Ok(())
            }
            Ok(Err(ended)) => Err(ended),
            Err(_) => {
                self.end().await;
                Err(Ended::TimedOut(START))
            }
        }
    }

    async fn next(&mut self) -> Result<(), Ended> {
        while self.waiting.is_none() {
            tokio::select! {
                biased;
                Some(call) = self.calls.recv() => match call {
                    Call::Next(next) => self.waiting = Some(next),
                    Call::InitError(error) => return Err(Ended::Failed(error)),
                    // An answer that comes too late.
                    Call::Done { known, .. } => drop(known.send(false)),
                },
                status = self.child.wait() => return Err(exited(status)),
            }
        }
        Ok(())
    }

    /// Runs an invocation in it, once it is ready.
    pub(crate) async fn run(&mut self, run: Run, function: &Function, counting: &Counting) -> Ended {
        let (id, limit) = (run.event.id.clone(), run.limit);
        self.caller.begin(&id, &run.event.payload);
        if let Some(next) = self.waiting.take() {
            // One that has ended in this moment is found out below.
            let _ = next.send(run.event);
        }
        if run.kill_after == Some(Duration::ZERO) {
            // Before it can answer.
            return self.end().await;
        }
        let mut timeout = std::pin::pin!(pause(limit));
        let mut kill = std::pin::pin!(fault(run.kill_after));
        let mut looks = tokio::time::interval(LOOK);
        loop {
            let happened = tokio::select! {
                biased;
                Some(call) = self.calls.recv() => Happened::Call(call),
                status = self.child.wait() => Happened::Exited(status),
                () = &mut kill => Happened::Stop(Stop::Killed),
                () = &mut timeout => Happened::Stop(Stop::Timeout),
                _ = looks.tick() => Happened::Look,
            };
            let within = self.memory_is_within(function, counting);
            let ended = match happened {
                Happened::Exited(status) => Some(exited(status)),
                Happened::Stop(stop) => Some(self.stop(&stop, limit, counting).await),
                Happened::Call(_) | Happened::Look if !within => {
                    Some(self.stop(&Stop::Memory, limit, counting).await)
                }
                Happened::Call(call) => self.answer(call, &id),
                Happened::Look => None,
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    /// Whether a call of the process ends the invocation.
    fn answer(&mut self, call: Call, current: &str) -> Option<Ended> {
        match call {
            Call::Done { id, payload, is_error, known } if id == current => {
                // A process that doesn't wait for the acknowledgement has done its work, too.
                let _ = known.send(true);
                Some(if is_error { Ended::Failed(payload) } else { Ended::Answered(payload) })
            }
            Call::Done { known, .. } => {
                let _ = known.send(false);
                None
            }
            // Asking for more before it has answered: it'll get its next event after this one.
            Call::Next(next) => {
                self.waiting = Some(next);
                None
            }
            Call::InitError(error) => Some(Ended::Failed(error)),
        }
    }

    fn memory_is_within(&self, function: &Function, counting: &Counting) -> bool {
        // A process that has ended has none.
        let Some(peak) = memory::peak(self.caller.process()) else { return true };
        counting.count(|counters| counters.peak_memory = counters.peak_memory.max(peak));
        peak <= function.memory_mb << 20
    }

    async fn stop(&mut self, why: &Stop, limit: Duration, counting: &Counting) -> Ended {
        let status = self.end().await;
        match why {
            Stop::Timeout => {
                counting.count(|counters| counters.timeouts += 1);
                Ended::TimedOut(limit)
            }
            Stop::Memory => {
                counting.count(|counters| counters.memory_kills += 1);
                status
            }
            Stop::Killed => status,
        }
    }

    /// Kills the process, and waits for its end.
    pub(crate) async fn end(&mut self) -> Ended {
        // It may have ended by itself.
        let _ = self.child.start_kill();
        exited(self.child.wait().await)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.caller.set_process(0);
        self.servers.abort_all();
    }
}

fn exited(status: io::Result<std::process::ExitStatus>) -> Ended {
    match status {
        Ok(status) => Ended::Exited(status),
        Err(error) => Ended::Failed(Bytes::from(format!(
            "{{\"errorType\":\"Runtime.Unknown\",\"errorMessage\":\"{error}\"}}"
        ))),
    }
}

async fn fault(kill_after: Option<Duration>) {
    match kill_after {
        Some(delay) => pause(delay).await,
        None => pending().await,
    }
}
