use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use s3inv_local_aws::{
    Config, Function, InputTransformer, LocalAws, Rule, Shape, StorageFault, StorageRequest, Target,
    function_arn, state_machine_arn,
};
use serde_json::{Value, json};

use crate::Delivery;
use crate::befalls::Befalls;
use crate::store::environment;

/// Where runs are kept while an execution runs.
pub const SCRATCH: &str = "s3inv-scratch";
/// Where indexes go.
pub const INDEXES: &str = "s3inv-indexes";
/// Where the schedule looks for deliveries.
pub const SCHEDULED: &str = "s3inv-scheduled";

const BUILD: (&str, &str) = ("s3inv-build", include_str!("../../infra/build.asl.json"));
const SWEEP: (&str, &str) = ("s3inv-sweep", include_str!("../../infra/sweep.asl.json"));
const TEMPLATE: &str = include_str!("../../infra/template.yaml");
const FUNCTIONS: [&str; 6] = ["trigger", "plan", "ingest", "merge", "publish", "cleanup"];
/// An execution takes some seconds; on a machine that builds beside, some more.
const LIMIT: Duration = Duration::from_mins(3);

/// The local AWS with the functions and the state machines, as a deployment has them.
///
/// Most tests share one. Each has buckets, names and faults of its own.
pub struct Cloud {
    /// What it runs on.
    pub aws: LocalAws,
    /// The ARN of the state machine that builds.
    pub machine: String,
    /// The ARN of the one that sweeps.
    pub sweeps: String,
    befalls: Befalls,
}

/// The one that all tests share.
pub fn cloud() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| Cloud::apart("shared"))
}

/// A function alone, with these variables, in an AWS that has nothing else.
pub fn alone(name: &str, logs: &Path, variables: &[(&str, &str)]) -> LocalAws {
    let bare = Function::new(name, programs().join(name)).memory_mb(256);
    let function = variables.iter().fold(bare, |function, (name, value)| function.env(*name, *value));
    LocalAws::start(Config::new(None, logs).function(function)).unwrap()
}

