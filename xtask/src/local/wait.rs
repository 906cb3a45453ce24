use std::time::Duration;

use crate::bench::Stopwatch;
use crate::failure::Failure;

/// How often another process is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Waits before another process is looked at again.
#[expect(clippy::disallowed_methods, reason = "what another process does comes with no event")]
pub(crate) fn look_again() {
    std::thread::sleep(LOOK);
}

/// Looks again and again until there is something; nothing, if there is nothing by then.
pub(crate) fn until<T>(
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<Option<T>, Failure> {
    let watch = Stopwatch::start();
    loop {
        let found = look()?;
        if found.is_some() || watch.seconds() >= limit.as_secs_f64() {
            return Ok(found);
        }
        look_again();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_until_there_is_something_or_time_is_over() {
        let mut left = 3;
        let mut look = || {
            left -= 1;
            Ok((left == 0).then_some("found"))
        };
        assert_eq!(until(Duration::from_mins(1), &mut look).unwrap(), Some("found"));
        assert_eq!(until(Duration::ZERO, &mut look).unwrap(), None);
    }
}
