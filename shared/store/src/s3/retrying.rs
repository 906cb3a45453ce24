//! What is asked again: after how long, how often at most, and how often it was.
//!
//! The SDK asks again for what failed before an answer's body; [`Again`] paces what it doesn't see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::config::interceptors::{
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction, RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{AsyncSleep, Builder, ConfigBag, Intercept, RuntimeComponents, SharedAsyncSleep};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;

use crate::Retries;

/// How often something is asked at most that fails in a way that passes: six pauses of 200 ms,
/// 400 ms … at most, half of that on average, make 6 s.
const ATTEMPTS: u32 = 7;
const PAUSE: Duration = Duration::from_millis(200);

/// The same where S3 asks for fewer requests: eleven pauses of 1 s, 2 s … 20 s at most make 75 s on
/// average, in which S3 finds room for a prefix whose load has grown.
const THROTTLED_ATTEMPTS: u32 = 12;
const THROTTLED_PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How long the answer to a question may take to begin. The SDK would wait for ever.
const ANSWER: Duration = Duration::from_secs(30);

/// The same where something is to change: a part has to be sent before, and S3 may have to copy it.
const CHANGE: Duration = Duration::from_mins(5);

/// How a store asks again, and how often it has. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Retrying {
    failed: RetryConfig,
    throttled: RetryConfig,
    sleep: SharedAsyncSleep,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    made: AtomicU64,
    throttled: AtomicU64,
}

impl Retrying {
    /// More attempts than ours are made where a configuration asks for them, never fewer: aws-config
    /// says three when nobody has said anything.
    pub(super) fn new(config: &SdkConfig) -> Self {
        let asked_for = config.retry_config().map_or(0, RetryConfig::max_attempts);
        // Not the adaptive mode: the pauses that it makes have no jitter, so that workers which are
        // refused together come back together.
        let policy = |attempts: u32, pause| {
            let policy = RetryConfig::standard().with_max_attempts(attempts.max(asked_for));
            policy.with_initial_backoff(pause).with_max_backoff(LONGEST_PAUSE)
        };
        Self {
            failed: policy(ATTEMPTS, PAUSE),
            throttled: policy(THROTTLED_ATTEMPTS, THROTTLED_PAUSE),
            sleep: config.sleep_impl().unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep::new())),
            counts: Arc::default(),
        }
    }

    /// Has a client ask again so.
    pub(super) fn configure(&self, builder: Builder) -> Builder {
        // The SDK's own quota, of 100 retries a process, ends all of them when S3 throttles for a
        // while: ours are bounded by their number and by how many requests are made side by side.
        let partition = RetryPartition::custom("s3inv-index").token_bucket(TokenBucket::unlimited()).build();
        let builder = builder.retry_partition(partition).retry_config(self.failed.clone());
        builder.sleep_impl(self.sleep.clone()).interceptor(self.clone())
    }

    /// For something that the SDK doesn't ask for again.
    pub(super) fn again(&self) -> Again<'_> {
        Again { retrying: self, attempts: 1, most: 0 }
    }

    /// How often it was by now.
    pub(super) fn counts(&self) -> Retries {
        Retries { made: self.counts.made.load(Relaxed), throttled: self.counts.throttled.load(Relaxed) }
    }

    fn policy(&self, throttled: bool) -> &RetryConfig {
        if throttled { &self.throttled } else { &self.failed }
    }

    fn count(&self, throttled: bool) {
        self.counts.made.fetch_add(1, Relaxed);
        self.counts.throttled.fetch_add(throttled.into(), Relaxed);
    }
}

/// Attempts at one thing.
pub(super) struct Again<'a> {
    retrying: &'a Retrying,
    attempts: u32,
    most: u32,
}

impl Again<'_> {
    /// How many there were, the next one included.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Waits for the next one, and counts it. `false`, if there were enough.
    pub(super) async fn pause(&mut self, throttled: bool) -> bool {
        let policy = self.retrying.policy(throttled);
        self.most = self.most.max(policy.max_attempts());
        if self.attempts >= self.most {
            return false;
        }
        self.retrying.sleep.sleep(longest(policy, self.attempts).mul_f64(fastrand::f64())).await;
        self.attempts += 1;
        self.retrying.count(throttled);
        true
    }
}

/// The most that is waited after so many attempts, as the SDK computes it.
fn longest(policy: &RetryConfig, attempts: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempts - 1).unwrap_or(u32::MAX);
    policy.initial_backoff().saturating_mul(doubled).min(policy.max_backoff())
}

impl Intercept for Retrying {
    fn name(&self) -> &'static str {
        "Retrying"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let timeouts = config.load::<TimeoutConfig>().cloned().unwrap_or_else(TimeoutConfig::disabled);
        if timeouts.read_timeout().is_none() {
            let wait = if matches!(context.request().method(), "GET" | "HEAD") { ANSWER } else { CHANGE };
            config.interceptor_state().store_put(timeouts.into_builder().read_timeout(wait).build());
        }
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<RequestAttempts>().is_some_and(|nth| nth.attempts() > 1) {
            // As the attempt before this one left it.
            self.count(config.load::<RetryConfig>() == Some(&self.throttled));
        }
        Ok(())
    }

    /// The SDK looks at the policy after each attempt. What was throttled once keeps its attempts: an S3
    /// that has too much to do also fails.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let policy = self.policy(is_throttled(context, components));
        let before = config.load::<RetryConfig>().map_or(0, RetryConfig::max_attempts);
        let most = policy.max_attempts().max(before);
        config.interceptor_state().store_put(policy.clone().with_max_attempts(most));
        Ok(())
    }
}

/// By the status, since an answer to HEAD has no code; or by the code, which S3 may also send after
/// the status 200.
fn is_throttled(context: &FinalizerInterceptorContextRef<'_>, components: &RuntimeComponents) -> bool {
    let busy = context.response().is_some_and(|answer| answer.status().as_u16() == 503);
    let throttled = RetryAction::throttling_error();
    busy || components.retry_classifiers().any(|by| by.classify_retry(context.inner()) == throttled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_these_numbers() {
        let documented = include_str!("../../../../docs/reliability.md");
        let retrying = Retrying::new(&SdkConfig::builder().build());
        for (throttled, begins) in [(true, "of at most 1 s, 2 s, 4 s"), (false, "of at most 200 ms, 400 ms")]
        {
            let policy = retrying.policy(throttled);
            let most: Duration = (1..policy.max_attempts()).map(|nth| longest(policy, nth)).sum();
            let row = format!("| {} | {begins} …: ", policy.max_attempts());
            let average = (most / 2).as_secs();
            let sums = format!("{average} s on average, {} s at most", most.as_secs_f64());
            assert!(documented.contains(&(row.clone() + &sums)), "{row}{sums}");
        }
        for time in [
            format!("{} s after a question", ANSWER.as_secs()),
            format!("{} minutes after", CHANGE.as_secs() / 60),
        ] {
            assert!(documented.contains(&time), "{time}");
        }
    }
}
