//! What this project's programs log, as entries that each of them writes where it writes.
//!
//! `level` and `msg` come first; other fields follow in alphabetical order. There is no time: whatever
//! collects logs adds its own, and lines stay comparable.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// Logs what this project's crates say, from now on and for the whole process. A second call does
/// nothing.
pub fn start(level: Level, write: impl Fn(Entry) + Send + Sync + 'static) {
    let subscriber = tracing_subscriber::registry().with(Lines { level, write });
    // Who was first stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Something that was logged.
#[derive(Debug, Default)]
pub struct Entry {
    /// `error`, `warn`, `info`, `debug`, `trace`.
    pub level: String,
    /// What is said.
    pub message: String,
    /// What it is about.
    pub fields: Map<String, Value>,
}

impl Entry {
    /// A line of JSON, without its end.
    #[must_use]
    pub fn json(&self) -> String {
        let (level, message) = (Value::from(self.level.as_str()), Value::from(self.message.as_str()));
        let mut line = format!("{{\"level\":{level},\"msg\":{message}");
        for (name, value) in &self.fields {
            // Writing to a string can't fail.
            let _ = write!(line, ",{}:{value}", Value::from(name.as_str()));
        }
        line.push('}');
        line
    }

    fn add(&mut self, field: &Field, value: Value) {
        self.fields.insert(field.name().to_owned(), value);
    }
}

struct Lines<W> {
    level: Level,
    write: W,
}

impl<S: Subscriber, W: Fn(Entry) + Send + Sync + 'static> Layer<S> for Lines<W> {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // What libraries log is theirs, and may hold what must not be logged.
        metadata.target().starts_with("s3inv") && *metadata.level() <= self.level
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        let mut entry = Entry { level, ..Entry::default() };
        event.record(&mut entry);
        (self.write)(entry);
    }
}

impl Visit for Entry {
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
