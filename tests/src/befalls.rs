use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use s3inv_local_aws::{LocalAws, StorageFault, StorageRequest};

pub(crate) type Hook = Arc<dyn Fn(&StorageRequest) -> StorageFault + Send + Sync>;

/// What befalls requests to storage, by the execution whose function makes them: so executions can go wrong
/// side by side.
#[derive(Clone, Default)]
pub(crate) struct Befalls(Arc<Mutex<BTreeMap<String, Hook>>>);

impl Befalls {
    /// Decides from now on.
    pub(crate) fn listen(&self, aws: &LocalAws) {
        let befalls = self.clone();
        aws.on_storage(move |request| befalls.decide(request));
    }

    pub(crate) fn set(&self, execution: &str, hook: Hook) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(execution.to_owned(), hook);
    }

    fn decide(&self, request: &StorageRequest) -> StorageFault {
        let execution = request.event["execution"].as_str().unwrap_or_default();
        let hook = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(execution).cloned();
        hook.map_or(StorageFault::Pass, |hook| hook(request))
    }
}
