//! Reads a chunk of data files into runs.

mod handler;

pub use handler::handle;
