//! Fuzz targets: everything that reads bytes from outside (I8).
//!
//! `cargo xtask fuzz` runs them under libFuzzer, which is led by coverage. The test below replays the
//! corpus, and changes it in some thousand ways that are the same in every run.

mod event;
mod files;
mod inventory;
mod prices;

/// A target: no bytes make it panic, take much memory, or run for long.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 9] = [
    ("csv", inventory::csv),
    ("event", event::event),
    ("forged", files::forged),
    ("gzip", inventory::gzip),
    ("index", files::index),
    ("manifest", inventory::manifest),
    ("orc", inventory::orc),
    ("parquet", inventory::parquet),
    ("prices", prices::prices),
];

#[cfg(test)]
mod replay;
