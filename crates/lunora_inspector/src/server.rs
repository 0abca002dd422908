//! The way of a request: the guard, what answers, the seal. There is no way around the first and the last.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use crate::guard::{Guard, needs_token};
use crate::page;
use crate::reply::coded;
use crate::seal::seal;

/// See the module.
pub(crate) struct Server {
    guard: Guard,
    api: TowerToHyperService<Router>,
}

impl Server {
    pub(crate) fn new(guard: Guard, api: Router) -> Self {
        Self {
            guard,
            api: TowerToHyperService::new(api),
        }
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let mut response = match self.guard.check(&head) {
            Err(refusal) => coded(&refusal.diagnostic()),
            Ok(()) if needs_token(head.uri.path()) => {
                let answered = self.api.call(Request::from_parts(head, body)).await;
                answered
                    .map_or_else(|never| match never {}, |response| response.map(Body::new))
                    .into_response()
            }
            Ok(()) => page::answer(head.uri.path(), &head.headers),
        };
        seal(response.headers_mut());
        response
    }
}
