//! Functions are called twice, as Lambda may at any time.

use s3inv_tests::Fault::{self, Twice, TwiceAtOnce};

use super::cases::{each, every, spread};
use super::small::{FUNCTIONS, STEPS, Small};
use crate::serverless_failures::of;

/// More invocations than a function has in one execution.
const ALL: usize = 9;

/// Who is called twice: functions, with a step where they have several, so many times.
struct Called {
    functions: Vec<(&'static str, &'static str)>,
    times: usize,
    how: Fault,
}

/// Each step in both ways; and all of them, side by side as chance has it.
fn cases() -> Vec<Called> {
    let step = |step| [Twice, TwiceAtOnce].map(|how| Called { functions: vec![step], times: 1, how });
    let functions = FUNCTIONS.map(|function| (function, "")).to_vec();
    let all = |how| Called { functions: functions.clone(), times: ALL, how };
    let mut cases: Vec<_> = STEPS.into_iter().flat_map(step).collect();
    let often = if every() { 20 } else { 1 };
    cases.extend(
        [Twice, TwiceAtOnce].into_iter().flat_map(|how| (0..often).map(move |_| how.clone())).map(all),
    );
    spread(cases, 8)
}

#[test]
fn each_function_and_all_of_them_called_twice() {
    let call = |small: &Small, name: &str, called: &Called| {
        for (function, step) in &called.functions {
            for _ in 0..called.times {
                small.cloud.aws.fault_when(function, of(name, step), called.how.clone()).unwrap();
            }
        }
    };
    let what = |called: &Called| format!("{:?} of {:?}", called.how, called.functions);
    let ran = each(Small::start("fleet-twice"), &cases(), call, what);
    eprintln!("fleet-twice: {ran:?}");
}
