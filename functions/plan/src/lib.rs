//! Reads the manifest and divides the work; later, the merge.

mod handler;

pub use handler::handle;
