use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use s3inv_cancel::{Clock as _, SystemClock};
use s3inv_local_aws::{Error, LocalAws, StorageFault, Upload};
use serde_json::json;

use crate::support::{LIMIT, function, with_moto};

#[test]
fn an_sdk_can_use_it() {
    let local = with_moto(|config| config);
    let mut boto = Command::new(std::env::var_os("S3INV_TEST_PYTHON").unwrap());
    boto.arg("-c").arg(include_str!("boto.py")).envs(local.aws.environment());
    assert!(
        boto.status().unwrap().success(),
        "{}",
        std::fs::read_to_string(local.logs.path().join("moto.log")).unwrap()
    );
    let counts = local.aws.storage_counts();
    assert_eq!(counts.of(None, "PutObject"), 1);
    assert_eq!(counts.of(None, "UploadPart"), 4);
    assert_eq!(counts.of(None, "CompleteMultipartUpload"), 2);
}

#[test]
fn objects_come_and_go() {
    let local = with_moto(|config| config);
    let aws = &local.aws;
    aws.create_bucket("bucket").unwrap();
    let large: Vec<u8> = (0..20_u32 << 20).map(|nth| (nth % 251) as u8).collect();
    aws.put("bucket", "a b/é & <x>", large.clone()).unwrap();
    aws.put("bucket", "c", "").unwrap();
    assert_eq!(aws.get("bucket", "a b/é & <x>").unwrap(), large);
    assert_eq!(aws.keys("bucket", "").unwrap(), ["a b/é & <x>", "c"]);
    assert_eq!(aws.keys("bucket", "c").unwrap(), ["c"]);
    assert!(aws.exists("bucket", "c").unwrap());
    aws.delete("bucket", "c").unwrap();
    assert!(!aws.exists("bucket", "c").unwrap());
    assert_eq!(aws.get("bucket", "c").unwrap_err().code(), Some("NoSuchKey"));
}

#[test]
fn listings_have_pages() {
    let local = with_moto(|config| config);
    local.aws.create_bucket("bucket").unwrap();
    let keys: Vec<String> = (0..1100).map(|nth| format!("{nth:04}")).collect();
    for key in &keys {
        local.aws.put("bucket", key, "").unwrap();
    }
    assert_eq!(local.aws.keys("bucket", "").unwrap(), keys);
}

/// Opens an upload, and gives its id.
fn create_upload(aws: &LocalAws, key: &str) -> String {
    aws.s3("POST", &format!("/bucket/{key}?uploads"), &[], "").unwrap();
    aws.uploads("bucket").unwrap().into_iter().find(|upload| upload.key == key).unwrap().id
}

#[test]
fn an_upload_that_is_gone_is_said_to_be() {
    let local = with_moto(|config| config);
    let aws = &local.aws;
    aws.create_bucket("bucket").unwrap();
    let id = create_upload(aws, "k");
    assert_eq!(aws.uploads("bucket").unwrap(), [Upload { key: "k".to_owned(), id: id.clone() }]);
    aws.put("bucket", "source", "x").unwrap();
    let part = format!("/bucket/k?partNumber=1&uploadId={id}");
    assert_eq!(aws.s3("PUT", &part, &[], "x").unwrap().0, 200);
    assert_eq!(aws.s3("DELETE", &format!("/bucket/k?uploadId={id}"), &[], "").unwrap().0, 204);
    assert_eq!(aws.uploads("bucket").unwrap(), []);
    let complete = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>";
    let late = [
        aws.s3("PUT", &part, &[], "x"),
        aws.s3("PUT", &part, &[("x-amz-copy-source", "/bucket/source")], ""),
        aws.s3("POST", &format!("/bucket/k?uploadId={id}"), &[], complete),
        aws.s3("DELETE", &format!("/bucket/k?uploadId={id}"), &[], ""),
    ];
    for (nth, answer) in late.into_iter().enumerate() {
        let (status, _, body) = answer.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(status == 404 && body.contains("NoSuchUpload"), "{nth}: {status} {body}");
    }
}

