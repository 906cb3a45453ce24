use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use s3inv_tests::{StorageFault, StorageRequest};

/// What a request to storage is, in whichever execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Site {
    /// The function that makes it.
    pub(super) function: String,
    /// Its step, or its stage and task.
    step: String,
    operation: &'static str,
    /// The object, without the names of execution and attempt.
    object: String,
    /// Of all that are such, from 1.
    nth: u32,
}

impl Site {
    /// Whether it changes nothing.
    pub(super) fn is_question(&self) -> bool {
        ["Get", "Head", "List"].iter().any(|start| self.operation.starts_with(start))
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, step, operation, object, nth } = self;
        write!(f, "{function} {step}: {operation} {object} #{nth}")
    }
}

/// Tells the requests of one execution apart.
#[derive(Default)]
struct Sites(Mutex<BTreeMap<Site, u32>>);

impl Sites {
    fn site(&self, request: &StorageRequest) -> Site {
        let text = |name: &str| request.event[name].as_str().unwrap_or_default().to_owned();
        let task = request.event["task"].as_u64().map_or(String::new(), |task| format!(" {task}"));
        let place = format!("{}/{}", request.bucket, request.key);
        let mut site = Site {
            function: request.function.clone().unwrap_or_default(),
            step: format!("{}{}{task}", text("step"), text("stage")),
            operation: request.operation,
            object: without_attempt(&place.replace(&text("execution"), "E")),
            nth: 0,
        };
        let mut seen = self.0.lock().unwrap();
        let nth = seen.entry(site.clone()).or_default();
        *nth += 1;
        site.nth = *nth;
        site
    }
}

/// An attempt's name is the longest run of hex digits in a key.
fn without_attempt(key: &str) -> String {
    let part = |part: &str| match part.split_once('-') {
        Some((id, nth)) if id.len() == 24 => format!("A-{nth}"),
        _ => part.to_owned(),
    };
    key.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Notes the requests of an execution.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<(Sites, Mutex<Vec<Site>>)>);

impl Recorder {
    pub(super) fn hook(&self) -> impl Fn(&StorageRequest) -> StorageFault + Send + Sync + 'static {
        let this = self.clone();
        move |request| {
            let site = this.0.0.site(request);
            this.0.1.lock().unwrap().push(site);
            StorageFault::Pass
        }
    }

    pub(super) fn sites(&self) -> Vec<Site> {
        self.0.1.lock().unwrap().clone()
    }
}

/// Has a fault befall a request of an execution, once.
#[derive(Clone, Default)]
pub(super) struct Once(Arc<AtomicBool>);

impl Once {
    pub(super) fn hook(
        &self,
        wanted: &Site,
        fault: StorageFault,
    ) -> impl Fn(&StorageRequest) -> StorageFault + Send + Sync + 'static {
        let (sites, wanted, this) = (Sites::default(), wanted.clone(), self.clone());
        move |request| {
            let hit = sites.site(request) == wanted && !this.0.swap(true, Ordering::SeqCst);
            if hit { fault } else { StorageFault::Pass }
        }
    }

    pub(super) fn has_befallen(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
