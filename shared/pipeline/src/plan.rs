//! The manifest phase: what is to be read, where it is, and who reads what.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use md5::{Digest, Md5};
use s3inv_cancel::Cancellation;
use s3inv_index_format::Origin;
use s3inv_inventory::csv::CsvLayout;
use s3inv_inventory::{
    Field, Fields, Format, InputError, Manifest, OnBadRow, Reading, manifest, orc, parquet,
};
use s3inv_model::{Binning, Measure, Measures};
use s3inv_store::{LocalStore, Location, SdkConfig, Store, StoreError, StoreErrorKind};
use tokio::runtime::Handle;

use crate::ingest::Ranges;
use crate::{BuildOptions, Cause};

/// A manifest of a million files has some 200 MB; longer ones are not believed.
const LONGEST_MANIFEST: u64 = 512 << 20;
const LONGEST_CHECKSUM: u64 = 1 << 10;

/// A data file, found.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
}

impl Input {
    pub(crate) fn uri(&self) -> String {
        self.store.uri(&self.key)
    }
}

/// What data files look like.
pub(crate) enum Layout {
    Csv(CsvLayout),
    Columns(ColumnFormat),
}

/// The formats that are read by columns.
#[derive(Clone, Copy)]
pub(crate) enum ColumnFormat {
    Orc,
    Parquet,
}

impl Layout {
    /// Of data files of this format, as the manifest at `uri` says it.
    pub(crate) fn new(format: Format, schema: Option<&str>, uri: &str) -> Result<Self, Cause> {
        match format {
            Format::Csv => {
                // It is missing only where there are no files.
                let layout = CsvLayout::parse(schema.unwrap_or("Bucket, Key"));
                Ok(Self::Csv(layout.map_err(|error| Cause::Layout { uri: uri.to_owned(), error })?))
            }
            Format::Orc => Ok(Self::Columns(ColumnFormat::Orc)),
            Format::Parquet => Ok(Self::Columns(ColumnFormat::Parquet)),
        }
    }
}

/// What is to be read, and how.
pub(crate) struct Wanted<'a> {
    /// Where the manifest is, and its key there.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: String,
    pub(crate) measures: &'a Measures,
    pub(crate) on_bad_row: OnBadRow,
}

/// An inventory as its manifest and its first data file tell it.
pub(crate) struct Inventory {
    pub(crate) format: Format,
    pub(crate) schema: Option<String>,
    pub(crate) layout: Layout,
    pub(crate) reading: Reading,
    /// What was to be measured, but can't be: the inventory lacks the fields.
    pub(crate) unknown: Measures,
    /// Where its data files are, if that is in S3.
    pub(crate) bucket: String,
    pub(crate) files: Vec<Input>,
    pub(crate) bytes: u64,
    pub(crate) origin: Origin,
}

/// What one process is to do.
pub(crate) struct Plan {
    pub(crate) inventory: Inventory,
    /// Data files, one list for each worker.
    pub(crate) chunks: Vec<Vec<Input>>,
}

/// Reads the manifest, which is in this store under this key, and divides its files among `workers`.
pub(crate) fn plan(
    options: &BuildOptions,
    (store, key): (Arc<dyn Store>, String),
    config: Option<&SdkConfig>,
    workers: usize,
    runtime: &Handle,
) -> Result<Plan, Cause> {
    let wanted = Wanted { store, key, measures: &options.measures, on_bad_row: options.on_bad_row };
    let find = |manifest: &Manifest| find(manifest, &options.manifest, config);
    let inventory = read(&wanted, runtime, &options.cancellation, find)?;
    let chunks = divide(inventory.files.clone(), workers);
    Ok(Plan { inventory, chunks })
}

