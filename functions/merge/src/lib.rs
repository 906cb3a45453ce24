//! Merges runs to fewer runs, or to a segment of the index.

mod handler;

pub use handler::handle;
