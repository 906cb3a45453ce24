//! What is asked again, how often, and how long that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{SharedAsyncSleep, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use futures::future::join_all;
use s3inv_cancel::{Cancellation, Clock, Stop, SystemClock};

use super::*;
use crate::Bucket;

/// What a server does with a request.
#[derive(Clone)]
enum Does {
    Say(String),
    /// Ends the connection as a machine does that has lost it.
    Reset,
    /// Says this, or nothing, and keeps the connection.
    Stall(&'static str),
}

/// A server that does so in turn, over a connection each: its URL, and how many requests came.
async fn doing(does: Vec<Does>) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU64::new(0));
    let asked = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut stalled = Vec::new();
        for does in does {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await;
            asked.fetch_add(1, Relaxed);
            match does {
                Does::Say(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                Does::Reset => stream.set_zero_linger().unwrap(),
                Does::Stall(answer) => {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    stalled.push(stream);
                }
            }
        }
        // A request too many is counted, and not answered.
        while let Ok((stream, _)) = listener.accept().await {
            asked.fetch_add(1, Relaxed);
            stalled.push(stream);
        }
    });
    (endpoint, requests)
}

fn error(status: &str, code: &str) -> Does {
    Does::Say(says(status, &format!("<Error><Code>{code}</Code></Error>")))
}

fn short_part() -> String {
    answer("206 Partial Content", "Content-Range: bytes 2-4/10\r\n", 2, "cd")
}

fn slow_down() -> Does {
    error("503 Slow Down", "SlowDown")
}

/// What reading `cde` comes to, how many requests and retries that takes, and how long it pauses.
async fn reading(does: Vec<Does>) -> (String, u64, Retries, Duration) {
    let (endpoint, requests) = doing(does).await;
    let fast = Fast::by(1000);
    let store = S3Store::new(&fast.config(&endpoint), "bucket").unwrap();
    let said = tokio::time::timeout(Duration::from_mins(1), read_from(&store)).await.expect("an end");
    (said, requests.load(Relaxed), store.retries(), fast.slept())
}

