//! Bodies that pass through, whole or as they come.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::proxy::gate::Permit;

/// A body on its way through the proxy.
#[derive(Debug)]
pub(crate) enum ProxyBody {
    /// Held completely, so that it can be sent again.
    Whole(Option<Bytes>),
    /// Passed on as it arrives, after what was read of it already.
    Streaming {
        start: Option<Bytes>,
        rest: Incoming,
        permit: Option<Permit>,
    },
}

impl ProxyBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }

    pub(crate) const fn streaming(rest: Incoming) -> Self {
        Self::Streaming {
            start: None,
            rest,
            permit: None,
        }
    }

    /// Counts as in flight until the body has ended.
    pub(crate) const fn streaming_with(rest: Incoming, permit: Option<Permit>) -> Self {
        Self::Streaming {
            start: None,
            rest,
            permit,
        }
    }
}

impl Body for ProxyBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streaming { start, rest, permit } => {
                if let Some(bytes) = start.take() {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                let polled = Pin::new(rest).poll_frame(context);
                if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
                    permit.take();
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streaming { start, rest, .. } => start.is_none() && rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Streaming { start, rest, .. } => {
                let mut hint = rest.size_hint();
                let known = start.as_ref().map_or(0, |bytes| bytes.len() as u64);
                let (lower, upper) = (hint.lower() + known, hint.upper().map(|upper| upper + known));
                hint = SizeHint::new();
                if let Some(upper) = upper {
                    hint.set_upper(upper);
                }
                hint.set_lower(lower);
                hint
            }
        }
    }
}

/// Reads a body up to `limit` bytes. A longer one comes back as what was read and the rest.
pub(crate) async fn read_up_to(mut body: Incoming, limit: usize) -> Result<ProxyBody, hyper::Error> {
    let too_long = |hint: &SizeHint| hint.lower() > limit as u64;
    if too_long(&body.size_hint()) {
        return Ok(ProxyBody::streaming(body));
    }
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            bytes.extend_from_slice(data);
        }
        if bytes.len() > limit {
            return Ok(ProxyBody::Streaming {
                start: Some(bytes.freeze()),
                rest: body,
                permit: None,
            });
        }
    }
    Ok(ProxyBody::whole(bytes))
}
