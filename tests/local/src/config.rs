use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::Rule;

/// What a local AWS consists of.
#[derive(Clone, Debug)]
pub struct Config {
    /// A Python that has moto and what its Step Functions need. Without one there are functions
    /// only, and no other service.
    pub python: Option<PathBuf>,
    /// The folder of the logs: `NAME.log` for each function, and `moto.log`.
    pub logs: PathBuf,
    /// The functions.
    pub functions: Vec<Function>,
    /// How many invocations may run at the same time, of all functions together.
    pub concurrency: usize,
    /// What an asynchronous invocation waits before it is tried again.
    pub retry_delay: Duration,
    /// What the bridge hands over.
    pub rules: Vec<Rule>,
}

impl Config {
    /// No functions and no rules yet; an account's usual concurrency, and a short delay.
    pub fn new(python: Option<PathBuf>, logs: impl Into<PathBuf>) -> Self {
        Self {
            python,
            logs: logs.into(),
            functions: Vec::new(),
            concurrency: 1000,
            retry_delay: Duration::from_millis(50),
            rules: Vec::new(),
        }
    }

    /// Adds a function.
    #[must_use]
    pub fn function(mut self, function: Function) -> Self {
        self.functions.push(function);
        self
    }

    /// Adds a rule of the bridge.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its bootstrap: what is run, without arguments.
    pub binary: PathBuf,
    /// MB (2^20 bytes) of resident memory above which it is killed.
    pub memory_mb: u64,
    /// When an invocation is killed.
    pub timeout: Duration,
    /// How many of its invocations may run at the same time, if it has a limit of its own.
    pub concurrency: Option<usize>,
    /// Its variables, besides those of Lambda.
    pub environment: BTreeMap<String, String>,
}

impl Function {
    /// With 512 MB, a minute, and no limit of its own.
    pub fn new(name: impl Into<String>, binary: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            binary: binary.into(),
            memory_mb: 512,
            timeout: Duration::from_mins(1),
            concurrency: None,
            environment: BTreeMap::new(),
        }
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Sets its memory.
    #[must_use]
    pub fn memory_mb(mut self, megabytes: u64) -> Self {
        self.memory_mb = megabytes;
        self
    }

    /// Sets its timeout.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets its own limit of concurrency.
    #[must_use]
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = Some(limit);
        self
    }
}
