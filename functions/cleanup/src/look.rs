use s3inv_cancel::Cancellation;
use s3inv_lambda_kit::StepError;
use s3inv_pipeline::fleet::Execution;
use serde_json::{Value, json};

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
    /// Sweeps those that `sweep` answers true for, until `pause`. What can't be swept now keeps no other
    /// waiting.
    pub(crate) fn at(
        executions: Vec<Execution>,
        pause: &Cancellation,
        mut sweep: impl FnMut(&Execution) -> Result<bool, StepError>,
    ) -> Self {
        let mut looked = Self::default();
        for execution in executions {
            if pause.check().is_err() {
                looked.left += 1;
                continue;
            }
            match sweep(&execution) {
                Ok(true) => looked.swept.push(execution),
                Ok(false) => {}
                // Cut off by its time, it goes on from there.
                Err(_) if pause.check().is_err() => looked.left += 1,
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
        let pause = Cancellation::never();
        let looked =
            Looked::at(executions(&["fails", "ended", "fails-too", "runs", "last"]), &pause, |one| match one
                .as_str()
            {
                "runs" => Ok(false),
                "ended" | "last" => Ok(true),
                name => Err(StepError::bad_input(name)),
            });
        assert_eq!((&looked.swept, looked.left), (&executions(&["ended", "last"]), 0));
        assert_eq!(looked.answer().unwrap_err().message, "fails");
    }

    #[test]
    fn what_there_is_no_time_for_is_left_and_is_no_failure() {
        let pause = Cancellation::never();
        let looked = Looked::at(executions(&["a", "b", "cut-off", "c", "d"]), &pause, |one| {
            if one.as_str() != "cut-off" {
                return Ok(true);
            }
            pause.cancel();
            Err(StepError::bad_input("canceled"))
        });
        assert_eq!(looked.answer().unwrap(), json!({ "ended": ["a", "b"], "left": 3 }));
    }
}