fn variable(name: &str) -> PathBuf {
    let value = std::env::var_os(name);
    PathBuf::from(value.unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test`")))
}

/// The folder of the functions' programs.
fn programs() -> PathBuf {
    variable("S3INV_TEST_FUNCTIONS")
}

/// An execution that has ended.
#[derive(Debug)]
pub struct Executed {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `SUCCEEDED`, `FAILED` …
    pub status: String,
    /// What `DescribeExecution` says.
    pub described: Value,
}

impl Cloud {
    /// One that nobody else uses; its logs are kept under this name.
    pub fn apart(name: &str) -> Self {
        let functions = programs();
        let logs = functions.join("local-aws-logs").join(name);
        // Of the last time that the tests ran.
        let _ = std::fs::remove_dir_all(&logs);
        let (machine, sweeps) = (state_machine_arn(BUILD.0), state_machine_arn(SWEEP.0));
        let config = Config::new(Some(variable("S3INV_TEST_PYTHON")), logs);
        let config = FUNCTIONS
            .into_iter()
            .map(|name| function(name, functions.join(name), &machine))
            .fold(config, Config::function);
        let ended: Vec<_> = in_template("          status: [", ']').split(", ").collect();
        let sweep = Target::StateMachine { arn: sweeps.clone(), transformer: transformer() };
        let aws = LocalAws::start(config.rule(Rule::executions("ended", sweep, &machine, &ended))).unwrap();
        for bucket in [SCRATCH, INDEXES, SCHEDULED] {
            aws.create_bucket(bucket).unwrap();
        }
        let befalls = Befalls::default();
        befalls.listen(&aws);
        let cloud = Self { aws, machine, sweeps, befalls };
        cloud.deploy(BUILD);
        cloud.deploy(SWEEP);
        cloud
    }

    fn deploy(&self, (name, definition): (&str, &str)) {
        // The same but for the waits between attempts, which would be most of the time here.
        let definition = definition
            .replace("\"IntervalSeconds\": 2", "\"IntervalSeconds\": 1")
            .replace("\"IntervalSeconds\": 5", "\"IntervalSeconds\": 1");
        let arns = FUNCTIONS.map(|name| (substitution(name), function_arn(name)));
        let mut substitutions = vec![("Partition", "aws")];
        substitutions.extend(arns.iter().map(|(name, arn)| (name.as_str(), arn.as_str())));
        self.aws.deploy_state_machine(name, &definition, &substitutions).unwrap();
    }

    /// Has S3 tell the trigger when a delivery to this bucket is complete.
    pub fn notify(&self, bucket: &str, shape: Shape) {
        self.aws.set_rule(Rule::objects(bucket, "trigger", shape, bucket, "/manifest.checksum"));
    }

    /// Delivers an inventory to a bucket of its own, object by object as S3 does.
    pub fn deliver(&self, bucket: &str, delivery: Delivery) -> Delivery {
        let delivery = delivery.to_bucket(&format!("arn:aws:s3:::{bucket}"));
        for (key, bytes) in delivery.objects() {
            self.aws.put(bucket, &key, bytes).unwrap();
        }
        delivery
    }

    /// The input of an execution that builds a delivery, with its index below a folder.
    pub fn input(&self, bucket: &str, delivery: &Delivery, folder: &str, options: &Value) -> Value {
        json!({
            "version": 1,
            "manifest": format!("s3://{bucket}/{}", delivery.manifest_key()),
            "output": format!("s3://{INDEXES}/{folder}/"),
            "options": options,
        })
    }

    /// Has a hook decide what befalls the requests to storage of an execution's functions.
    pub fn on_storage(
        &self,
        execution: &str,
        hook: impl Fn(&StorageRequest) -> StorageFault + Send + Sync + 'static,
    ) {
        self.befalls.set(execution, Arc::new(hook));
    }

    /// Starts an execution, and waits for its end.
    pub fn execute(&self, name: &str, input: &Value) -> Executed {
        let arn = self.aws.start_execution(&self.machine, name, input).unwrap();
        self.ended(&arn)
    }

    /// Waits until an execution has ended, and what its end set off.
    pub fn ended(&self, arn: &str) -> Executed {
        let executed = self.executed(arn);
        if executed.status != "SUCCEEDED" {
            self.aws
                .wait_until("the sweep after an execution", LIMIT, || self.is_swept(&executed.name))
                .unwrap();
        }
        executed
    }

    /// Waits until an execution has ended.
    pub fn executed(&self, arn: &str) -> Executed {
        let described = self.aws.wait_for_execution(arn, LIMIT).unwrap();
        let status = described["status"].as_str().unwrap().to_owned();
        let name = arn.rsplit(':').next().unwrap().to_owned();
        Executed { name, arn: arn.to_owned(), status, described }
    }

    fn is_swept(&self, name: &str) -> bool {
        self.scratch(name) == [tombstone(name)]
    }

    /// Waits until the sweep that the end of an execution set off has ended, too.
    pub fn swept(&self, name: &str) -> Executed {
        let sweep = || self.sweeps_of(name).pop();
        let started = format!("the sweep after {name}");
        self.aws.wait_until(&started, LIMIT, || sweep().is_some()).unwrap();
        self.executed(&sweep().unwrap())
    }

    /// The executions that sweep after one.
    pub fn sweeps_of(&self, name: &str) -> Vec<String> {
        let of_it = |input: &str| serde_json::from_str::<Value>(input).unwrap()["execution"] == name;
        self.started_with(&self.sweeps, of_it)
    }

    /// The executions that build from a manifest.
    pub fn executions_of(&self, manifest: &str) -> Vec<String> {
        self.started_with(&self.machine, |input| input.contains(manifest))
    }

    fn started_with(&self, machine: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let all = self.aws.executions(machine, None).unwrap();
        let arns = all.iter().map(|execution| execution["executionArn"].as_str().unwrap().to_owned());
        arns.filter(|arn| {
            let described = self.aws.describe_execution(arn).unwrap();
            described["input"].as_str().is_some_and(&wanted)
        })
        .collect()
    }

    /// The objects of an execution's scratch.
    pub fn scratch(&self, name: &str) -> Vec<String> {
        self.aws.keys(SCRATCH, &format!("{name}/")).unwrap()
    }

    /// Fails unless an execution has left its tombstone and nothing else, and no upload of its index.
    pub fn assert_clean(&self, name: &str, folder: &str) {
        assert_eq!(self.scratch(name), [tombstone(name)]);
        let uploads = |bucket: &str, prefix: &str| {
            let uploads = self.aws.uploads(bucket).unwrap();
            uploads.into_iter().filter(|upload| upload.key.starts_with(prefix)).collect::<Vec<_>>()
        };
        assert_eq!(uploads(SCRATCH, &format!("{name}/")), []);
        assert_eq!(uploads(INDEXES, &format!("{folder}/")), []);
    }

    /// The states that an execution entered, in their order; not those of its Maps' children.
    pub fn states(&self, arn: &str) -> Vec<String> {
        let history = self.aws.history(arn).unwrap();
        let entered = history.iter().filter_map(|event| event["stateEnteredEventDetails"]["name"].as_str());
        entered.map(str::to_owned).collect()
    }

    /// How many items each Map of an execution had, in their order.
    pub fn fan_out(&self, execution: &Executed) -> Vec<u64> {
        let mut runs = self.aws.map_runs(&execution.arn).unwrap();
        runs.sort_by(|a, b| a["startDate"].as_f64().unwrap().total_cmp(&b["startDate"].as_f64().unwrap()));
        runs.iter().map(|run| run["itemCounts"]["total"].as_u64().unwrap()).collect()
    }

    /// How the command line reaches it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        environment(&self.aws.endpoint())
    }
}

/// What the template has between two texts.
fn in_template(before: &str, after: char) -> &'static str {
    TEMPLATE.split(before).nth(1).and_then(|rest| rest.split(after).next()).unwrap()
}

/// The template's, but for the wait between two sweeps, which would be most of the time here.
fn transformer() -> InputTransformer {
    let paths = [("execution".to_owned(), "$.detail.name".to_owned())].into();
    let template = in_template("InputTemplate: '", '\'');
    let short = template.replace("\"again_after_seconds\": 960", "\"again_after_seconds\": 1");
    assert_ne!(short, template);
    InputTransformer { paths, template: short }
}

fn tombstone(name: &str) -> String {
    format!("{name}/CANCELLED")
}

fn function(name: &str, binary: PathBuf, machine: &str) -> Function {
    Function::new(name, binary)
        .memory_mb(512)
        .timeout(Duration::from_mins(2))
        // Functions keep nothing there: who tried would fail.
        .env("TMPDIR", "/nonexistent")
        .env("S3INV_SCRATCH", format!("s3://{SCRATCH}/"))
        .env("S3INV_OUTPUT", format!("s3://{INDEXES}/events/"))
        .env("S3INV_STATE_MACHINE_ARN", machine)
        .env("S3INV_INVENTORIES", format!("s3://{SCHEDULED}/inventories/"))
}

/// `PlanFunctionArn` for plan.
fn substitution(function: &str) -> String {
    let (first, rest) = function.split_at(1);
    format!("{}{rest}FunctionArn", first.to_uppercase())
}
