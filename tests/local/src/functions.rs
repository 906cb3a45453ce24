use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Function;
use crate::counters::Counting;
use crate::error::{Context as _, Error};
use crate::fault::Faults;
use crate::log_file::LogFile;
use crate::sandbox::Sandbox;

/// A function, with all that there is of it.
pub(crate) struct Live {
    function: Mutex<Arc<Function>>,
    /// The processes that wait, the one used last at the end.
    idle: Mutex<Vec<Sandbox>>,
    pub(crate) counting: Counting,
    pub(crate) faults: Faults,
    pub(crate) log: Arc<LogFile>,
}

/// By their names.
pub(crate) type Functions = BTreeMap<String, Arc<Live>>;

pub(crate) fn all(functions: Vec<Function>, logs: &Path) -> Result<Functions, Error> {
    let live = |function: Function| {
        let path = logs.join(format!("{}.log", function.name));
        let log = Arc::new(LogFile::open(&path).context(path.display().to_string())?);
        let name = function.name.clone();
        let live = Live {
            function: Mutex::new(Arc::new(function)),
            idle: Mutex::default(),
            counting: Counting::default(),
            faults: Faults::default(),
            log,
        };
        Ok((name, Arc::new(live)))
    };
    functions.into_iter().map(live).collect()
}

impl Live {
    /// As it is now.
    pub(crate) fn function(&self) -> Arc<Function> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it, for processes that start from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Function)) {
        let mut function = self.function.lock().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut function));
    }

    /// A process that waits: the one that was used last.
    pub(crate) fn take_idle(&self) -> Option<Sandbox> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// The processes that wait.
    pub(crate) fn idle(&self) -> Vec<u32> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter().map(|sandbox| sandbox.caller.process()).collect()
    }

    pub(crate) fn put_idle(&self, sandbox: Sandbox) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sandbox);
    }
}