async fn read_from(store: &S3Store) -> String {
    match store.read("k", 2..5, None).await {
        Ok(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Err(error) => format!("{:?} {error}", error.kind()),
    }
}

#[tokio::test]
async fn what_may_pass_is_asked_again_once_and_counted() {
    let (short, long) = (Duration::from_millis(200), Duration::from_secs(1));
    let later = "Retry-After: 3600\r\n";
    for (name, does, throttled, at_most) in [
        ("an error of S3's", error("500 Internal Server Error", "InternalError"), 0, short),
        ("a gateway's", Does::Say(says("502 Bad Gateway", "")), 0, short),
        ("S3 is busy", slow_down(), 1, long),
        ("S3 is busy for an hour", Does::Say(answer("503 Slow Down", later, 0, "")), 1, long),
        ("as S3's imitators say it", error("429 Too Many Requests", "SlowDown"), 1, long),
        ("a slow sender", error("400 Bad Request", "RequestTimeout"), 0, short),
        ("a connection that is lost", Does::Reset, 0, short),
        ("a connection that is closed", Does::Say(String::new()), 0, short),
        ("a body that is cut", Does::Say(part("cd")), 0, short),
        ("no body", Does::Say(part("")), 0, short),
        ("fewer bytes than its range has", Does::Say(short_part()), 0, short),
        ("no answer", Does::Stall(""), 0, short),
    ] {
        let (said, requests, retries, took) = reading(vec![does, Does::Say(part("cde"))]).await;
        assert_eq!((&*said, requests), ("cde", 2), "{name}");
        assert_eq!(retries, Retries { made: 1, throttled }, "{name}");
        assert!(took <= at_most, "{name}: {took:?}");
    }
}

#[tokio::test]
async fn what_cannot_pass_is_asked_once() {
    for (status, code, kind) in [
        ("400 Bad Request", "InvalidArgument", "Invalid"),
        ("400 Bad Request", "ExpiredToken", "Denied"),
        ("403 Forbidden", "AccessDenied", "Denied"),
        ("403 Forbidden", "SignatureDoesNotMatch", "Denied"),
        ("404 Not Found", "NoSuchKey", "NotFound"),
        ("404 Not Found", "NoSuchBucket", "NotFound"),
        ("412 Precondition Failed", "PreconditionFailed", "Changed"),
        ("416 Requested Range Not Satisfiable", "InvalidRange", "Range"),
        ("501 Not Implemented", "NotImplemented", "Other"),
    ] {
        let (said, requests, retries, took) = reading(vec![error(status, code)]).await;
        assert!(said.starts_with(kind), "{code}: {said}");
        assert_eq!((requests, retries, took), (1, Retries::default(), Duration::ZERO), "{code}");
    }
}

#[tokio::test]
async fn what_does_not_pass_ends() {
    let broken = error("500 Internal Server Error", "InternalError");
    let cut = "Retryable s3://bucket/k: its body broke off: ";
    let contradiction = "Retryable s3://bucket/k: answered with content range \"bytes 2-4/10\" and length Some(2), \
                         7 times";
    for (does, attempts, throttled, at_most, text) in [
        (broken, 7, 0, 13, "Retryable s3://bucket/k: InternalError"),
        (Does::Reset, 7, 0, 13, "Retryable s3://bucket/k: no answer: "),
        (Does::Say(part("c")), 7, 0, 13, cut),
        (Does::Say(short_part()), 7, 0, 13, contradiction),
        (slow_down(), 12, 11, 152, "Retryable s3://bucket/k: SlowDown"),
    ] {
        let (said, requests, retries, took) = reading(vec![does; 20]).await;
        assert!(said.starts_with(text), "{said}");
        assert_eq!((requests, retries), (attempts, Retries { made: attempts - 1, throttled }), "{said}");
        assert!(took < Duration::from_secs(at_most), "{said}: {took:?}");
    }
}

/// An S3 that has too much to do also fails otherwise.
#[tokio::test]
async fn what_was_throttled_keeps_its_attempts() {
    let does = [vec![slow_down(); 3], vec![error("500 Oh", "InternalError"); 20]].concat();
    let (said, requests, retries, took) = reading(does).await;
    assert_eq!((&*said, requests), ("Retryable s3://bucket/k: InternalError", 12));
    assert_eq!(retries, Retries { made: 11, throttled: 3 });
    assert!(took < Duration::from_secs(112), "{took:?}");
}

/// Which is noticed by the machine's clock.
#[tokio::test]
async fn a_body_that_stalls_is_asked_for_again() {
    let begins = "HTTP/1.1 206 Partial Content\r\nETag: \"e\"\r\nContent-Length: 3\r\n\
                  Content-Range: bytes 2-4/10\r\n\r\nc";
    let (endpoint, requests) = doing(vec![Does::Stall(begins), Does::Say(part("cde"))]).await;
    let protection =
        StalledStreamProtectionConfig::enabled().grace_period(Duration::from_millis(100)).build();
    let config = test_config(&endpoint).to_builder().stalled_stream_protection(protection);
    let config = config.sleep_impl(SharedAsyncSleep::new(TokioSleep::new())).build();
    let store = S3Store::new(&config, "bucket").unwrap();
    assert_eq!((read_from(&store).await, requests.load(Relaxed)), ("cde".to_owned(), 2));
    assert_eq!(store.retries(), Retries { made: 1, throttled: 0 });
}

/// It takes more retries than the SDK allows a process by itself. A second of the test is twenty.
#[tokio::test]
async fn a_store_that_is_busy_for_20_seconds_slows_its_readers_down() {
    const READERS: usize = 40;
    fastrand::seed(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let clock = Arc::new(SystemClock::new());
    let since = Arc::clone(&clock);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let busy = since.now() < Duration::from_secs(1);
            tokio::spawn(async move {
                request(&mut stream).await;
                let answer = if busy { answer("503 Slow Down", "", 0, "") } else { part("cde") };
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    let store = S3Store::new(&Fast::by(20).config(&endpoint), "bucket").unwrap();
    let read = join_all((0..READERS).map(|_| read_from(&store))).await;
    assert_eq!(read, vec!["cde"; READERS]);
    let retries = store.with_bucket("another").retries();
    assert_eq!(retries.made, retries.throttled);
    // Each asks less and less often: five or six times in all.
    assert!((100..400).contains(&retries.made), "{retries:?}");
    let took = clock.now();
    assert!((1..10).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn a_deadline_ends_the_pause_between_attempts() {
    let (endpoint, _requests) = doing(vec![slow_down(); 20]).await;
    let store = S3Store::new(&Fast::by(1).config(&endpoint), "bucket").unwrap();
    let cancellation = Cancellation::never();
    let until = cancellation.with_timeout(Duration::from_millis(300));
    let stop = until.guard(store.read("k", 2..5, None)).await.unwrap_err();
    assert_eq!(stop, Stop::DeadlineExceeded);
    let took = cancellation.now();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// Written, and the answer lost: the second request finds what the first has done.
#[tokio::test]
async fn a_write_is_sent_again_whole() {
    let lost = Does::Reset;
    let there = error("412 Precondition Failed", "PreconditionFailed");
    let (endpoint, requests) = doing(vec![lost, there]).await;
    let store = S3Store::new(&test_config(&endpoint), "bucket").unwrap();
    let error = crate::put(&store, "k", "1", Only::IfAbsent).await.unwrap_err();
    assert_eq!((error.kind(), requests.load(Relaxed)), (StoreErrorKind::Precondition, 2));

    let (store, given) = server(vec![says("500 Oh", ""), says("200 OK", "")]).await;
    crate::put(&store, "k", "all of it", Only::Always).await.unwrap();
    let requests = given.await.unwrap();
    assert!(requests.iter().all(|request| request.contains("all of it")), "{requests:?}");
    assert_eq!(store.retries(), Retries { made: 1, throttled: 0 });
}

/// S3 may say so after the status 200.
#[tokio::test]
async fn a_completion_that_is_too_much_is_asked_again() {
    let started = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
    let busy = "<Error><Code>SlowDown</Code></Error>";
    let answers = [started, "", busy, "<CompleteMultipartUploadResult/>"].map(|body| says("200 OK", body));
    let (store, given) = server(answers.into()).await;
    store.begin("k").await.unwrap().complete(Only::IfAbsent).await.unwrap();
    assert_eq!(store.retries(), Retries { made: 1, throttled: 1 });
    assert_eq!(given.await.unwrap().len(), 4);
}

/// S3 sends none for a part of an object; who sends one is held to it.
#[tokio::test]
async fn a_checksum_that_comes_with_an_answer_is_compared() {
    let part = |checksum| {
        let headers = format!("Content-Range: bytes 2-4/10\r\nx-amz-checksum-crc32: {checksum}\r\n");
        Does::Say(answer("206 Partial Content", &headers, 3, "cde"))
    };
    let (said, requests, retries, _) = reading(vec![part("AAAAAA=="), part("iZmXHw==")]).await;
    assert_eq!((&*said, requests, retries.made), ("cde", 2, 1));
}

#[tokio::test]
async fn a_configuration_may_ask_for_more_attempts_not_for_fewer() {
    for (asked_for, made) in [(1, 7), (9, 9)] {
        let (endpoint, requests) = doing(vec![error("500 Oh", "InternalError"); 20]).await;
        let retry = RetryConfig::standard().with_max_attempts(asked_for);
        let config = test_config(&endpoint).to_builder().retry_config(retry).build();
        read_from(&S3Store::new(&config, "bucket").unwrap()).await;
        assert_eq!(requests.load(Relaxed), made);
    }
}
