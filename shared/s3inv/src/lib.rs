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
//! # The largest, and trees
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
//! # From async code
//!
//! Asking waits, for a file or for S3. So tasks of tokio have others wait for them:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/sample.rs"));
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let index = sample()?;
//! // let index = Index::open_async(location, None).await?;
//! let bytes = index.ask(|index| Ok(index.stats(b"logs/")?.map(|stats| stats.current.bytes))).await?;
//! assert_eq!(bytes, Some(22_010));
//! # Ok(()) }
//! ```
//!
//! # When it fails
//!
//! Errors name the index or the place in it, and tell by their [`ErrorKind`] what to do: correct what was asked
//! ([`BadInput`](ErrorKind::BadInput), a damaged index among them), look at the storage and try again
//! ([`Storage`](ErrorKind::Storage)), or report a defect.
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
//!
//! # Where most is, and what changed
//!
//! [`Index::top`] finds the prefixes that tell best where most is, [`Index::largest`] those with most in them;
//! [`diff`] tells what differs between two indexes. They read what the directory doesn't rule out.

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
