//! S3 Inventories as AWS delivers them: CSV, every field quoted, gzip, manifest and checksum.

mod csv;
mod delivery;
mod md5;

pub(crate) use csv::{form_encode, push_row};
pub(crate) use delivery::{DataFile, Delivery};
pub(crate) use md5::md5_hex;
