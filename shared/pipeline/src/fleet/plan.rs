//! The plan step: the manifest is read, and its files are cut into chunks.

use s3inv_cancel::Phase;
use s3inv_rollup::{chunks, chunks_of};
use tokio::task::block_in_place;

use super::document::{checked, json};
use super::payload::{Execution, Planned, Stage, TaskRequest};
use super::record::{ListedFile, PlanRecord};
use super::work::{Work, drive};
use super::{Input, Invocation, Options, PlanRequest, Request, StepError, Version};
use crate::Cause;
use crate::plan::{Inventory, Wanted, divide, read};

/// What a deployment says where an input says nothing.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Where indexes go.
    pub output: Option<String>,
    /// How to build.
    pub options: Options,
}

/// Plans a build, or the merge of what a stage of it wrote.
pub fn plan(
    invocation: &Invocation,
    request: &PlanRequest,
    defaults: &Defaults,
) -> Result<Planned, StepError> {
    match request {
        PlanRequest::Plan { execution, input, .. } => plan_build(invocation, execution, input, defaults),
        PlanRequest::PlanMerge { execution, stage, .. } => {
            super::plan_merge::plan_merge(invocation, execution, *stage)
        }
    }
}

fn plan_build(
    invocation: &Invocation,
    execution: &Execution,
    input: &Input,
    defaults: &Defaults,
) -> Result<Planned, StepError> {
    let request = Request::new(input, defaults.output.as_deref(), &defaults.options, &invocation.scratch)?;
    let deadline_ms = request.options.deadline_ms(invocation.now_ms)?;
    drive(invocation, execution, Phase::Manifest, async |work| {
        work.until(deadline_ms);
        plan_chunks(work, execution, &request, deadline_ms).await
    })
}

async fn plan_chunks(
    work: &Work<'_>,
    execution: &Execution,
    request: &Request,
    deadline_ms: Option<u64>,
) -> Result<Planned, Cause> {
    refuse_versions(work).await?;
    refuse_built(work, request).await?;
    let mut inventory = block_in_place(|| read_inventory(work, request))?;
    let files = std::mem::take(&mut inventory.files);
    let count = request.options.chunk_bytes.map_or_else(
        || chunks(inventory.bytes, request.options.concurrency()),
        |chunk| chunks_of(inventory.bytes, chunk.get()),
    );
    let listed: Vec<Vec<ListedFile>> = divide(files, count as usize)
        .into_iter()
        .map(|chunk| chunk.into_iter().map(ListedFile::from).collect())
        .collect();
    let record = PlanRecord::new(&inventory, request, deadline_ms, count_of(&listed)?);
    // The first attempt's counts: another one has cut the same chunks, with a later deadline.
    let key = work.keys.plan();
    let record = if work.put_new(&key, &record).await? { record } else { work.get(&key).await? };
    let items = write_tasks(work, execution, Stage::Ingest, &listed).await?;
    tracing::info!(
        files = inventory.origin.data_files,
        bytes = inventory.bytes,
        chunks = record.chunks,
        "planned"
    );
    let bucket = work.invocation.scratch.bucket.clone();
    Ok(Planned { stage: Stage::Ingest, bucket, items, concurrency: record.concurrency, last: false })
}

/// Where versions are kept, what is deleted stays: nobody would see it, and everybody pay for it.
async fn refuse_versions(work: &Work<'_>) -> Result<(), Cause> {
    if !work.wait(work.bucket.keeps_versions()).await? {
        return Ok(());
    }
    Err(Cause::Payload(format!(
        "scratch {}: the bucket keeps versions of what is deleted: use one whose versioning was never enabled",
        work.invocation.scratch
    )))
}

/// An index that is there is built again only if that is asked for. It is listed: so a bucket that isn't
/// there is known before any work is done for it.
async fn refuse_built(work: &Work<'_>, request: &Request) -> Result<(), Cause> {
    let output = work.invocation.buckets.open(&request.output.bucket)?;
    let key = request.index_key();
    let page = work.wait(output.list(&key, None, false)).await?;
    let built = page.objects.iter().any(|object| object.key == key);
    if built && !request.options.replaces() {
        return Err(Cause::AlreadyPublished(output.uri(&key)));
    }
    Ok(())
}

fn read_inventory(work: &Work<'_>, request: &Request) -> Result<Inventory, Cause> {
    let runtime = &work.invocation.runtime;
    let open = |bucket: &str| runtime.block_on(work.wait(work.invocation.buckets.anywhere(bucket)));
    let wanted = Wanted {
        store: open(&request.delivery.bucket)?,
        key: request.delivery.manifest_key(),
        measures: &request.options.measures().map_err(|error| Cause::Payload(error.message))?,
        on_bad_row: request.options.on_bad_row(),
    };
    let inventory = read(&wanted, runtime, &work.cancellation, |manifest| {
        let bucket = open(&manifest.destination_bucket)?;
        Ok(crate::plan::of_bucket(bucket, manifest))
    })?;
    let told = &inventory.origin.source_bucket;
    if *told == request.delivery.source {
        return Ok(inventory);
    }
    Err(Cause::Payload(format!(
        "{}: it lists the bucket {told}, but its key says {}",
        request.delivery.manifest(),
        request.delivery.source
    )))
}

pub(super) fn count_of<T>(tasks: &[T]) -> Result<u32, Cause> {
    u32::try_from(tasks.len()).map_err(|_| Cause::Bug("more tasks than can be".to_owned()))
}

/// Writes what a Map reads, whose key is returned: a short payload for each task. Apart from them are the
/// descriptions, which may be longer than a state may hold.
pub(super) async fn write_tasks<T: serde::Serialize>(
    work: &Work<'_>,
    execution: &Execution,
    stage: Stage,
    tasks: &[T],
) -> Result<String, Cause> {
    let (mut descriptions, mut items) = (Vec::new(), Vec::new());
    for (task, description) in (0..).zip(tasks) {
        let described = checked(description)?;
        let (offset, length) = (descriptions.len() as u64, described.len() as u64);
        descriptions.extend_from_slice(&described);
        let execution = execution.clone();
        items.push(TaskRequest { version: Version, execution, stage, task, offset, length });
    }
    // Any attempt writes the same.
    work.put(&work.keys.tasks(stage), descriptions).await?;
    let key = work.keys.items(stage);
    work.put(&key, json(&items)?).await?;
    work.look().await?;
    Ok(key)
}

impl From<crate::plan::Input> for ListedFile {
    fn from(file: crate::plan::Input) -> Self {
        Self { key: file.key, size: file.size, md5: format!("{:032x}", u128::from_be_bytes(file.md5)) }
    }
}