#[test]
fn one_of_many_conditional_writes_succeeds() {
    let local = with_moto(|config| config);
    local.aws.create_bucket("bucket").unwrap();
    let write = || local.aws.s3("PUT", "/bucket/k", &[("If-None-Match", "*")], "x").unwrap().0;
    let mut statuses = std::thread::scope(|scope| {
        let writers = [0; 16].map(|_| scope.spawn(write));
        writers.map(|writer| writer.join().unwrap())
    });
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|&status| status == 412), "{statuses:?}");
}

#[test]
fn requests_are_known_by_their_function() {
    let local = with_moto(|config| config.function(function()));
    local.aws.create_bucket("bucket").unwrap();
    let (send, seen) = channel();
    let send = Mutex::new(send);
    local.aws.on_storage(move |request| {
        send.lock().unwrap().send(request.clone()).unwrap();
        StorageFault::Pass
    });
    let put = json!({ "do": "put", "path": "/bucket/a%20b?x-id=PutObject" });
    for _ in 0..2 {
        let invoked = local.aws.invoke("f", &put).unwrap();
        assert_eq!(invoked.json(), "200");
        let request = seen.recv_timeout(LIMIT).unwrap();
        assert_eq!((request.function.as_deref(), request.nth), (Some("f"), 1));
        assert_eq!((&request.request_id, &*request.event), (&invoked.request_id, &put));
        assert_eq!((request.bucket.as_str(), request.key.as_str()), ("bucket", "a b"));
        assert_eq!((request.operation, request.query.as_str()), ("PutObject", "x-id=PutObject"));
    }
    local.aws.storage_passes();
    assert_eq!(local.aws.get("bucket", "a b").unwrap(), "content");
    let counts = local.aws.storage_counts();
    assert_eq!((counts.of_function("f"), counts.of_method("PUT"), counts.of(None, "GetObject")), (2, 2, 1));
}

#[test]
fn faults_befall_requests() {
    let local = with_moto(|config| config.function(function()));
    let aws = &local.aws;
    aws.create_bucket("bucket").unwrap();
    let put = |key: &str| json!({ "do": "put", "path": format!("/bucket/{key}") });
    let hook = |request: &s3inv_local_aws::StorageRequest| match request.key.as_str() {
        "slow" => StorageFault::Status(503),
        "reset" => StorageFault::Reset,
        "late" => StorageFault::ResetAfter,
        "kill" => StorageFault::KillCaller,
        "kill-late" => StorageFault::KillCallerAfter,
        _ => StorageFault::Pass,
    };
    aws.on_storage(hook);
    assert_eq!(local.answer(&put("slow")), "503");
    assert_eq!(aws.put("bucket", "slow", "").unwrap_err().code(), Some("SlowDown"));
    assert!(matches!(aws.put("bucket", "reset", ""), Err(Error::Io { .. })));
    assert!(matches!(aws.put("bucket", "late", ""), Err(Error::Io { .. })));
    for key in ["kill", "kill-late"] {
        assert_eq!(
            local.error(&put(key)).1,
            "RequestId: ID Error: Runtime exited with error: signal: killed"
        );
    }
    aws.storage_passes();
    assert_eq!(aws.keys("bucket", "").unwrap(), ["kill-late", "late"]);
}

#[test]
fn a_request_waits_until_the_hook_lets_it_pass() {
    let local = with_moto(|config| config);
    let asked = AtomicUsize::new(0);
    local.aws.on_storage(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0..3 => StorageFault::Later(Duration::from_millis(20)),
        3 => StorageFault::Status(503),
        _ => StorageFault::Pass,
    });
    let clock = SystemClock::new();
    assert_eq!(local.aws.create_bucket("bucket").unwrap_err().code(), Some("SlowDown"));
    assert!(clock.now() >= Duration::from_millis(60));
    assert_eq!(local.aws.storage_counts().total(), 1, "it is one request");
    local.aws.create_bucket("bucket").unwrap();
}

#[test]
fn a_stalled_request_ends_with_its_function() {
    let local = with_moto(|config| config.function(function().timeout(Duration::from_millis(250))));
    local.aws.on_storage(|_| StorageFault::Stall);
    assert_eq!(local.error(&json!({ "do": "put", "path": "/bucket/k" })).0, "Sandbox.Timedout");
}
