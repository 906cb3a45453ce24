//! Joins the segments to the index, and moves latest.

mod handler;

pub use handler::handle;
