//! One request, sent until it has an answer or must not be sent again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use lunora_diagnostics::{Diagnostic, codes};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::proxy::assets::Assets;
use crate::proxy::body::{ProxyBody, read_up_to};
use crate::proxy::gate::{Epoch, Gate, Permit, Refusal};
use crate::proxy::guard::{Guard, Rejection};
use crate::proxy::headers::{is_websocket, strip_hop_by_hop, wants_upgrade};
use crate::proxy::pool::Pool;
use crate::proxy::reply::error_reply;
use crate::proxy::retry::{LONGEST_REPEATABLE_BODY, RetryRules, is_read};
use crate::proxy::tunnel::{Tunnel, run_tunnel};

/// Answers of repeatable requests up to this size are read completely before they are passed on, so
/// that a process killed in the middle of its answer costs nothing.
const LONGEST_HELD_ANSWER: u64 = 64 * 1024;
/// After a lost answer: how long the news of the process's end may take to arrive.
const NEWS_LIMIT: Duration = Duration::from_millis(100);
/// How often a request is sent to processes that end while they handle it, though nobody reloads:
/// the request may be the cause.
const MOST_CRASHES: usize = 1;
/// How many connections in a row may turn out dead before the process is looked at.
const MOST_UNSENT: usize = 64;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub gate: Arc<Gate>,
    pub guard: Guard,
    /// Files that are served without the worker.
    pub assets: Option<Assets>,
    pub pool: Arc<Pool>,
    pub rules: RetryRules,
    pub hold_limit: Duration,
    /// Tunnels under way.
    pub tunnels: TaskTracker,
}

/// How one attempt ended.
enum Attempt {
    Answered(Response<ProxyBody>),
    /// No byte of it reached workerd.
    Unsent(Request<ProxyBody>),
    /// It may have run.
    Lost,
}

impl Proxy {
    /// Answers a request; never fails.
    pub(crate) async fn serve(self: Arc<Self>, request: Request<Incoming>) -> Response<ProxyBody> {
        let upgrade = wants_upgrade(request.headers());
        if let Err(rejection) =
            self.guard
                .check(request.method(), request.uri().authority(), request.headers(), upgrade)
        {
            return reject(&rejection);
        }
        if let (Some(assets), false) = (&self.assets, upgrade)
            && let Some(answer) = assets
                .answer(request.method(), request.uri().path(), request.headers())
                .await
        {
            return answer;
        }
        if request.method() == Method::CONNECT {
            return error_reply(&Diagnostic::error(
                codes::BAD_REQUEST,
                "`CONNECT` is for forward proxies, which this is not.",
            ));
        }
        match self.forward(request, upgrade).await {
            Ok(response) => response,
            Err(diagnostic) => error_reply(&diagnostic),
        }
    }

    async fn forward(
        self: &Arc<Self>,
        mut request: Request<Incoming>,
        upgrade: bool,
    ) -> Result<Response<ProxyBody>, Diagnostic> {
        let browser = upgrade.then(|| hyper::upgrade::on(&mut request));
        let has_body = !request.body().is_end_stream();
        let (mut parts, body) = request.into_parts();
        strip_hop_by_hop(&mut parts.headers, upgrade);
        parts.uri = origin_form(&parts.uri);
        parts.version = Version::HTTP_11;

        let body = if has_body && RetryRules::wants_body(&parts) {
            read_up_to(body, LONGEST_REPEATABLE_BODY).await.map_err(|error| {
                Diagnostic::error(
                    codes::BAD_REQUEST,
                    format!("The body of the request ended early: {error}."),
                )
            })?
        } else if has_body {
            ProxyBody::streaming(body)
        } else {
            ProxyBody::Whole(None)
        };
        let held = match &body {
            ProxyBody::Whole(Some(bytes)) => self.rules.admit_call(&mut parts, bytes).then(|| bytes.clone()),
            ProxyBody::Whole(None) => is_read(&parts.method, has_body).then(Bytes::new),
            ProxyBody::Streaming { .. } => None,
        };
        let mut repeat = held.map(|bytes| (parts.clone(), bytes));
        // The case of header names travels in an extension, which a copy shares.
        let mut next = Request::from_parts(parts, body);

        let mut waited = Duration::ZERO;
        let mut crashes = 0;
        let mut unsent_in_a_row = 0;
        loop {
            let asked = Instant::now();
            let permit = self
                .gate
                .enter(asked + self.hold_limit.saturating_sub(waited))
                .await
                .map_err(|refusal| self.refused(refusal))?;
            waited += asked.elapsed();
            let epoch = permit.epoch();
            match self.attempt(next, permit, browser.is_some(), repeat.is_some()).await {
                Attempt::Answered(response) => return Ok(self.finish(response, browser)),
                Attempt::Unsent(unsent) => {
                    next = unsent;
                    unsent_in_a_row += 1;
                    // Most likely a kept connection that had ended: the next one is another.
                    if unsent_in_a_row <= MOST_UNSENT {
                        continue;
                    }
                }
                Attempt::Lost => {
                    unsent_in_a_row = 0;
                    let Some((parts, bytes)) = &mut repeat else {
                        return Err(reloaded());
                    };
                    next = Request::from_parts(parts.clone(), ProxyBody::whole(bytes.clone()));
                }
            }
            // Within moments the supervisor either reloads (then this was no fault of the request) or
            // learns of a crash. A connection that broke alone is tried again on the same process.
            let asked = Instant::now();
            if !self.gate.wait_past(epoch, NEWS_LIMIT).await || self.gate.ended_by_itself(epoch) {
                crashes += 1;
            }
            waited += asked.elapsed();
            if crashes > MOST_CRASHES {
                return Err(reloaded());
            }
        }
    }

