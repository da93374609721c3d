//! A server of HTTP/1.1 on a loopback address.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The largest body that is read, in bytes.
const LARGEST: usize = 64 << 20;

/// A body that is sent as it comes in.
#[derive(Debug)]
#[non_exhaustive]
pub enum Sent {
    /// The whole of it, once.
    Whole(Option<Bytes>),
    /// Pieces, until the other end is dropped. An error cuts the connection.
    Pieces(mpsc::UnboundedReceiver<io::Result<Bytes>>),
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces(pieces) => pieces
                .poll_recv(context)
                .map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }
}

/// Answers each request that comes in on the listener, for ever.
///
/// The handler is given the request with its whole body. Its future is dropped if the client closes the connection.
///
/// # Errors
///
/// No connection can be accepted.
pub async fn serve<H, F>(listener: TcpListener, handler: H) -> io::Result<()>
where
    H: Fn(Request<Bytes>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Sent>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let handler = handler.clone();
                async move {
                    Ok::<_, Infallible>(match whole(request).await {
                        Ok(request) => handler(request).await,
                        Err(status) => text(status, ""),
                    })
                }
            });
            // A client that goes away is no fault of the server.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The request with all of its body.
async fn whole(request: Request<Incoming>) -> Result<Request<Bytes>, StatusCode> {
    let (head, body) = request.into_parts();
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match Limited::new(body, LARGEST).collect().await {
        Ok(body) => Ok(Request::from_parts(head, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

/// The value of a header that is there once, and is text.
#[must_use]
pub fn header<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    let mut values = request.headers().get_all(name).iter();
    let value = values.next()?.to_str().ok();
    value.filter(|_| values.next().is_none())
}

/// A response with a text.
#[must_use]
pub fn text(status: StatusCode, body: &str) -> Response<Sent> {
    response(
        status,
        "text/plain",
        Sent::Whole(Some(Bytes::copy_from_slice(body.as_bytes()))),
    )
}

/// A response with a JSON document.
#[must_use]
pub fn document(status: u16, body: impl Into<Bytes>) -> Response<Sent> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response(status, "application/json", Sent::Whole(Some(body.into())))
}

/// A response that says nothing but that the message was taken.
#[must_use]
pub fn accepted() -> Response<Sent> {
    let mut response = Response::new(Sent::Whole(None));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// A response with events, and where to put them.
#[must_use]
pub fn events() -> (mpsc::UnboundedSender<io::Result<Bytes>>, Response<Sent>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (
        sender,
        response(StatusCode::OK, "text/event-stream", Sent::Pieces(receiver)),
    )
}

/// One event of a stream of events.
#[must_use]
pub fn event(id: Option<&str>, data: &str) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("event: message\n{id}data: {data}\n\n"))
}

/// The same response, with another header.
#[must_use]
pub fn with(mut response: Response<Sent>, name: &'static str, value: &str) -> Response<Sent> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .append(HeaderName::from_static(name), value);
    }
    response
}

fn response(status: StatusCode, kind: &'static str, body: Sent) -> Response<Sent> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
