//! Which requests may be sent a second time when their answer is lost.
//!
//! Only what cannot have run, or can run twice without a trace: reads, and remote calls of queries
//! and mutations that carry a mutation id, which the shard records in the mutation's own transaction.
//! An *action* must not be sent twice whatever it carries, since its effects lie outside any
//! transaction (a mail, a payment); so an id is only added, and a call only repeated, where the
//! application's functions say that the path is a query or a mutation. A path that they do not know
//! is repeated only if the client itself sent an id, because clients do that for mutations alone.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;

use crate::worker_description::FunctionKind;

/// The header that makes a mutation repeatable.
pub(crate) const MUTATION_ID: HeaderName = HeaderName::from_static("x-lunora-mutation-id");
/// Where remote calls go.
pub(crate) const RPC_PATH: &str = "/_lunora/rpc";
/// Longer bodies are passed through and not repeated.
pub(crate) const LONGEST_REPEATABLE_BODY: usize = 1 << 20;

/// What the proxy knows of the application.
#[derive(Debug, Default)]
pub(crate) struct RetryRules {
    functions: RwLock<Arc<BTreeMap<String, FunctionKind>>>,
    add_mutation_ids: bool,
}

impl RetryRules {
    pub(crate) fn new(add_mutation_ids: bool) -> Self {
        Self {
            functions: RwLock::default(),
            add_mutation_ids,
        }
    }

    pub(crate) fn set_functions(&self, functions: Arc<BTreeMap<String, FunctionKind>>) {
        *self.functions.write().unwrap_or_else(PoisonError::into_inner) = functions;
    }

    /// Whether the body is worth holding, because the request may turn out repeatable.
    pub(crate) fn wants_body(parts: &Parts) -> bool {
        parts.method == Method::POST && parts.uri.path() == RPC_PATH
    }

    /// Decides about a remote call with its whole body, and adds a mutation id where that is safe.
    pub(crate) fn admit_call(&self, parts: &mut Parts, body: &[u8]) -> bool {
        let kind = function_path(body).and_then(|path| {
            self.functions
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&path)
                .copied()
        });
        let has_id = parts.headers.contains_key(MUTATION_ID);
        match kind {
            Some(FunctionKind::Action) => false,
            Some(FunctionKind::Query) => true,
            Some(FunctionKind::Mutation) if has_id => true,
            Some(FunctionKind::Mutation) => self.add_mutation_ids && add_mutation_id(parts),
            None => has_id,
        }
    }
}

/// A read that says so.
pub(crate) fn is_read(method: &Method, has_body: bool) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && !has_body
}

fn function_path(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Call {
        function_path: String,
    }
    serde_json::from_slice::<Call>(body).ok().map(|call| call.function_path)
}

/// 128 random bits; `false` where the system gives none.
fn add_mutation_id(parts: &mut Parts) -> bool {
    let mut random = [0_u8; 16];
    if getrandom::fill(&mut random).is_err() {
        return false;
    }
    match HeaderValue::from_str(&BASE64_URL_SAFE_NO_PAD.encode(random)) {
        Ok(value) => {
            parts.headers.insert(MUTATION_ID, value);
            true
        }
        Err(_) => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hyper::Request;

    use super::*;

    fn parts(id: Option<&str>) -> Parts {
        let mut request = Request::post(RPC_PATH);
        if let Some(id) = id {
            request = request.header(MUTATION_ID, id);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn rules() -> RetryRules {
        let rules = RetryRules::new(true);
        rules.set_functions(Arc::new(BTreeMap::from([
            ("a:query".to_owned(), FunctionKind::Query),
            ("a:mutation".to_owned(), FunctionKind::Mutation),
            ("a:action".to_owned(), FunctionKind::Action),
        ])));
        rules
    }

    #[test]
    fn actions_are_never_repeated_and_unknown_paths_only_with_an_id() {
        let call = |path: &str, id: Option<&str>| {
            let mut parts = parts(id);
            let repeatable = rules().admit_call(
                &mut parts,
                format!("{{\"functionPath\":\"{path}\",\"args\":{{}}}}").as_bytes(),
            );
            (repeatable, parts.headers.contains_key(MUTATION_ID))
        };
        assert_eq!(call("a:query", None), (true, false));
        assert_eq!(call("a:mutation", None), (true, true));
        assert_eq!(call("a:mutation", Some("m1")), (true, true));
        assert_eq!(call("a:action", None), (false, false));
        assert_eq!(call("a:action", Some("m1")), (false, true));
        assert_eq!(call("b:other", None), (false, false));
        assert_eq!(call("b:other", Some("m1")), (true, true));
    }

    #[test]
    fn an_id_of_the_client_is_kept_and_added_ones_differ() {
        let body = br#"{"args":{"functionPath":"a:action"},"functionPath":"a:mutation"}"#;
        let mut given = parts(Some("m1"));
        assert!(rules().admit_call(&mut given, body));
        assert_eq!(given.headers[MUTATION_ID], "m1");
        let (mut one, mut two) = (parts(None), parts(None));
        assert!(rules().admit_call(&mut one, body) && rules().admit_call(&mut two, body));
        assert_ne!(one.headers[MUTATION_ID], two.headers[MUTATION_ID]);
    }

    #[test]
    fn what_is_no_call_is_not_repeated() {
        for body in [&b""[..], b"{", b"[]", b"{\"functionPath\":1}", b"\xff"] {
            assert!(!rules().admit_call(&mut parts(None), body));
        }
    }

    #[test]
    fn reads() {
        assert!(is_read(&Method::GET, false) && is_read(&Method::HEAD, false));
        assert!(!is_read(&Method::GET, true) && !is_read(&Method::PUT, false) && !is_read(&Method::DELETE, false));
    }
}
