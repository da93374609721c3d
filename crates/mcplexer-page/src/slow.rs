//! Bodies that arrive slowly: each holds one of the gateway's connections.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How long a body may take to arrive, from the head of its request on.
const WAIT: Duration = Duration::from_secs(30);

/// A body that fails when it has taken too long.
struct Limited<B> {
    body: B,
    wait: Pin<Box<Sleep>>,
}

/// Lets a body fail when it takes too long.
pub(crate) fn limited<B>(body: B) -> Body
where
    B: hyper::body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    B: Send + Unpin + 'static,
{
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(Limited {
        body: body.map_err(Into::into),
        wait: Box::pin(sleep(WAIT)),
    })
}

impl<B> hyper::body::Body for Limited<B>
where
    B: hyper::body::Body<Data = Bytes, Error = Box<dyn Error + Send + Sync>> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending if self.wait.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Some(Err("the body took too long".into())))
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::Full;

    use super::*;

    /// A body of which nothing comes.
    struct Never;

    impl hyper::body::Body for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_fails() {
        let failed = limited(Never).collect().await.unwrap_err();
        assert!(format!("{failed:?}").contains("too long"), "{failed:?}");
        let whole = limited(Full::new(Bytes::from_static(b"all"))).collect();
        assert_eq!(whole.await.unwrap().to_bytes(), "all");
    }
}
