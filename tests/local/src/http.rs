use std::convert::Infallible;
use std::future::Future;
use std::io;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A body that streams, or is there already.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// Says that a connection is to be cut off without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut off")]
pub(crate) struct CutOff;

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed()
}

/// A response of a status and a body.
pub(crate) fn response(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let content_type = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, content_type);
    response
}

/// A response of JSON.
pub(crate) fn json(status: u16, value: &serde_json::Value) -> Response<Body> {
    response(status, "application/json", value.to_string())
}

/// All of a body.
pub(crate) async fn collect(body: Incoming) -> Result<Bytes, hyper::Error> {
    Ok(body.collect().await?.to_bytes())
}

/// A port of this machine's own that nobody has yet.
pub(crate) async fn listen() -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Answers requests for as long as it is polled; dropped, it drops its connections.
pub(crate) async fn serve<H, A>(listener: TcpListener, handle: H)
where
    H: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<Body>, CutOff>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(serve_connection(stream, handle.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection<H, A>(stream: TcpStream, handle: H)
where
    H: Fn(Request<Incoming>) -> A + Send + 'static,
    A: Future<Output = Result<Response<Body>, CutOff>> + Send + 'static,
{
    // Without it, small answers wait 40 ms for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut builder = server::Builder::new();
    builder.preserve_header_case(true);
    // A connection that breaks off, or is cut off, is no error here.
    let _ = builder.serve_connection(TokioIo::new(stream), service_fn(handle)).await;
}

/// Sends a request on a connection of its own: moto closes some that hyper would use again.
pub(crate) async fn send(port: u16, request: Request<Body>) -> io::Result<Response<Incoming>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut builder = client::Builder::new();
    builder.preserve_header_case(true);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(io::Error::other)
}
