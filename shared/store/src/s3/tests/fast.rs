//! Time that passes faster.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{AsyncSleep, SharedAsyncSleep, Sleep, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::TokioSleep;

use super::*;

/// Longer than any pause before a request is made again: so long are the times after which something
/// is given up, which are to be real enough for a busy machine.
const GIVEN_UP: Duration = Duration::from_secs(21);

/// Makes pauses shorter, and adds up how long they would have been.
#[derive(Clone, Debug)]
pub(super) struct Fast {
    times: u32,
    slept: Arc<Mutex<Duration>>,
}

impl Fast {
    /// As many times shorter.
    pub(super) fn by(times: u32) -> Self {
        Self { times, slept: Arc::default() }
    }

    pub(super) fn slept(&self) -> Duration {
        *self.slept.lock().unwrap()
    }

    /// For a server at this URL. Bodies that stall are not noticed: that goes by the machine's clock.
    pub(super) fn config(&self, endpoint: &str) -> SdkConfig {
        let test = Credentials::new("test", "secret", None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(endpoint)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(test))
            .sleep_impl(SharedAsyncSleep::new(self.clone()))
            .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_mins(1)).build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }
}

impl AsyncSleep for Fast {
    fn sleep(&self, duration: Duration) -> Sleep {
        if duration >= GIVEN_UP {
            return TokioSleep::new().sleep(duration / 30);
        }
        *self.slept.lock().unwrap() += duration;
        TokioSleep::new().sleep(duration / self.times)
    }
}
