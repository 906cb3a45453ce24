//! Functions are killed.

use s3inv_tests::StorageFault::{KillCaller, KillCallerAfter};

use super::cases::befall;

#[test]
fn a_kill_before_and_after_each_request() {
    let ran = befall("fleet-killed", &[KillCaller, KillCallerAfter], |_| true, 12);
    // Whoever is killed has no other way to end.
    assert_eq!(ran.errors, ran.executions as u64);
}
