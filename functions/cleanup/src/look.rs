use s3inv_lambda_kit::StepError;
use s3inv_pipeline::fleet::Execution;
use serde_json::{Value, json};

/// What has come of sweeping after an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swept {
    /// All is gone.
    Whole,
    /// There is more than there was time for.
    Part,
    /// It has not ended, or is somebody else's.
    NotAtAll,
}

/// What has come of looking at executions.
#[derive(Default)]
pub(crate) struct Looked {
    /// Those that were swept.
    swept: Vec<Execution>,
    /// Whether one of them is not swept to its end: that is for the next hour.
    left: bool,
    /// What went wrong first.
    failed: Option<StepError>,
}

impl Looked {
    /// Takes down what has come of one of them. What can't be swept now keeps no other waiting.
    pub(crate) fn at(&mut self, execution: Execution, swept: Result<Swept, StepError>) {
        match swept {
            Ok(Swept::Whole) => self.swept.push(execution),
            Ok(Swept::NotAtAll) => {}
            Ok(Swept::Part) => self.left = true,
            Err(error) => self.failed = self.failed.take().or(Some(error)),
        }
    }

    /// The function's answer, and whether it could look at all of them.
    pub(crate) fn answer(self, all: bool) -> Result<Value, StepError> {
        let Self { swept, left, failed } = self;
        let left = left || !all;
        tracing::info!(executions = swept.len(), left, "looked for what executions have left");
        failed.map_or_else(|| Ok(json!({ "ended": swept, "left": left })), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(swept: impl IntoIterator<Item = (&'static str, Result<Swept, StepError>)>) -> Looked {
        let mut looked = Looked::default();
        for (name, swept) in swept {
            looked.at(Execution::new(name).unwrap(), swept);
        }
        looked
    }

    #[test]
    fn one_that_runs_or_fails_keeps_no_other_waiting() {
        let fails = |name: &str| Err(StepError::bad_input(name));
        let looked = looked([
            ("fails", fails("first")),
            ("ended", Ok(Swept::Whole)),
            ("fails-too", fails("second")),
            ("runs", Ok(Swept::NotAtAll)),
            ("last", Ok(Swept::Whole)),
        ]);
        assert_eq!(json!(looked.swept), json!(["ended", "last"]));
        assert_eq!(looked.answer(true).unwrap_err().message, "first");
    }

    #[test]
    fn what_there_is_no_time_for_is_left_and_is_no_failure() {
        let whole = || looked([("a", Ok(Swept::Whole)), ("runs", Ok(Swept::NotAtAll))]);
        assert_eq!(whole().answer(true).unwrap(), json!({ "ended": ["a"], "left": false }));
        assert_eq!(whole().answer(false).unwrap(), json!({ "ended": ["a"], "left": true }));
        let part = looked([("a", Ok(Swept::Whole)), ("large", Ok(Swept::Part))]);
        assert_eq!(part.answer(true).unwrap(), json!({ "ended": ["a"], "left": true }));
    }
}
