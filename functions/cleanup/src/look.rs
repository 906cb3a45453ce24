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
    /// How many there was no time for: the next hour's.
    left: usize,
    /// What went wrong first.
    failed: Option<StepError>,
}

impl Looked {
    /// Looks at each of them, until it is late. What can't be swept now keeps no other waiting.
    pub(crate) fn at(
        executions: Vec<Execution>,
        is_late: impl Fn() -> bool,
        mut sweep: impl FnMut(&Execution) -> Result<Swept, StepError>,
    ) -> Self {
        let mut looked = Self::default();
        for execution in executions {
            if is_late() {
                looked.left += 1;
                continue;
            }
            match sweep(&execution) {
                Ok(Swept::Whole) => looked.swept.push(execution),
                Ok(Swept::NotAtAll) => {}
                Ok(Swept::Part) => looked.left += 1,
                Err(error) => looked.failed = looked.failed.or(Some(error)),
            }
        }
        looked
    }

    /// The function's answer.
    pub(crate) fn answer(self) -> Result<Value, StepError> {
        let Self { swept, left, failed } = self;
        tracing::info!(executions = swept.len(), left, "looked for what executions have left");
        failed.map_or_else(|| Ok(json!({ "ended": swept, "left": left })), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executions(names: &[&str]) -> Vec<Execution> {
        names.iter().map(|name| Execution::new(name).unwrap()).collect()
    }

    #[test]
    fn one_that_runs_or_fails_keeps_no_other_waiting() {
        let names = executions(&["fails", "ended", "fails-too", "runs", "last"]);
        let looked = Looked::at(
            names,
            || false,
            |one| match one.as_str() {
                "runs" => Ok(Swept::NotAtAll),
                "ended" | "last" => Ok(Swept::Whole),
                name => Err(StepError::bad_input(name)),
            },
        );
        assert_eq!((&looked.swept, looked.left), (&executions(&["ended", "last"]), 0));
        assert_eq!(looked.answer().unwrap_err().message, "fails");
    }

    #[test]
    fn what_there_is_no_time_for_is_left_and_is_no_failure() {
        let late = std::cell::Cell::new(false);
        let looked = Looked::at(
            executions(&["a", "b", "large", "c", "d"]),
            || late.get(),
            |one| {
                late.set(one.as_str() == "large");
                Ok(if late.get() { Swept::Part } else { Swept::Whole })
            },
        );
        assert_eq!(looked.answer().unwrap(), json!({ "ended": ["a", "b"], "left": 3 }));
    }
}