/// Reads a manifest, finds its data files, and reads the fields of the first of them.
pub(crate) fn read(
    wanted: &Wanted<'_>,
    runtime: &Handle,
    cancellation: &Cancellation,
    find: impl FnOnce(&Manifest) -> Result<Vec<Input>, Cause>,
) -> Result<Inventory, Cause> {
    let (uri, bytes) = runtime.block_on(manifest_of(&*wanted.store, &wanted.key, cancellation))?;
    let wrap = |error| Cause::Manifest { uri: uri.clone(), error };
    let manifest = Manifest::parse(&bytes).map_err(wrap)?;
    let files = find(&manifest)?;
    let layout = Layout::new(manifest.format, manifest.file_schema.as_deref(), &uri)?;
    let fields = fields(&layout, files.first(), runtime, cancellation)?;
    let measures = measurable(wanted.measures, fields);
    Ok(Inventory {
        format: manifest.format,
        schema: manifest.file_schema,
        layout,
        reading: Reading {
            binning: Binning::new(&measures, manifest.snapshot_ms),
            fields,
            on_bad_row: wanted.on_bad_row,
        },
        unknown: wanted.measures.minus(&measures),
        bucket: manifest.destination_bucket,
        bytes: files.iter().map(|file| file.size).fold(0, u64::saturating_add),
        files,
        origin: Origin {
            source_bucket: manifest.source_bucket,
            snapshot_ms: manifest.snapshot_ms,
            manifest_md5: format!("{:032x}", u128::from_be_bytes(Md5::digest(&bytes).into())),
            data_files: manifest.files.len() as u64,
        },
    })
}

/// What of it can be measured with these fields.
fn measurable(measures: &Measures, fields: Fields) -> Measures {
    let measures = measures.and(&fields.measures());
    // Cost is of bytes, class by class.
    let costly = measures.has(Measure::Bytes) && measures.has(Measure::Classes);
    if costly { measures } else { measures.without(Measure::Cost) }
}

/// The manifest's name and bytes, verified.
async fn manifest_of(
    store: &dyn Store,
    key: &str,
    cancellation: &Cancellation,
) -> Result<(String, bytes::Bytes), Cause> {
    let bytes = cancellation.guard(whole(store, key, LONGEST_MANIFEST)).await??;
    let uri = store.uri(key);
    let checksum_key = manifest::checksum_name(key);
    match cancellation.guard(whole(store, &checksum_key, LONGEST_CHECKSUM)).await? {
        Ok(checksum) => manifest::verify_checksum(&bytes, &checksum)
            .map_err(|error| Cause::Manifest { uri: uri.clone(), error })?,
        Err(error) if error.kind() == StoreErrorKind::NotFound => {
            tracing::warn!(manifest = %uri, "manifest.checksum is missing: the manifest is not verified");
        }
        Err(error) => return Err(error.into()),
    }
    Ok((uri, bytes))
}

/// The fields of the inventory: those of its CSV schema, or of the first of its files. All others must
/// have the same, which is checked when they are read.
fn fields(
    layout: &Layout,
    first: Option<&Input>,
    runtime: &Handle,
    cancellation: &Cancellation,
) -> Result<Fields, Cause> {
    // An inventory without files has nothing that could lack a field.
    let Some(first) = first else { return Ok(Field::ALL.into_iter().collect()) };
    let read: fn(&Ranges) -> Result<Fields, InputError> = match layout {
        Layout::Csv(layout) => return Ok(layout.fields()),
        Layout::Columns(ColumnFormat::Orc) => orc::fields,
        Layout::Columns(ColumnFormat::Parquet) => parquet::fields,
    };
    let ranges = Ranges::open(first, runtime, cancellation)?;
    let fields = read(&ranges);
    ranges.failure().take().map_or(Ok(()), Err)?;
    fields.map_err(|error| Cause::Input { uri: first.uri(), error })
}

async fn whole(store: &dyn Store, key: &str, most: u64) -> Result<bytes::Bytes, StoreError> {
    let (bytes, meta) = store.read_tail(key, most).await?;
    if meta.size > most {
        let text = format!("{} bytes, more than the {most} that are believable", meta.size);
        return Err(StoreError::new(&store.uri(key), StoreErrorKind::Invalid, &text));
    }
    Ok(bytes)
}

