//! The function's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    s3inv_lambda_kit::run(s3inv_lambda_kit::defaults, s3inv_plan::handle)
}
