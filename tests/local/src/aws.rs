use std::future::Future;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use s3inv_cancel::CancellationToken;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::asynchronous::{Asynchronous, DeadLetter};
use crate::bridge::{Bridge, Rule};
use crate::config::{Config, Function};
use crate::counters::Counters;
use crate::ended::Invoked;
use crate::error::{Context as _, Error};
use crate::fault::Fault;
use crate::front::Front;
use crate::functions::Live;
use crate::guard::Guard;
use crate::host::{Host, Refusal, retire};
use crate::http::listen;
use crate::invoke_api::InvokeApi;
use crate::moto::Moto;
use crate::process::client_variables;
use crate::storage::{Storage, StorageCounts, StorageFault};
use crate::storage_request::StorageRequest;
use crate::waiting::until;

/// How long all may take to end once it has been killed.
const END: Duration = Duration::from_secs(5);

/// A local AWS that runs. All of it ends with this value, or with this process, however that ends.
///
/// Its calls wait for their answers; they may be made from any thread.
pub struct LocalAws {
    port: u16,
    host: Arc<Host>,
    front: Arc<Front>,
    closing: CancellationToken,
    // Dropped in this order.
    guard: Option<Guard>,
    moto: Option<Moto>,
    runtime: Option<Runtime>,
}

impl LocalAws {
    /// Starts one; it answers when this returns.
    pub fn start(config: Config) -> Result<Self, Error> {
        std::fs::create_dir_all(&config.logs).context(config.logs.display().to_string())?;
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.context("start the runtime")?;
        let guard = Guard::start().context("start the guard")?;
        let host = Host::new(config.functions, &config.logs, config.concurrency, guard.group())?;
        let (host, closing) = (Arc::new(host), CancellationToken::new());
        let front = front(&host, config.retry_delay, config.rules, &closing);
        // A process that starts finds it there.
        let _ = host.front.set(Arc::downgrade(&front));
        let (listener, port) = runtime.block_on(listen()).context("listen")?;
        runtime.spawn(Arc::clone(&front).serve(listener, None));
        let moto =
            config.python.map(|python| Moto::start(&python, port, &config.logs, &guard)).transpose()?;
        if let Some(moto) = &moto {
            // Nobody else sets it.
            let _ = front.moto.set(moto.port);
        }
        runtime.spawn(Arc::clone(&front.bridge).watch_executions());
        Ok(Self { port, host, front, closing, guard: Some(guard), moto, runtime: Some(runtime) })
    }

