//! Starting executions: each inventory once, however often it is asked for.

use std::sync::Arc;

use s3inv_lambda_kit::{ErrorType, StateMachine, Status, StepError};
use s3inv_pipeline::fleet::{Buckets, Execution, Latest, Request};
use s3inv_store::{Bucket, StoreErrorKind};
use serde::Serialize;

/// After so many attempts it is for somebody to look why.
const MOST_ATTEMPTS: u32 = 100;

/// Whether attempts that failed before are followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insist {
    /// Not for an event: it may be old, or come again.
    No,
    /// For a schedule or a person.
    Yes,
}

/// What has become of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// An execution has been started, or is running already.
    Started {
        /// The inventory.
        manifest: String,
        /// The execution.
        execution: String,
    },
    /// The index is there, or is being published.
    Built {
        /// The inventory.
        manifest: String,
    },
    /// It was tried before, and failed.
    Failed {
        /// The inventory.
        manifest: String,
        /// The last execution.
        execution: String,
    },
    /// There is nothing to do, and why.
    Ignored {
        /// Why.
        reason: String,
    },
}

/// What it takes to start executions.
pub(crate) struct Starter<'a> {
    pub(crate) machine: StateMachine<'a>,
    pub(crate) buckets: &'a dyn Buckets,
}

impl Starter<'_> {
    /// Starts what is asked for, unless that has been done.
    pub(crate) async fn start(&self, request: &Request, insist: Insist) -> Result<Outcome, StepError> {
        let manifest = request.delivery.manifest();
        let replaces = request.options.replaces();
        if !replaces && self.is_built(request).await? {
            if insist == Insist::Yes {
                self.repair(request).await?;
            }
            return Ok(Outcome::Built { manifest });
        }
        let input = serde_json::to_string(&request.canonical())
            .map_err(|error| StepError::new(ErrorType::Bug, error.to_string()))?;
        for attempt in 1..=MOST_ATTEMPTS {
            let name = name(request, &input, attempt);
            let execution = name.as_str().to_owned();
            match (self.attempt(&execution, &input).await?, insist) {
                // One that is there and not there ended just now, months after it began.
                (Status::Running | Status::Unknown, _) => {
                    return Ok(Outcome::Started { manifest, execution });
                }
                (Status::Failed, Insist::No) => return Ok(Outcome::Failed { manifest, execution }),
                (Status::Failed, Insist::Yes) => {}
                (Status::Succeeded, Insist::Yes) if replaces || !self.is_built(request).await? => {}
                (Status::Succeeded, _) => return Ok(Outcome::Built { manifest }),
            }
        }
        let text = format!(
            "{manifest}: {MOST_ATTEMPTS} attempts have been made: look why, and start it with another option"
        );
        Err(StepError::bad_input(text))
    }

    /// Whoever published the index may have been stopped before `latest.json` named it.
    async fn repair(&self, request: &Request) -> Result<(), StepError> {
        Latest::repair(&*self.output(request)?, request).await.map(drop)
    }

    fn output(&self, request: &Request) -> Result<Arc<dyn Bucket>, StepError> {
        self.buckets.open(&request.output.bucket).map_err(|error| StepError::of_store(&error))
    }

    async fn is_built(&self, request: &Request) -> Result<bool, StepError> {
        match self.output(request)?.head(&request.index_key()).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::NotFound => Ok(false),
            Err(error) => Err(StepError::of_store(&error)),
        }
    }

    /// Starts an attempt, or finds out how it stands: Step Functions starts nothing twice under a name.
    async fn attempt(&self, name: &str, input: &str) -> Result<Status, StepError> {
        if self.machine.start(name, input).await? {
            tracing::info!(name, "execution started");
            return Ok(Status::Running);
        }
        self.machine.status(name).await
    }
}

/// An attempt's name: for people, what it is of; for Step Functions, what is to be built and how.
fn name(request: &Request, input: &str, attempt: u32) -> Execution {
    let hash = xxhash_rust::xxh3::xxh3_64(input.as_bytes());
    let end = format!("-{}-{hash:016x}-{attempt}", request.delivery.snapshot);
    let start = format!("{}-{}", request.delivery.source, request.delivery.config);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let start: String = start.chars().map(plain).take(Execution::LONGEST - end.len()).collect();
    let name = format!("{start}{end}");
    // Both parts are of legal characters, and short enough.
    Execution::new(&name).unwrap_or_else(|| unreachable!("{name} is a legal name"))
}

#[cfg(test)]
mod tests {
    use s3inv_pipeline::fleet::{Input, Options, Place};

    use super::*;

    fn name_of(manifest: &str, options: Options, attempt: u32) -> String {
        let scratch = Place::parse("s3://scratch/").unwrap();
        let input = Input { manifest: manifest.to_owned(), options, ..Input::default() };
        let request = Request::new(&input, Some("s3://indexes/"), &Options::default(), &scratch).unwrap();
        let text = serde_json::to_string(&request.canonical()).unwrap();
        name(&request, &text, attempt).as_str().to_owned()
    }

    #[test]
    fn a_name_says_what_is_built() {
        let manifest = "s3://reports/inventories/my.bucket/daily/2025-05-13T01-00Z/manifest.json";
        let first = name_of(manifest, Options::default(), 1);
        assert!(first.starts_with("my-bucket-daily-2025-05-13T01-00Z-") && first.ends_with("-1"), "{first}");
        assert_eq!(name_of(manifest, Options::default(), 1), first);
        assert_eq!(name_of(manifest, Options::default(), 12), format!("{}12", &first[..first.len() - 1]));
        let other = name_of(manifest, Options { max_depth: Some(3), ..Options::default() }, 1);
        assert_ne!(other, first, "another input is another execution");
    }

    #[test]
    fn a_long_name_is_cut() {
        let manifest =
            format!("s3://reports/{}/{}/2025-05-13T01-00Z/manifest.json", "b".repeat(63), "c".repeat(64));
        assert_eq!(name_of(&manifest, Options::default(), 100).len(), Execution::LONGEST);
    }
}
