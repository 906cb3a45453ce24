//! Asks an index of an S3 Inventory: how much is under a prefix, what is largest, what grew.
//!
//! An [`Index`] is opened where it is, in a file or in S3, and asked from any thread. What is asked about is a
//! [`Scope`]: a prefix with all below it, or all that begins with some text.
//!
//! ```no_run
//! use s3inv::{Index, Location};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let index = Index::open(&Location::parse("s3://indexes/my-bucket.s3inv")?, None)?;
//! if let Some(stats) = index.stats(b"logs/2024/")? {
//!     println!("{} objects, {} bytes", stats.current.objects, stats.current.bytes);
//! }
//! # Ok(()) }
//! ```
//!
//! The examples below ask the index of a bucket with `logs/2024-01/a.gz` (4,000 bytes) and `b.gz` (6,000) in
//! GLACIER; and in STANDARD `logs/2024-02/eu/c.gz` (3,000), `logs/2024-02/us/d.gz` (9,000), `logs/index.html` (10),
//! `images/cat.png` (700) and `readme` (5).
//!
//! # One prefix, or many
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! assert_eq!((index.prefixes(), index.max_depth()), (7, 3));
//!
//! let stats = index.stats(b"logs/")?.ok_or("it isn't there")?;
//! assert_eq!((stats.current.objects, stats.current.bytes), (5, 22_010));
//! assert_eq!(stats.classes["GLACIER"].all.bytes, 10_000);
//!
//! let found = index.get_many(&[b"images/", b"videos/"])?;
//! assert!(found[0].is_some() && found[1].is_none());
//! # Ok(()) }
//! ```
//!
//! # What is in a prefix, and below it
//!
//! Rows are read as one goes through them. They come by parent, then by name.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! use s3inv::{Counted, Scope};
//!
//! let mut children = index.children(&Scope::new("logs/"))?;
//! while children.advance()? {
//!     let count = Counted::All.of(children.cells());
//!     println!("{} {}", String::from_utf8_lossy(children.key()), count.bytes);
//! }
//!
//! let below: Result<Vec<_>, _> = index.below(&Scope::new("logs/"))?.map(|row| row.map(|row| row.prefix)).collect();
//! assert_eq!(below?, [&b"logs/2024-01/"[..], b"logs/2024-02/", b"logs/2024-02/eu/", b"logs/2024-02/us/"]);
//!
//! let logs = Scope::new("logs/");
//! assert_eq!(index.at_level(&logs, 2)?.count(), 2);
//! assert_eq!(index.count_below(&logs)?, 4);
//! assert_eq!(index.levels_below(&logs)?, 2);
//!
//! // What lies in logs/ itself, and in none of its directories.
//! let directly = index.directly_in(b"logs/")?.ok_or("it isn't there")?;
//! assert_eq!(Counted::All.of(&directly).bytes, 10);
//! # Ok(()) }
//! ```
//!
//! # All that begins so
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! use s3inv::Scope;
//!
//! let months = Scope::new("logs/2024-");
//! assert_eq!(index.children(&months)?.count(), 2);
//! let sums = index.sums(&months)?.ok_or("nothing begins so")?;
//! assert_eq!(index.stats_of(&sums).current.bytes, 22_000);
//! # Ok(()) }
//! ```
//!
//! # Only some
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! use s3inv::{Filter, Scope};
//!
//! let glacier = index.class("GLACIER").ok_or("no such class")?;
//! let large = Filter { counted: glacier, min_bytes: 5000, ..Filter::default() };
//! let months = Filter { pattern: Some("logs/2024-*".parse()?), ..Filter::default() };
//! assert_eq!(index.below(&Scope::default())?.only(large).count(), 2); // logs/ and logs/2024-01/
//! assert_eq!(index.below(&Scope::default())?.only(months).count(), 2);
//! # Ok(()) }
//! ```
//!
//! What the directory of the index rules out isn't read: where few prefixes are as large, few pages are.
//!
//! # Lists, and trees
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! use s3inv::{FormatError, List, Scope};
//!
//! let mut largest = Vec::new();
//! let list = List { levels: 2, limit: 2, ..List::default() };
//! index.list(&Scope::new("logs/"), &list, |listed| Ok::<_, FormatError>(largest.push(listed.prefix)))?;
//! assert_eq!(largest, [&b"logs/2024-02/"[..], b"logs/2024-01/"]);
//!
//! let tree = index.tree(&Scope::default(), &list)?.ok_or("it isn't there")?;
//! let below = tree.below.ok_or("one level")?;
//! assert_eq!(below.children[0].listed.prefix, b"logs/");
//! assert_eq!(below.directly.count.bytes, 5);
//! # Ok(()) }
//! ```
//!
//! # Where most is, at any depth
//!
//! [`Index::top`] shows prefixes that count for what is in them, but in none of those shown below them;
//! [`Index::largest`] those with most in them, whatever is above or below.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! use s3inv::{By, Scope};
//!
//! let top = index.top(&Scope::default(), By::Bytes, 2)?;
//! let shown: Vec<_> = top.prefixes.iter().map(|large| (large.prefix.as_slice(), large.share)).collect();
//! assert_eq!(shown, [(&b"logs/2024-01/"[..], 10_000), (b"logs/2024-02/us/", 9000)]);
//! assert_eq!(top.rest(By::Bytes), 3715);
//!
//! let largest = index.largest(&Scope::new("logs/"), By::Bytes, 2)?;
//! let prefixes: Vec<_> = largest.prefixes.iter().map(|large| large.prefix.as_slice()).collect();
//! assert_eq!(prefixes, [&b"logs/"[..], b"logs/2024-02/"]);
//! # Ok(()) }
//! ```
//!
//! # What changed
//!
//! A day later `logs/2024-03/e.gz` (8,000) has come, and `images/cat.png` has gone.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (old, new) = (sample()?, next_day()?);
//! use s3inv::{By, DiffOptions, Scope, diff};
//!
//! let options = DiffOptions { scope: &Scope::default(), by: By::Bytes, depth: 2, limit: 20 };
//! let diff = diff(&old, &new, options)?;
//! assert_eq!(diff.total.difference().by(By::Bytes), 7300);
//!
//! // The largest change first: each part that differs is told once.
//! let [came, went] = &diff.changes[..] else { return Err("there are two".into()) };
//! assert_eq!((came.prefix.as_slice(), came.old), (&b"logs/2024-03/"[..], None));
//! assert_eq!((went.prefix.as_slice(), went.new), (&b"images/"[..], None));
//! # Ok(()) }
//! ```
//!
//! # From many threads
//!
//! A clone is the same index, and what one thread has read of it in S3 no other one reads again.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! use s3inv::Scope;
//!
//! let asked = ["logs/2024-01/", "logs/2024-02/"].map(|prefix| {
//!     let index = index.clone();
//!     std::thread::spawn(move || index.count_below(&Scope::new(prefix)))
//! });
//! let mut counts = Vec::new();
//! for thread in asked {
//!     counts.push(thread.join().map_err(|_| "it panicked")??);
//! }
//! assert_eq!(counts, [0, 2]);
//! # Ok(()) }
//! ```
//!
//! # From async code
//!
//! Asking waits, for a file or for S3. So tasks of tokio have others wait for them:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! use s3inv::{By, Scope};
//!
//! // let index = Index::open_async(location, None).await?;
//! let top = index.ask(|index| index.top(&Scope::new("logs/"), By::Bytes, 1)).await??;
//! assert_eq!(top.prefixes[0].prefix, b"logs/2024-02/");
//! # Ok(()) }
//! ```
//!
//! # From S3
//!
//! Nothing is to be done for it: what a question needs is fetched together, as far as that is known beforehand, ranges
//! that are near each other by one request; and the last 24 MiB that were read are kept.
//!
//! # When it fails
//!
//! Errors name the index or the place in it, and tell by their [`ErrorKind`] what to do: correct what was asked
//! ([`BadInput`](ErrorKind::BadInput), also where the index is damaged, isn't there any more, or may not be read), look
//! at the storage and try again ([`Storage`](ErrorKind::Storage)), or report a defect. An index in S3 that was replaced
//! since it was opened is an error of storage, never a mix of both: open it again.
//!
//! ```
//! use s3inv::{ErrorKind, Index, Location};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let error = Index::open(&Location::parse("not/there.s3inv")?, None).err().ok_or("it is there")?;
//! assert_eq!(error.kind(), ErrorKind::BadInput);
//! assert!(error.to_string().starts_with("not/there.s3inv: "));
//! # Ok(()) }
//! ```
//!
//! # What it is not
//!
//! It knows directories and no objects: what lies in `logs/` is a number there, not a list. It builds nothing:
//! that is what `s3inv-pipeline` does.

mod amount;
mod ask;
mod changes;
mod diff;
mod error;
mod families;
mod filter;
mod index;
mod largest;
mod list;
mod rank;
mod rows;
mod scope;
mod shares;
mod sums;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod top;
mod total;
mod tree;
mod walk;

pub use amount::{Amount, By, Difference};
pub use changes::Change;
pub use diff::{Diff, DiffOptions, diff};
pub use error::AskError;
pub use filter::{Counted, Filter, Pattern, PatternError};
pub use index::Index;
pub use list::{Held, List, Listed, Order, Rest};
pub use rows::{Row, Rows};
pub use s3inv_index_format::{FormatError, Info, ReadAt, Reader};
pub use s3inv_model::{
    Cell, ClassCount, Count, Dates, ErrorKind, Measure, Measures, Schema, Stats, Sums, prefix,
};
pub use s3inv_pipeline::{IndexSource, OpenError};
pub use s3inv_pricing::{Cost, Missing, PriceTable, Rates};
pub use s3inv_store::{Location, SdkConfig, StoreError};
pub use scope::Scope;
pub use top::{Large, Top};
pub use tree::{Below, Node};
