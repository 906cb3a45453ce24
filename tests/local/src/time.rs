use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use s3inv_cancel::{Clock, SystemClock};

/// The time on the wall, since 1970.
#[expect(clippy::disallowed_methods, reason = "a function is told its deadline as the time on the wall")]
pub(crate) fn epoch() -> Duration {
    // Before 1970 there is no Lambda.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Waits.
pub(crate) async fn pause(time: Duration) {
    SystemClock::new().sleep_until(time).await;
}

/// As in `EventBridge`'s events: `2025-05-13T01:00:00Z`.
pub(crate) fn in_seconds(epoch: Duration) -> String {
    formatted(epoch, "%Y-%m-%dT%H:%M:%SZ")
}

/// As in S3's notifications: `2025-05-13T01:00:00.000Z`.
pub(crate) fn in_milliseconds(epoch: Duration) -> String {
    formatted(epoch, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

fn formatted(epoch: Duration, format: &str) -> String {
    let milliseconds = i64::try_from(epoch.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_aws_writes_them() {
        let time = Duration::from_millis(1_747_098_000_120);
        assert_eq!(in_seconds(time), "2025-05-13T01:00:00Z");
        assert_eq!(in_milliseconds(time), "2025-05-13T01:00:00.120Z");
    }
}