    async fn attempt(&self, request: Request<ProxyBody>, permit: Permit, upgrade: bool, repeatable: bool) -> Attempt {
        let epoch: Epoch = permit.epoch();
        let Ok(mut sender) = self.pool.connection(epoch).await else {
            return Attempt::Unsent(request);
        };
        let response = match sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => {
                return error.take_message().map_or(Attempt::Lost, Attempt::Unsent);
            }
        };
        if upgrade && response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let (parts, body) = response.into_parts();
            return Attempt::Answered(Response::from_parts(parts, ProxyBody::streaming(body)));
        }
        let (mut parts, body) = response.into_parts();
        self.pool.give_back(sender, epoch);
        strip_hop_by_hop(&mut parts.headers, false);
        let length = body.size_hint().exact();
        if repeatable && length.is_some_and(|length| length <= LONGEST_HELD_ANSWER) {
            return match body.collect().await {
                Ok(whole) => {
                    let body = if parts.headers.contains_key(CONTENT_LENGTH) || length > Some(0) {
                        ProxyBody::whole(whole.to_bytes())
                    } else {
                        ProxyBody::Whole(None)
                    };
                    Attempt::Answered(Response::from_parts(parts, body))
                }
                Err(_) => Attempt::Lost,
            };
        }
        // An event stream has no end to wait for.
        let endless = parts
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let permit = (!endless).then_some(permit);
        Attempt::Answered(Response::from_parts(parts, ProxyBody::streaming_with(body, permit)))
    }

    /// Passes the answer on; an upgrade that was granted becomes a tunnel.
    fn finish(self: &Arc<Self>, mut response: Response<ProxyBody>, browser: Option<OnUpgrade>) -> Response<ProxyBody> {
        let Some(browser) = browser else { return response };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return response;
        }
        let worker = hyper::upgrade::on(&mut response);
        let websocket = is_websocket(response.headers());
        strip_hop_by_hop(response.headers_mut(), true);
        self.tunnels.spawn(run_tunnel(Tunnel {
            browser,
            worker,
            websocket,
            gate: Arc::clone(&self.gate),
        }));
        let (parts, _) = response.into_parts();
        Response::from_parts(parts, ProxyBody::Whole(None))
    }

    fn refused(&self, refusal: Refusal) -> Diagnostic {
        match refusal {
            Refusal::TimedOut => Diagnostic::error(
                codes::RELOADING,
                format!("The worker was not ready within {} s.", self.hold_limit.as_secs_f64()),
            ),
            Refusal::Refusing(diagnostic) => Diagnostic::clone(&diagnostic),
            Refusal::Closed => Diagnostic::error(codes::WORKER_UNAVAILABLE, "The development server is shutting down."),
        }
    }
}

fn reloaded() -> Diagnostic {
    Diagnostic::error(
        codes::RELOADED,
        "The worker ended while it handled this request, which may or may not have taken effect.",
    )
}

fn reject(rejection: &Rejection) -> Response<ProxyBody> {
    let diagnostic = match rejection {
        Rejection::Host(host) => Diagnostic::error(
            codes::HOST_NOT_ALLOWED,
            format!(
                "The host `{}` is not one that this development server answers to.",
                shown(host)
            ),
        ),
        Rejection::Origin(origin) => Diagnostic::error(
            codes::ORIGIN_NOT_ALLOWED,
            format!("Pages of `{}` may not use this development server.", shown(origin)),
        ),
    };
    error_reply(&diagnostic)
}

/// A client's text, made harmless and short.
fn shown(text: &str) -> String {
    text.chars().take(100).collect::<String>().escape_debug().to_string()
}

/// Path and query only: the host stands in its header.
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query()
        .map_or_else(|| uri.clone(), |path| Uri::from(path.clone()))
}
