//! Logs on stderr: a JSON object a line, or a line for people.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::args::LogArgs;
use crate::text;

/// Who shares stderr: log lines have to go above the progress bar, if there is one.
#[derive(Clone)]
pub(crate) struct Screen {
    bar: Arc<Mutex<Option<ProgressBar>>>,
    pub(crate) pretty: bool,
}

impl Screen {
    /// Log lines go above this bar from now on.
    pub(crate) fn set_bar(&self, bar: Option<ProgressBar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    /// Writes a line. Where stderr is closed there is nobody to tell.
    pub(crate) fn line(&self, line: &str) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let write = || {
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        bar.map_or_else(write, |bar| bar.suspend(write));
    }
}

/// Starts logging.
pub(crate) fn start(args: LogArgs) -> Screen {
    let screen = Screen { bar: Arc::default(), pretty: args.pretty_logs };
    let level = if args.verbose { Level::DEBUG } else { Level::INFO };
    let subscriber = tracing_subscriber::registry().with(Lines { screen: screen.clone(), level });
    // It is the first and only one.
    let _ = tracing::subscriber::set_global_default(subscriber);
    screen
}

struct Lines {
    screen: Screen,
    level: Level,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // What libraries log is theirs, and may hold what must not be logged.
        metadata.target().starts_with("s3inv") && *metadata.level() <= self.level
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        let line = if self.screen.pretty { fields.pretty(&level) } else { fields.json(&level) };
        self.screen.line(&line);
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn json(self, level: &str) -> String {
        let mut line = format!("{{\"level\":{},\"msg\":{}", Value::from(level), Value::from(self.message));
        for (name, value) in self.others {
            // Writing to a string can't fail.
            let _ = write!(line, ",{}:{value}", Value::from(name));
        }
        line.push('}');
        line
    }

    fn pretty(self, level: &str) -> String {
        let mut line = match level {
            "info" => String::new(),
            other => format!("{other}: "),
        };
        line.push_str(&text::printable(&self.message));
        for (name, value) in self.others {
            let value = value.as_str().map_or_else(|| value.to_string(), text::printable);
            let _ = write!(line, " {name}={value}");
        }
        line
    }

    fn add(&mut self, field: &Field, value: Value) {
        self.others.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.add(field, Value::from(format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::from(value));
    }
}
