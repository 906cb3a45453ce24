//! What `EventBridge` and S3's notifications would do.

mod executions;
mod object_events;
mod rule;
mod status_event;
mod target;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hyper::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::asynchronous::Asynchronous;
use crate::host::Host;
use crate::storage_request::StorageRequest;
use crate::{client, ids};
use executions::Seen;
pub use rule::{Rule, Shape, Source};
pub use target::{InputTransformer, Target};

/// Hands over the events that rules want.
pub(crate) struct Bridge {
    pub(crate) asynchronous: Arc<Asynchronous>,
    host: Arc<Host>,
    /// Where moto listens, where there is one.
    moto: Arc<OnceLock<u16>>,
    rules: Mutex<Vec<Rule>>,
    seen: tokio::sync::Mutex<Seen>,
}

impl Bridge {
    pub(crate) fn new(
        asynchronous: Arc<Asynchronous>,
        host: Arc<Host>,
        moto: Arc<OnceLock<u16>>,
        rules: Vec<Rule>,
    ) -> Self {
        Self { asynchronous, host, moto, rules: Mutex::new(rules), seen: tokio::sync::Mutex::default() }
    }

    /// Adds a rule, or takes the place of the one of its name.
    pub(crate) fn set_rule(&self, rule: Rule) {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.retain(|other| other.name != rule.name);
        rules.push(rule);
    }

    /// Whether there is a rule of this name, which now is on or off.
    pub(crate) fn switch(&self, name: &str, on: bool) -> bool {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let found = rules.iter_mut().find(|rule| rule.name == name);
        found.is_some_and(|rule| {
            rule.on = on;
            true
        })
    }

    fn rules(&self) -> Vec<Rule> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An object was written.
    pub(crate) fn object_made(self: &Arc<Self>, request: &StorageRequest) {
        let wanted = |rule: &Rule| rule.on && rule.source.wants_object(&request.bucket, &request.key);
        let rules: Vec<Rule> = self.rules().into_iter().filter(wanted).collect();
        if rules.is_empty() {
            return;
        }
        let (bridge, request) = (Arc::clone(self), request.clone());
        let sending = self.asynchronous.sending();
        self.host.tasks.spawn(async move {
            let _sending = sending;
            bridge.send_object(&request, &rules).await;
        });
    }

    async fn send_object(&self, request: &StorageRequest, rules: &[Rule]) {
        let Some(&moto) = self.moto.get() else { return };
        let head = client::s3(moto, Method::HEAD, &request.path, HeaderMap::new(), Vec::new().into()).await;
        // Deleted in the meantime, it has still been made; its size is no longer known.
        let header = |name: &str| {
            let value = head.as_ref().ok()?.headers().get(name)?.to_str().ok()?;
            Some(value.trim_matches('"').to_owned())
        };
        let size = header("content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
        let etag = header("etag").unwrap_or_default();
        for rule in rules {
            if let Source::Objects { shape, .. } = &rule.source {
                let event = object_events::event(*shape, request, size, &etag);
                self.hand_over(moto, &rule.target, &event).await;
            }
        }
    }

    async fn hand_over(&self, moto: u16, target: &Target, event: &Value) {
        match target {
            Target::Function(name) => self.asynchronous.invoke(name, event.to_string().into()),
            Target::StateMachine { arn, transformer } => {
                let input = transformer.input(event);
                let start = json!({ "stateMachineArn": arn, "name": ids::unique(), "input": input });
                if let Err(error) = client::states(moto, "StartExecution", &start).await {
                    self.asynchronous.give_up(target.name(), event.clone(), error.to_string().into());
                }
            }
        }
    }
}
