//! A function that does what its event says: the tests' own.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a function that tests break")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    if std::env::var_os("FAIL_AT_START").is_some() {
        let error = json!({ "errorType": "BadConfig", "errorMessage": "no start" }).to_string();
        call(&api, "POST", "/2018-06-01/runtime/init/error", error.as_bytes());
        std::process::exit(1);
    }
    loop {
        let (headers, event) = call(&api, "GET", "/2018-06-01/runtime/invocation/next", b"");
        let id = &headers["lambda-runtime-aws-request-id"];
        let answer = answer(&serde_json::from_slice(&event).unwrap(), &headers);
        let (what, answer) = match answer {
            Ok(answer) => ("response", answer),
            Err(error) => ("error", error),
        };
        let path = format!("/2018-06-01/runtime/invocation/{id}/{what}");
        call(&api, "POST", &path, answer.to_string().as_bytes());
    }
}

fn answer(event: &Value, headers: &BTreeMap<String, String>) -> Result<Value, Value> {
    println!("does {event}");
    match event["do"].as_str().unwrap_or("echo") {
        "environment" => Ok(std::env::vars().collect::<BTreeMap<_, _>>().into_iter().collect()),
        "headers" => Ok(headers.clone().into_iter().collect()),
        "fail" => Err(json!({ "errorType": event["error"], "errorMessage": "as told" })),
        "exit" => std::process::exit(i32::try_from(event["code"].as_i64().unwrap()).unwrap()),
        "large" => Ok("x".repeat(7 << 20).into()),
        "hang" => loop {
            std::thread::park();
        },
        "wait" => {
            let port = u16::try_from(event["port"].as_u64().unwrap()).unwrap();
            TcpStream::connect(("127.0.0.1", port)).unwrap().read_to_end(&mut Vec::new()).unwrap();
            Ok(std::process::id().into())
        }
        "allocate" => {
            let megabytes = usize::try_from(event["mb"].as_u64().unwrap()).unwrap();
            let memory = vec![1_u8; megabytes << 20];
            Ok(memory.iter().map(|&byte| u64::from(byte)).sum::<u64>().into())
        }
        "put" => {
            let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap();
            let path = event["path"].as_str().unwrap();
            let (headers, _) = call(endpoint.strip_prefix("http://").unwrap(), "PUT", path, b"content");
            Ok(headers[":status"].clone().into())
        }
        "echo" => Ok(json!({ "process": std::process::id(), "event": event })),
        other => panic!("not told what {other} is"),
    }
}

/// One request on a connection of its own; the status is among the headers.
fn call(host: &str, method: &str, path: &str, body: &[u8]) -> (BTreeMap<String, String>, Vec<u8>) {
    let stream = TcpStream::connect(host).unwrap();
    let authorization = "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/s3/aws4_request, Signature=0";
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    (&stream).write_all(&request).unwrap();
    let mut reader = BufReader::new(&stream);
    let mut headers = BTreeMap::new();
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        match line.split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None => headers.insert(":status".to_owned(), line.split(' ').nth(1).unwrap().to_owned()),
        };
    }
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).unwrap();
    (headers, answer)
}
