//! The function's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    s3inv_lambda_kit::run(s3inv_lambda_kit::no_settings, s3inv_ingest::handle)
}
