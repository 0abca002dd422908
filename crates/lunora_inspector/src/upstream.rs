//! The app's worker, as its engine named it. No address of a request is ever asked.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use lunora_diagnostics::{Diagnostic, codes};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an operation may take until it begins to answer: functions that are run may wait for others.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the worker is, and the secret of its admin routes.
#[derive(Clone)]
pub struct Upstream {
    authority: Arc<str>,
    /// As the worker that serves has it: the app's own configuration may state another one at any time.
    authorization: Arc<RwLock<HeaderValue>>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Upstream({}, <secret>)", self.authority)
    }
}

impl Upstream {
    /// The worker at `url` (`http://127.0.0.1:4000`), with its admin token.
    ///
    /// # Errors
    /// `INTERNAL` when the URL is none of this form, or the token cannot stand in a header.
    pub fn new(url: &str, admin_token: &str) -> Result<Self, Diagnostic> {
        let wrong = |what: &str| Diagnostic::error(codes::INTERNAL, format!("The worker's {what} cannot be used."));
        let authority = url.strip_prefix("http://").ok_or_else(|| wrong("address"))?;
        Ok(Self {
            authority: authority.trim_end_matches('/').into(),
            authorization: Arc::new(RwLock::new(bearer(admin_token)?)),
        })
    }

    /// Uses another admin token from now on.
    pub(crate) fn set_admin_token(&self, admin_token: &str) -> Result<(), Diagnostic> {
        let value = bearer(admin_token)?;
        *self.authorization.write().unwrap_or_else(PoisonError::into_inner) = value;
        Ok(())
    }

    /// Posts JSON to an admin route; `route` is what follows `/_lunora/admin/`.
    pub(crate) async fn post(&self, route: &str, body: Bytes) -> Result<hyper::Response<Incoming>, Diagnostic> {
        self.ask("POST", route, body).await
    }

    /// Reads an admin route.
    pub(crate) async fn get(&self, route: &str) -> Result<hyper::Response<Incoming>, Diagnostic> {
        self.ask("GET", route, Bytes::new()).await
    }

    async fn ask(&self, method: &str, route: &str, body: Bytes) -> Result<hyper::Response<Incoming>, Diagnostic> {
        let unavailable = |why: &dyn std::fmt::Display| {
            Diagnostic::error(
                codes::WORKER_UNAVAILABLE,
                format!("the app's worker did not answer: {why}"),
            )
        };
        let authorization = self
            .authorization
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let request = Request::builder()
            .method(method)
            .uri(format!("/_lunora/admin/{route}"))
            .header(HOST, &*self.authority)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| unavailable(&error))?;
        let asking = async {
            let stream = TcpStream::connect(&*self.authority)
                .await
                .map_err(|error| unavailable(&error))?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| unavailable(&error))?;
            // Ends with the answer's body, or with the worker; its error is the body's as well.
            tokio::spawn(connection);
            sender.send_request(request).await.map_err(|error| unavailable(&error))
        };
        timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(|_| Err(unavailable(&format!("nothing came within {} s", PATIENCE.as_secs()))))
    }
}

fn bearer(admin_token: &str) -> Result<HeaderValue, Diagnostic> {
    let mut value = HeaderValue::from_str(&format!("Bearer {admin_token}")).map_err(|_| {
        Diagnostic::error(
            codes::ENVIRONMENT_SYNTAX,
            "`LUNORA_ADMIN_TOKEN` cannot stand in a header of HTTP",
        )
        .with_help("Use letters, digits and the signs of ASCII.")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
