use std::future::Future;
use std::time::Duration;

use s3inv_cancel::{Clock as _, SystemClock};

use crate::error::Error;
use crate::time::pause;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Looks again and again until there is something.
pub(crate) async fn until<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<Option<T>, Error>>,
{
    let clock = SystemClock::new();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if clock.now() >= limit {
            return Err(Error::TimedOut { what: what.to_owned(), limit });
        }
        pause(LOOK).await;
    }
}
