//! One target under libFuzzer; the variable `S3INV_FUZZ_TARGET` says which.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzing {
    use std::sync::OnceLock;

    use s3inv_fuzz::{TARGETS, Target};

    static TARGET: OnceLock<Target> = OnceLock::new();

    fn init() {
        // libFuzzer's own hook aborts at any panic, also at one of the parquet crate that we catch.
        std::panic::set_hook(Box::new(|_| ()));
        let name = std::env::var("S3INV_FUZZ_TARGET").unwrap_or_default();
        if let Some((_, target)) = TARGETS.iter().find(|(known, _)| *known == name) {
            let _ = TARGET.set(*target);
        }
    }

    libfuzzer_sys::fuzz_target!(init: init(), |data: &[u8]| {
        match TARGET.get() {
            Some(target) => target(data),
            None => std::process::abort(),
        }
    });
}

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    // Without instrumentation there is nothing to be led by.
    std::process::ExitCode::FAILURE
}
