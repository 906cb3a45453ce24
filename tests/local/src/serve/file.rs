use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::bridge::Rule;
use crate::config::{Config, Function};
use crate::error::{Context as _, Error};

/// What is to be served: a JSON file. Paths in it are relative to where the command is run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// See [`Config::python`].
    pub python: PathBuf,
    /// See [`Config::logs`].
    pub logs: PathBuf,
    /// The functions.
    pub functions: Vec<PlannedFunction>,
    /// The state machines.
    #[serde(default)]
    pub state_machines: Vec<PlannedMachine>,
    /// Buckets to make.
    #[serde(default)]
    pub buckets: Vec<String>,
    /// Rules of the bridge.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// See [`Config::concurrency`].
    #[serde(default)]
    pub concurrency: Option<usize>,
}

/// A function to serve.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFunction {
    /// Its name.
    pub name: String,
    /// Its bootstrap.
    pub binary: PathBuf,
    /// See [`Function::memory_mb`].
    pub memory_mb: u64,
    /// Seconds: see [`Function::timeout`].
    pub timeout_s: u64,
    /// See [`Function::concurrency`].
    #[serde(default)]
    pub concurrency: Option<usize>,
    /// Its variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// A state machine to serve.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedMachine {
    /// Its name.
    pub name: String,
    /// The file of its definition.
    pub definition: PathBuf,
    /// What stands for each `${NAME}` of the definition.
    #[serde(default)]
    pub substitutions: BTreeMap<String, String>,
}

impl Plan {
    /// Reads one.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).context(path.display().to_string())?;
        serde_json::from_str(&text).map_err(std::io::Error::from).context(path.display().to_string())
    }

    pub(super) fn config(&self) -> Config {
        let mut config = Config::new(Some(self.python.clone()), &self.logs);
        config.retry_delay = Duration::from_secs(1);
        config.rules.clone_from(&self.rules);
        config.concurrency = self.concurrency.unwrap_or(config.concurrency);
        config.functions = self.functions.iter().map(PlannedFunction::function).collect();
        config
    }
}

impl PlannedFunction {
    fn function(&self) -> Function {
        // A process runs in the folder of its bootstrap, where another path would not be found.
        let binary = std::path::absolute(&self.binary).unwrap_or_else(|_| self.binary.clone());
        let mut function = Function::new(&self.name, binary);
        function.memory_mb = self.memory_mb;
        function.timeout = Duration::from_secs(self.timeout_s);
        function.concurrency = self.concurrency;
        function.environment.clone_from(&self.env);
        function
    }
}
