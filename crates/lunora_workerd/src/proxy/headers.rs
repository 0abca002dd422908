//! Headers that concern one hop only (RFC 9110, 7.6.1).

use hyper::header::{CONNECTION, EXPECT, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Whether the other side asks to speak something else on this connection.
pub(crate) fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE) && connection_options(headers).iter().any(|option| option == "upgrade")
}

/// Whether what it asks for is WebSocket.
pub(crate) fn is_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(UPGRADE).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    })
}

fn connection_options(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|option| String::from_utf8_lossy(option.trim_ascii()).to_ascii_lowercase())
        .collect()
}

/// Removes what was meant for us. With `upgrade` the request for it is passed on.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap, upgrade: bool) {
    for option in connection_options(headers) {
        // `Connection: host` must not be able to remove what the request cannot do without.
        let essential = [
            "host",
            "content-length",
            "close",
            "keep-alive",
            "upgrade",
            "origin",
            "authorization",
        ];
        if !essential.contains(&option.as_str())
            && let Ok(name) = HeaderName::from_bytes(option.as_bytes())
        {
            headers.remove(name);
        }
    }
    // `Expect` is answered on this hop: hyper says 100 when the body is first asked for.
    for name in [KEEP_ALIVE, PROXY_CONNECTION, TE, TRAILER, TRANSFER_ENCODING, EXPECT] {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
    if upgrade {
        headers.insert(CONNECTION, hyper::header::HeaderValue::from_static("Upgrade"));
    } else {
        headers.remove(UPGRADE);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_the_connection_header_names_goes_but_not_what_is_needed() {
        let mut found = headers(&[
            ("connection", "X-One, close"),
            ("connection", "host, authorization"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("host", "localhost"),
            ("authorization", "Bearer a"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
        ]);
        strip_hop_by_hop(&mut found, false);
        let mut names: Vec<&str> = found.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "host", "x-two"]);
    }

    #[test]
    fn an_upgrade_needs_both_headers() {
        assert!(wants_upgrade(&headers(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket")
        ])));
        assert!(!wants_upgrade(&headers(&[("upgrade", "websocket")])));
        assert!(!wants_upgrade(&headers(&[("connection", "upgrade")])));
        assert!(is_websocket(&headers(&[("upgrade", "h2c, WebSocket")])));
        assert!(!is_websocket(&headers(&[("upgrade", "websockets")])));
    }
}
