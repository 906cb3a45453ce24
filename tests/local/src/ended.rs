use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

/// The most that a function may answer, bytes.
const LARGEST_ANSWER: usize = 6 << 20;

/// How an invocation ended in its process.
#[derive(Debug)]
pub(crate) enum Ended {
    Answered(Bytes),
    Failed(Bytes),
    Exited(ExitStatus),
    TimedOut(Duration),
}

/// What the caller of a function sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    /// The id of the invocation.
    pub request_id: String,
    /// What the function answered, or the error.
    pub payload: Bytes,
    /// Whether it is an error: `X-Amz-Function-Error: Unhandled`.
    pub is_error: bool,
}

impl Invoked {
    /// The answer or the error as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }

    /// The type of the error, if it is one.
    #[must_use]
    pub fn error_type(&self) -> Option<String> {
        self.json()["errorType"].as_str().filter(|_| self.is_error).map(str::to_owned)
    }

    /// An answer that is given in place of the function.
    pub(crate) fn answered(id: &str, answer: &Value) -> Self {
        Self { request_id: id.to_owned(), payload: answer.to_string().into(), is_error: false }
    }

    /// An error that the platform reports in place of the function.
    pub(crate) fn platform_error(id: &str, error_type: &str, message: &str) -> Self {
        let error = json!({ "errorType": error_type, "errorMessage": message });
        Self { request_id: id.to_owned(), payload: error.to_string().into(), is_error: true }
    }
}

impl Ended {
    /// Whether the process can take another invocation.
    pub(crate) fn lives(&self) -> bool {
        matches!(self, Self::Answered(_) | Self::Failed(_))
    }

    /// As Lambda puts it.
    pub(crate) fn into_invoked(self, id: &str) -> Invoked {
        let error = |kind: &str, what: &str| {
            Invoked::platform_error(id, kind, &format!("RequestId: {id} Error: {what}"))
        };
        match self {
            Self::Answered(payload) if payload.len() > LARGEST_ANSWER => Invoked::platform_error(
                id,
                "Function.ResponseSizeTooLarge",
                &format!(
                    "Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."
                ),
            ),
            Self::Answered(payload) => Invoked { request_id: id.to_owned(), payload, is_error: false },
            Self::Failed(payload) => Invoked { request_id: id.to_owned(), payload, is_error: true },
            Self::Exited(status) => error("Runtime.ExitError", &exited(status)),
            Self::TimedOut(limit) => {
                let what = format!("Task timed out after {:.2} seconds", limit.as_secs_f64());
                error("Sandbox.Timedout", &what)
            }
        }
    }
}

fn exited(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, Some(6)) => "Runtime exited with error: signal: aborted".to_owned(),
        (None, Some(11)) => "Runtime exited with error: signal: segmentation fault".to_owned(),
        (None, signal) => format!("Runtime exited with error: signal: {}", signal.unwrap_or_default()),
    }
}