    /// What AWS's clients connect to.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What makes AWS's command line and SDKs use it.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        client_variables(self.port)
    }

    /// Runs a function on an event, as its caller sees it: refusals are errors.
    pub fn invoke(&self, function: &str, event: &Value) -> Result<Invoked, Error> {
        let (host, name) = (Arc::clone(&self.host), function.to_owned());
        let event = event.to_string();
        let invoked = self.wait(async move { host.invoke(&name, event.into()).await })?;
        invoked.map_err(|refusal| refused(function, refusal))
    }

    /// Hands a function an event, and doesn't wait: see [`LocalAws::dead_letters`].
    pub fn invoke_event(&self, function: &str, event: &Value) -> Result<(), Error> {
        self.live(function)?;
        let (bridge, name) = (Arc::clone(&self.front.bridge), function.to_owned());
        let event = event.to_string();
        self.wait(async move { bridge.asynchronous.invoke(&name, event.into()) })
    }

    /// Has faults befall the next invocations of a function, one each.
    pub fn fault(&self, function: &str, faults: impl IntoIterator<Item = Fault>) -> Result<(), Error> {
        let live = self.live(function)?;
        for fault in faults {
            live.faults.push(|_| true, fault);
        }
        Ok(())
    }

    /// Has a fault befall the next invocation whose event is such.
    pub fn fault_when(
        &self,
        function: &str,
        event: impl Fn(&Value) -> bool + Send + 'static,
        fault: Fault,
    ) -> Result<(), Error> {
        self.live(function)?.faults.push(event, fault);
        Ok(())
    }

    /// How many faults of a function have befallen nobody yet.
    pub fn faults_waiting(&self, function: &str) -> Result<usize, Error> {
        Ok(self.live(function)?.faults.waiting())
    }

    /// Has a hook decide what befalls each request to storage. It takes the place of the last one,
    /// and is called by several threads.
    pub fn on_storage(&self, hook: impl Fn(&StorageRequest) -> StorageFault + Send + Sync + 'static) {
        self.front.storage.set_hook(Some(Arc::new(hook)));
    }

    /// Lets all requests to storage pass again.
    pub fn storage_passes(&self) {
        self.front.storage.set_hook(None);
    }

    /// The requests to storage since the start.
    #[must_use]
    pub fn storage_counts(&self) -> StorageCounts {
        self.front.storage.counts()
    }

    /// What has been counted of a function.
    pub fn counters(&self, function: &str) -> Result<Counters, Error> {
        Ok(self.live(function)?.counting.get())
    }

    /// The processes of a function that wait for an event.
    pub fn processes(&self, function: &str) -> Result<Vec<u32>, Error> {
        Ok(self.live(function)?.idle())
    }

    /// Changes a function, for the processes that start from now on; those that wait are ended.
    pub fn change(&self, function: &str, change: impl FnOnce(&mut Function)) -> Result<(), Error> {
        self.live(function)?.change(change);
        self.retire(function)
    }

    /// Ends the processes of a function that wait: the next invocation starts cold.
    pub fn retire(&self, function: &str) -> Result<(), Error> {
        let live = Arc::clone(self.live(function)?);
        self.wait(async move { retire(&live).await })
    }

    /// The log of a function: each line after the id of its invocation.
    pub fn log(&self, function: &str) -> Result<String, Error> {
        Ok(self.live(function)?.log.text())
    }

    /// Waits for a line of a function's log that holds all of `texts`; one that was there counts.
    pub fn wait_for_log(&self, function: &str, texts: &[&str], limit: Duration) -> Result<String, Error> {
        let line = self.live(function)?.log.wait_for(texts, limit);
        line.ok_or_else(|| Error::TimedOut { what: format!("a line of {function} with {texts:?}"), limit })
    }

    /// Adds a rule of the bridge, or takes the place of the one of its name.
    pub fn set_rule(&self, rule: Rule) {
        self.front.bridge.set_rule(rule);
    }

    /// Switches a rule on or off; says whether there is one of this name.
    #[must_use]
    pub fn switch_rule(&self, name: &str, on: bool) -> bool {
        self.front.bridge.switch(name, on)
    }

    /// The events that were given up: functions failed on them three times, or an execution that was to be
    /// started could not be.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.front.bridge.asynchronous.dead_letters()
    }

    /// Waits until no function runs and no event is on its way; those of executions that have ended
    /// are sent first. An execution that waits is not waited for.
    pub fn settle(&self, limit: Duration) -> Result<(), Error> {
        let (host, bridge) = (Arc::clone(&self.host), Arc::clone(&self.front.bridge));
        self.wait(async move {
            // Events before runs: an event that is handed over has become a run.
            let quiet = || async {
                bridge.look().await?;
                let quiet = bridge.asynchronous.pending() == 0 && host.running() == 0;
                Ok(quiet.then_some(()))
            };
            until("functions and events come to rest", limit, quiet).await
        })?
    }

    /// Waits until a condition holds.
    pub fn wait_until(
        &self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        self.runtime()?.block_on(until(what, limit, || std::future::ready(Ok(holds().then_some(())))))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn runtime(&self) -> Result<&Runtime, Error> {
        let gone = || Error::NoFunction("the runtime has ended".to_owned());
        self.runtime.as_ref().ok_or_else(gone)
    }

    /// Runs a future on the runtime; unlike `block_on`, also where another runtime's thread calls.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let (send, receive) = mpsc::sync_channel(1);
        self.runtime()?.spawn(async move { send.send(future.await) });
        receive.recv().map_err(std::io::Error::other).context("a call did not return")
    }

    fn live(&self, function: &str) -> Result<&Arc<Live>, Error> {
        self.host.functions.get(function).ok_or_else(|| Error::NoFunction(function.to_owned()))
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        self.closing.cancel();
        // Kills all processes; their sandboxes see it.
        drop(self.guard.take());
        drop(self.moto.take());
        let host = Arc::clone(&self.host);
        // One that doesn't end in time has been killed, and is left to the system.
        let _ = self.wait(async move { tokio::time::timeout(END, host.close()).await });
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn front(host: &Arc<Host>, delay: Duration, rules: Vec<Rule>, closing: &CancellationToken) -> Arc<Front> {
    let moto = Arc::new(OnceLock::new());
    let asynchronous = Arc::new(Asynchronous::new(Arc::clone(host), delay, closing.clone()));
    let bridge = Bridge::new(Arc::clone(&asynchronous), Arc::clone(host), Arc::clone(&moto), rules);
    Arc::new(Front {
        moto,
        invoke: InvokeApi { host: Arc::clone(host), asynchronous },
        storage: Storage::default(),
        bridge: Arc::new(bridge),
    })
}

fn refused(function: &str, refusal: Refusal) -> Error {
    let (status, code) = match refusal {
        Refusal::NotFound => return Error::NoFunction(function.to_owned()),
        Refusal::Throttled => (429, "TooManyRequestsException"),
        Refusal::Service => (500, "ServiceException"),
    };
    let action = format!("invoke {function}");
    Error::Refused { action, status, code: code.to_owned(), message: String::new() }
}
