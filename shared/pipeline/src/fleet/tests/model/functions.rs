//! The steps as functions run them, but for the data, which is a few bytes here.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use s3inv_model::RowCounts;
use s3inv_store::{Only, Retries, put};

use super::world::Job;
use crate::Cause;
use crate::fleet::cleanup::{Sweep, failed};
use crate::fleet::joined::{Joined, Piece};
use crate::fleet::publish::publish_index;
use crate::fleet::record::StoredFile;
use crate::fleet::task::{Attempt, Part, next_part};
use crate::fleet::tests::cloud::EXECUTION;
use crate::fleet::tests::wire::Client;
use crate::fleet::work::Work;
use crate::fleet::{
    CleanupAnswer, Execution, Failed, Invocation, PublishAnswer, PublishRequest, Stage, StepError,
    TaskRequest, Version,
};

/// How a function ended, as the state machine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    Again,
    Retryable,
    Failed,
}

impl Ended {
    fn of(error: &StepError) -> Self {
        if error.error_type.is_retried() { Self::Retryable } else { Self::Failed }
    }
}

/// A function that was called.
pub(super) fn function(
    job: Job,
    invocation: Invocation,
    client: Client,
    units: Arc<[u32]>,
) -> Pin<Box<dyn Future<Output = Ended>>> {
    let failure = |name: &str| Failed { error: name.to_owned(), cause: "it was so".to_owned() };
    match job {
        Job::Task(nth) => Box::pin(async move {
            let units = units.get(nth as usize).copied().unwrap_or(1);
            task(&invocation, nth, units, &client).await.unwrap_or_else(|cause| of_cause(&cause))
        }),
        Job::Publish => {
            Box::pin(async move { publish(&invocation).await.unwrap_or_else(|cause| of_cause(&cause)) })
        }
        Job::Fail => Box::pin(async move { sweep(&invocation, Some(&failure("Bug"))).await }),
        Job::Finish | Job::Sweep | Job::SecondSweep => {
            Box::pin(async move { sweep(&invocation, None).await })
        }
    }
}

fn of_cause(cause: &Cause) -> Ended {
    Ended::of(&StepError::of_cause(cause))
}

fn execution() -> Execution {
    Execution::new(EXECUTION).unwrap()
}

/// A task of the last stage.
async fn task(invocation: &Invocation, nth: u32, units: u32, client: &Client) -> Result<Ended, Cause> {
    let (execution, stage) = (execution(), Stage::Merge(1));
    let request = TaskRequest {
        version: Version,
        execution: execution.clone(),
        stage,
        task: nth,
        offset: 0,
        length: 0,
    };
    let again = Work::new(invocation, &execution)?
        .whole(async |work| {
            work.plan().await?;
            next_part(work, &request, async |attempt, start| {
                write_units(attempt, nth, start.unwrap_or(0)..units, client).await
            })
            .await
        })
        .await?;
    Ok(if again.is_some() { Ended::Again } else { Ended::Done })
}

/// Writes some of its units, or all of them, into a file.
async fn write_units(
    attempt: &Attempt<'_>,
    nth: u32,
    units: std::ops::Range<u32>,
    client: &Client,
) -> Result<Part<u32>, Cause> {
    let work = attempt.work;
    let end = if units.len() > 1 && client.decide().await { units.start + 1 } else { units.end };
    let text = super::content(nth, units.start..end);
    let (key, bytes) = (attempt.name(), text.len() as u64);
    if nth == 0 {
        // As what is long is written: others can see it before it is whole.
        let mut upload = work.wait(work.bucket.begin(&key)).await?;
        let written = work.wait(upload.write(Bytes::from(text))).await;
        match written {
            Ok(()) => work.wait(upload.complete(Only::Always)).await?,
            Err(cause) => {
                let _ = upload.abort().await;
                return Err(cause);
            }
        }
    } else {
        work.wait(put(&*work.bucket, &key, text, Only::Always)).await?;
    }
    work.look().await?;
    let files = vec![StoredFile { key, bytes, prefixes: 1 }];
    Ok(Part {
        files,
        counts: RowCounts::default(),
        retries: Retries::default(),
        next: (end < units.end).then_some(end),
    })
}

async fn publish(invocation: &Invocation) -> Result<Ended, Cause> {
    let execution = execution();
    let request = PublishRequest { version: Version, execution: execution.clone(), stage: Stage::Merge(1) };
    let answer = Work::new(invocation, &execution)?
        .whole(async |work| {
            publish_index(work, &request, |work, _, segments| {
                let piece = |file: &StoredFile| Piece::Range(work.bucket.uri(&file.key), 0..file.bytes);
                let names: String = segments.files.iter().map(|file| file.key.as_str()).collect();
                let tail = format!("{names:=>100}");
                Ok(Joined::new(segments.files.iter().map(piece).collect(), tail.into()))
            })
            .await
        })
        .await?;
    Ok(if matches!(answer, PublishAnswer::Checkpoint(_)) { Ended::Again } else { Ended::Done })
}

async fn sweep(invocation: &Invocation, failure: Option<&Failed>) -> Ended {
    let execution = execution();
    let swept = match Sweep::new(invocation, &execution) {
        Ok(sweep) => sweep.all(failure).await,
        Err(cause) => Err(cause),
    };
    match swept {
        Ok(CleanupAnswer::Done(_)) => Ended::Done,
        Ok(CleanupAnswer::Checkpoint(_)) => Ended::Again,
        Err(cause) => Ended::of(&failed(&execution, &cause)),
    }
}
