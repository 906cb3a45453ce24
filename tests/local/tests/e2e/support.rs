use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use s3inv_local_aws::{Config, Function, LocalAws};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What is waited for at most; nothing takes that long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The function that does what its event says; cargo builds it with the tests.
pub(crate) fn bootstrap() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let bootstrap = test.parent().unwrap().parent().unwrap().join("examples/bootstrap");
    assert!(bootstrap.exists(), "run `cargo test -p s3inv-local-aws`: with --test, cargo builds no examples");
    bootstrap
}

/// A function called `f`.
pub(crate) fn function() -> Function {
    Function::new("f", bootstrap())
}

/// A local AWS, and the folder of its logs.
pub(crate) struct Started {
    pub(crate) aws: LocalAws,
    pub(crate) logs: TempDir,
}

/// One with a function and no other service.
pub(crate) fn with(function: Function) -> Started {
    started(None, |config| config.function(function))
}

/// One with moto.
pub(crate) fn with_moto(change: impl FnOnce(Config) -> Config) -> Started {
    let python = std::env::var_os("S3INV_TEST_PYTHON")
        .expect("S3INV_TEST_PYTHON is not set: run `cargo xtask test`, which installs what is needed");
    started(Some(python.into()), change)
}

fn started(python: Option<PathBuf>, change: impl FnOnce(Config) -> Config) -> Started {
    let logs = tempfile::tempdir().unwrap();
    let mut config = Config::new(python, logs.path());
    config.retry_delay = Duration::from_millis(5);
    Started { aws: LocalAws::start(change(config)).unwrap(), logs }
}

impl Started {
    /// What the function answers.
    pub(crate) fn answer(&self, event: &Value) -> Value {
        let invoked = self.aws.invoke("f", event).unwrap();
        assert!(!invoked.is_error, "{}", invoked.json());
        invoked.json()
    }

    /// The type and the message of the error that it ends with.
    pub(crate) fn error(&self, event: &Value) -> (String, String) {
        let invoked = self.aws.invoke("f", event).unwrap();
        assert!(invoked.is_error, "{}", invoked.json());
        let message = invoked.json()["errorMessage"].as_str().unwrap().to_owned();
        (invoked.error_type().unwrap(), message.replace(&invoked.request_id, "ID"))
    }

    /// The process that takes an invocation.
    pub(crate) fn process(&self) -> u64 {
        self.answer(&json!({}))["process"].as_u64().unwrap()
    }
}

/// Where functions wait until they are let through.
pub(crate) struct Gate {
    port: u16,
    arrivals: Mutex<Receiver<TcpStream>>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (send, arrivals) = channel();
        // Ends with the tests: no function comes any more.
        std::thread::spawn(move || {
            let mut streams = listener.incoming().map_while(Result::ok);
            streams.try_for_each(|stream| send.send(stream))
        });
        Self { port, arrivals: Mutex::new(arrivals) }
    }

    /// The event that has a function wait here.
    pub(crate) fn event(&self) -> Value {
        json!({ "do": "wait", "port": self.port })
    }

    /// Returns when one more has come; it goes on when the value is dropped.
    pub(crate) fn arrival(&self) -> TcpStream {
        self.arrivals.lock().unwrap().recv_timeout(LIMIT).expect("a function comes")
    }
}

/// Returns when the other side has ended.
pub(crate) fn wait_for_end(mut waiting: &TcpStream) {
    // However it broke off.
    let _ = waiting.read(&mut [0]);
}

/// Milliseconds since 1970, as functions are told their deadlines.
#[expect(clippy::disallowed_methods, reason = "deadlines of functions are on the wall's clock")]
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
