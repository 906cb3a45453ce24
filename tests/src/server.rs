use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::store::environment;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT` …
    pub method: String,
    /// Path and query, as they are sent.
    pub target: String,
    /// The value of its `Range` header, if it has one.
    pub range: Option<String>,
    /// The value of its `If-Match` header, if it has one.
    pub if_match: Option<String>,
}

/// What it gets.
pub enum Answer {
    /// Nothing, for as long as it likes to wait.
    Stall,
    /// An object, or the range of it that was asked for.
    Object(Vec<u8>),
    /// The size of an object, and the first half of what is asked of it.
    Half(Vec<u8>),
    /// The same, and then the connection ends.
    Cut(Vec<u8>),
    /// That it is asked too much.
    Busy,
    /// A document of S3's.
    Xml(String),
    /// That the object is another one than the client thinks.
    Changed,
    /// This, but slowly.
    Late(Duration, Box<Answer>),
}

/// An S3 that answers as a test says.
pub struct FakeS3 {
    port: u16,
    requests: Receiver<Request>,
}

impl FakeS3 {
    /// Starts one. It ends with the process.
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (send, requests) = channel();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, send) = (Arc::clone(&answer), send.clone());
                // A client that hangs up has what it wants.
                std::thread::spawn(move || serve(stream, &*answer, &send));
            }
        });
        Self { port, requests }
    }

    /// One that accepts connections, and never answers.
    pub fn stalled() -> Self {
        Self::start(|_| Answer::Stall)
    }

    /// Its URL.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How the binary reaches it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        environment(&self.endpoint())
    }

    /// Waits for a request that fits.
    pub fn wait_for(&self, fits: impl Fn(&Request) -> bool) -> Request {
        let mut seen = Vec::new();
        loop {
            match self.requests.recv_timeout(Duration::from_mins(1)) {
                Ok(request) if fits(&request) => return request,
                Ok(request) => seen.push(request),
                Err(error) => panic!("no such request came ({error}), but {seen:#?}"),
            }
        }
    }

    /// The requests that came, and have not been waited for.
    pub fn seen(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

fn serve(
    stream: TcpStream,
    answer: &impl Fn(&Request) -> Answer,
    requests: &Sender<Request>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(request) = read_request(&mut reader)? {
        let answer = answer(&request);
        // A test that has ended no longer listens.
        let _ = requests.send(request.clone());
        write_answer(&mut stream, &request, &answer)?;
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let (mut line, mut length, mut range, mut if_match) = (String::new(), 0, None, None);
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "range" => range = Some(value.to_owned()),
            "if-match" => if_match = Some(value.to_owned()),
            _ => {}
        }
    }
    reader.take(length).read_to_end(&mut Vec::new())?;
    Ok(Some(Request { method, target, range, if_match }))
}

fn write_answer(stream: &mut TcpStream, request: &Request, answer: &Answer) -> std::io::Result<()> {
    match answer {
        // Its answer has no body that could end early.
        Answer::Half(bytes) | Answer::Cut(bytes) if request.method == "HEAD" => {
            write_object(stream, request, bytes, false)
        }
        Answer::Stall => stall(stream),
        Answer::Object(bytes) => write_object(stream, request, bytes, false),
        Answer::Half(bytes) => {
            write_object(stream, request, bytes, true)?;
            stall(stream)
        }
        Answer::Cut(bytes) => {
            write_object(stream, request, bytes, true)?;
            stream.shutdown(Shutdown::Both)
        }
        Answer::Busy => stream.write_all(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n"),
        Answer::Xml(text) => write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nETag: \"e\"\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        ),
        Answer::Changed => stream.write_all(b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"),
        Answer::Late(delay, answer) => {
            // Nobody sends anything: it is the delay that a far S3 has.
            let _ = channel::<()>().1.recv_timeout(*delay);
            write_answer(stream, request, answer)
        }
    }
}

/// Holds the connection until the client gives up.
fn stall(stream: &mut TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 1024])? > 0 {}
    Ok(())
}

fn write_object(stream: &mut TcpStream, request: &Request, bytes: &[u8], half: bool) -> std::io::Result<()> {
    let (from, until) = asked(request.range.as_deref(), bytes.len());
    let (status, total) =
        if request.range.is_some() { ("206 Partial Content", bytes.len()) } else { ("200 OK", 0) };
    write!(stream, "HTTP/1.1 {status}\r\nETag: \"e\"\r\nContent-Length: {}\r\n", until - from)?;
    if total > 0 {
        write!(stream, "Content-Range: bytes {from}-{}/{total}\r\n", until - 1)?;
    }
    stream.write_all(b"\r\n")?;
    match (request.method.as_str(), half) {
        ("HEAD", _) => Ok(()),
        (_, false) => stream.write_all(&bytes[from..until]),
        (_, true) => stream.write_all(&bytes[from..from + (until - from) / 2]),
    }
}

/// The range of `bytes=from-last` or `bytes=-tail`, within an object of this length.
fn asked(range: Option<&str>, len: usize) -> (usize, usize) {
    let Some((from, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return (0, len);
    };
    let last: usize = last.parse().unwrap_or(len);
    match from.parse() {
        Ok(from) => (from, (last + 1).min(len)),
        Err(_) => (len.saturating_sub(last), len),
    }
}
