//! The endpoint that everything talks to.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, Uri};
use tokio::net::TcpListener;

use crate::bridge::Bridge;
use crate::caller::Caller;
use crate::http::{Body, CutOff, response, send, serve};
use crate::invoke_api::InvokeApi;
use crate::storage::{Storage, StorageFault};
use crate::storage_request::StorageRequest;
use crate::{ids, invoke_api, xml};

/// Answers `Invoke`, and passes the rest on to moto.
pub(crate) struct Front {
    /// Where moto listens, where there is one.
    pub(crate) moto: Arc<OnceLock<u16>>,
    pub(crate) invoke: InvokeApi,
    pub(crate) storage: Storage,
    /// Hears of objects that were made.
    pub(crate) bridge: Arc<Bridge>,
}

impl Front {
    /// Serves a listener, which is a process's own, or the one of everybody else.
    ///
    /// Boxed, because it may start processes, which have fronts of their own.
    pub(crate) fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        caller: Option<Arc<Caller>>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(serve(listener, move |request| {
            let (front, caller) = (Arc::clone(&self), caller.clone());
            async move { front.answer(request, caller.as_deref()).await }
        }))
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        caller: Option<&Caller>,
    ) -> Result<Response<Body>, CutOff> {
        if let Some(function) = invoke_api::invoked_function(&request) {
            return self.invoke.answer(&function, request).await;
        }
        if !is_storage(&request) {
            return Ok(self.pass_on(request).await);
        }
        let uri = request.uri();
        let query = uri.query().unwrap_or_default();
        let mut asked = StorageRequest::new(request.method(), uri.path(), query, request.headers());
        if let Some(caller) = caller {
            asked.function = Some(caller.function.clone());
            asked.request_id = caller.request_id();
            asked.event = caller.event();
            asked.nth = caller.next_request();
        }
        self.store(request, asked, caller).await
    }

    async fn store(
        &self,
        request: Request<Incoming>,
        asked: StorageRequest,
        caller: Option<&Caller>,
    ) -> Result<Response<Body>, CutOff> {
        let fault = self.storage.befalls(&asked).await;
        match fault {
            StorageFault::Status(status) => return Ok(refused(status, &asked)),
            StorageFault::Reset => return Err(CutOff),
            // Dropped when the client goes.
            StorageFault::Stall => std::future::pending().await,
            StorageFault::KillCaller => {
                kill(caller);
                return Err(CutOff);
            }
            StorageFault::Pass
            | StorageFault::Later(_)
            | StorageFault::ResetAfter
            | StorageFault::KillCallerAfter => {}
        }
        let answer = self.pass_on(request).await;
        if answer.status().is_success() && asked.makes_object() {
            self.bridge.object_made(&asked);
        }
        match fault {
            StorageFault::ResetAfter => Err(CutOff),
            StorageFault::KillCallerAfter => {
                kill(caller);
                Err(CutOff)
            }
            _ => Ok(answer),
        }
    }

    async fn pass_on(&self, request: Request<Incoming>) -> Response<Body> {
        let Some(moto) = self.moto.get() else {
            return response(503, "text/plain", "this local AWS was started without moto");
        };
        let (mut parts, body) = request.into_parts();
        // What concerns a connection, and not the request: hyper has answered or will set these.
        for name in [header::EXPECT, header::CONNECTION] {
            parts.headers.remove(name);
        }
        parts.uri = origin_form(&parts.uri);
        match send(*moto, Request::from_parts(parts, body.boxed())).await {
            Ok(mut answer) => {
                answer.headers_mut().remove(header::CONNECTION);
                answer.map(Incoming::boxed)
            }
            Err(error) => response(502, "text/plain", format!("moto: {error}")),
        }
    }
}

/// Path and query, without a host that a client may have put before them.
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from)
}

fn kill(caller: Option<&Caller>) {
    if let Some(caller) = caller {
        caller.kill();
    }
}

/// Whether a request is for S3: those of other services say so in their signature's scope.
fn is_storage(request: &Request<Incoming>) -> bool {
    if request.uri().path().starts_with("/moto-api") {
        return false;
    }
    match scope(request.headers()) {
        Some(service) => service == "s3",
        None => !request.headers().contains_key("x-amz-target"),
    }
}

/// The service in `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION).map(HeaderValue::to_str)?.ok()?;
    value.split("Credential=").nth(1)?.split([',', ' ']).next()?.split('/').nth(3)
}

/// As S3 refuses.
fn refused(status: u16, asked: &StorageRequest) -> Response<Body> {
    let (code, message) = match status {
        503 => ("SlowDown", "Please reduce your request rate."),
        500 => ("InternalError", "We encountered an internal error. Please try again."),
        403 => ("AccessDenied", "Access Denied"),
        404 => ("NoSuchKey", "The specified key does not exist."),
        409 => ("ConditionalRequestConflict", "A conflicting operation occurred."),
        412 => ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"),
        _ => ("Unknown", "a fault on demand"),
    };
    let id = ids::unique();
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <Resource>{}</Resource><RequestId>{id}</RequestId></Error>",
        xml::escaped(&asked.path)
    );
    // An answer to HEAD has no body, and hyper sends none.
    let mut answer = response(status, "application/xml", xml);
    if let Ok(id) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert("x-amz-request-id", id);
    }
    answer
}