/// Data files of a manifest in S3 are in its destination bucket; those of a local one lie below its
/// folder or a folder above it, as `aws s3 sync` leaves them.
fn find(manifest: &Manifest, at: &Location, config: Option<&SdkConfig>) -> Result<Vec<Input>, Cause> {
    let Some(path) = at.as_local() else {
        let bucket = &manifest.destination_bucket;
        // Any key: it is the bucket's store that is asked for.
        let (store, _) = Location::parse(&format!("s3://{bucket}/manifest.json"))?.open(config)?;
        return Ok(of_bucket(store, manifest));
    };
    let folders = folders_of(path)?;
    let find = |file: &s3inv_inventory::DataFile| {
        let within = |known: fn(io::Result<bool>) -> bool| {
            folders.iter().find(move |(folder, _)| known(look(folder, &file.key)))
        };
        // Where nobody may look, it may be: reading it then says what is wrong.
        let found = within(|there| there.unwrap_or(false))
            .or_else(|| within(|there| there.is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied)));
        let (_, store) = found.ok_or_else(|| {
            let text = "not found in the manifest's folder, nor in one above it";
            StoreError::new(&file.key, StoreErrorKind::NotFound, text)
        })?;
        Ok(place(Arc::clone(store), file))
    };
    manifest.files.iter().map(find).collect()
}

/// A manifest's data files in a bucket.
#[expect(clippy::needless_pass_by_value, reason = "it is shared by all of them")]
pub(crate) fn of_bucket(store: Arc<dyn Store>, manifest: &Manifest) -> Vec<Input> {
    manifest.files.iter().map(|file| place(Arc::clone(&store), file)).collect()
}

fn place(store: Arc<dyn Store>, file: &s3inv_inventory::DataFile) -> Input {
    Input { store, key: file.key.clone(), size: file.size, md5: file.md5 }
}

/// A folder, and the store of what lies below it.
type Folder = (PathBuf, Arc<dyn Store>);

fn folders_of(manifest: &Path) -> Result<Vec<Folder>, Cause> {
    let manifest = std::path::absolute(manifest)?;
    let store = |folder: &Path| -> Folder { (folder.to_owned(), Arc::new(LocalStore::new(folder))) };
    Ok(manifest.ancestors().skip(1).map(store).collect())
}

/// Whether there is such a file. A key can't lead out of the folder: the store refuses `..`.
fn look(folder: &Path, key: &str) -> io::Result<bool> {
    let plain = Path::new(key).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if plain { folder.join(key).try_exists() } else { Ok(false) }
}

/// The largest files first, each to whoever has least: the same for the same input. Within a chunk the
/// manifest's order stays.
pub(crate) fn divide(inputs: Vec<Input>, chunks: usize) -> Vec<Vec<Input>> {
    let chunks = chunks.min(inputs.len()).max(1);
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|&at| Reverse(inputs.get(at).map(|input| input.size)));
    // Who has least comes first; of those, the first one.
    let mut loads: BinaryHeap<_> = (0..chunks).map(|chunk| Reverse((0u64, chunk))).collect();
    let mut places = vec![Vec::new(); chunks];
    for at in order {
        let size = inputs.get(at).map_or(0, |input| input.size);
        if let Some(mut least) = loads.peek_mut() {
            let Reverse((load, chunk)) = &mut *least;
            *load = load.saturating_add(size);
            places[*chunk].push(at);
        }
    }
    let mut inputs: Vec<_> = inputs.into_iter().map(Some).collect();
    let mut take = |mut chunk: Vec<usize>| {
        chunk.sort_unstable();
        chunk.iter().filter_map(|&at| inputs.get_mut(at)?.take()).collect()
    };
    places.into_iter().map(&mut take).collect()
}
