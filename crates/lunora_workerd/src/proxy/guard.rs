//! Who may talk to a development server.
//!
//! It listens on loopback only, yet any page in the developer's browser can reach loopback. Two
//! checks keep such pages out. `Host`: a page of `evil.test` whose DNS answer turns into 127.0.0.1
//! (rebinding) is of the same origin as the server for the browser, but still says `evil.test`.
//! `Origin`: a page may open a WebSocket to, or post a form at, any server without asking first; the
//! browser then says whose page it is.

use std::sync::{PoisonError, RwLock};

use hyper::Method;
use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::uri::Authority;

/// Why a request is turned away.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The `Host` header, or what there is instead of exactly one.
    Host(String),
    Origin(String),
}

/// The checks of one server.
#[derive(Debug)]
pub(crate) struct Guard {
    port: u16,
    /// Everybody may.
    open: bool,
    allowed: RwLock<Vec<String>>,
}

impl Guard {
    /// `allowed` names further hosts: `app.test` on any port, `app.test:5173` on that one.
    pub(crate) fn new(port: u16, allowed: Vec<String>) -> Self {
        let guard = Self {
            port,
            open: false,
            allowed: RwLock::default(),
        };
        guard.set_allowed(allowed);
        guard
    }

    /// Lets everybody in: a server that is meant to be reached, where the app's own rules decide.
    pub(crate) fn open(port: u16) -> Self {
        Self {
            port,
            open: true,
            allowed: RwLock::default(),
        }
    }

    pub(crate) fn set_allowed(&self, allowed: Vec<String>) {
        *self.allowed.write().unwrap_or_else(PoisonError::into_inner) =
            allowed.into_iter().map(|host| host.to_ascii_lowercase()).collect();
    }

    pub(crate) fn check(
        &self,
        method: &Method,
        target: Option<&Authority>,
        headers: &HeaderMap,
        upgrade: bool,
    ) -> Result<(), Rejection> {
        if self.open {
            return Ok(());
        }
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.as_bytes(),
            (None, _) => return Err(Rejection::Host("(none)".to_owned())),
            (Some(_), Some(_)) => return Err(Rejection::Host("(several)".to_owned())),
        };
        if !self.host_is_allowed(host) {
            return Err(Rejection::Host(String::from_utf8_lossy(host).into_owned()));
        }
        // `GET http://other/ HTTP/1.1` names a host as well, which would win over the header.
        if let Some(target) = target
            && !self.host_is_allowed(target.as_str().as_bytes())
        {
            return Err(Rejection::Host(target.as_str().to_owned()));
        }
        let harmless = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) && !upgrade;
        if !harmless
            && let Some(origin) = headers
                .get_all(ORIGIN)
                .iter()
                .find(|origin| !self.origin_is_allowed(origin.as_bytes()))
        {
            return Err(Rejection::Origin(
                String::from_utf8_lossy(origin.as_bytes()).into_owned(),
            ));
        }
        Ok(())
    }

    fn host_is_allowed(&self, host: &[u8]) -> bool {
        let Ok(host) = std::str::from_utf8(host) else {
            return false;
        };
        let host = host.to_ascii_lowercase();
        let Some((name, port)) = split_port(&host) else {
            return false;
        };
        let ours = port == Some(self.port) || (port.is_none() && self.port == 80);
        (ours && matches!(name, "127.0.0.1" | "localhost" | "[::1]")) || self.is_listed(&host, name)
    }

    /// Pages of this machine, on whichever port a development server gave them, and of listed hosts.
    fn origin_is_allowed(&self, origin: &[u8]) -> bool {
        let Ok(origin) = std::str::from_utf8(origin) else {
            return false;
        };
        let origin = origin.to_ascii_lowercase();
        let Some(host) = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
        else {
            return false;
        };
        let Some((name, _)) = split_port(host) else {
            return false;
        };
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
            || name.ends_with(".localhost")
            || self.is_listed(host, name)
    }

    fn is_listed(&self, host: &str, name: &str) -> bool {
        let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        allowed.iter().any(|entry| entry == host || entry == name)
    }
}

/// `name:port` in its parts; `None` for what is no host at all.
fn split_port(host: &str) -> Option<(&str, Option<u16>)> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            (&host[..end], &host[end..])
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        None if port.is_empty() => None,
        _ => return None,
    };
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte));
    plain.then_some((name, port))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn guard() -> Guard {
        Guard::new(4000, vec!["App.test".to_owned(), "vite.test:5173".to_owned()])
    }

    fn headers(pairs: &[(hyper::header::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap()))
            .collect()
    }

    #[test]
    fn hosts() {
        for host in [
            "127.0.0.1:4000",
            "localhost:4000",
            "LOCALHOST:4000",
            "[::1]:4000",
            "app.test",
            "app.test:99",
            "vite.test:5173",
        ] {
            assert_eq!(
                guard().check(&Method::GET, None, &headers(&[(HOST, host)]), false),
                Ok(()),
                "{host}"
            );
        }
        for host in [
            "",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:4001",
            "evil.test",
            "evil.test:4000",
            "localhost.evil.test:4000",
            "127.0.0.1.evil.test:4000",
            "localhost:4000@evil.test",
            "localhost:4000.",
            "localhost.:4000",
            "localhost:04000x",
            "[::1]:4001",
            "[::1",
            "[::1]4000",
            "::1:4000",
            "0.0.0.0:4000",
            "127.1:4000",
            "2130706433:4000",
            "vite.test:5174",
            "vite.test",
            "xapp.test",
            "app.test.",
            "app.test:",
            "app.test:-1",
            "app.test:99999",
            "localhost:4000:4000",
            " localhost:4000",
            "localhost:4000 ",
            "localhost\t:4000",
            "localhost:4000/..",
            "localhost:4000#",
            "ｌocalhost:4000",
        ] {
            let outcome = guard().check(&Method::GET, None, &headers(&[(HOST, host)]), false);
            assert!(matches!(outcome, Err(Rejection::Host(_))), "{host}");
        }
    }

    #[test]
    fn exactly_one_host_and_no_other_in_the_target() {
        let none = guard().check(&Method::GET, None, &HeaderMap::new(), false);
        assert!(matches!(none, Err(Rejection::Host(_))));
        let mut two = headers(&[(HOST, "localhost:4000")]);
        two.append(HOST, HeaderValue::from_static("localhost:4000"));
        assert!(matches!(
            guard().check(&Method::GET, None, &two, false),
            Err(Rejection::Host(_))
        ));
        let target = "evil.test:4000".parse::<Authority>().unwrap();
        let one = headers(&[(HOST, "localhost:4000")]);
        assert!(matches!(
            guard().check(&Method::GET, Some(&target), &one, false),
            Err(Rejection::Host(_))
        ));
    }

    #[test]
    fn origins_matter_for_writes_and_upgrades() {
        let check = |method: &Method, origin: &str, upgrade: bool| {
            guard()
                .check(
                    method,
                    None,
                    &headers(&[(HOST, "localhost:4000"), (ORIGIN, origin)]),
                    upgrade,
                )
                .is_ok()
        };
        for origin in [
            "http://localhost:5173",
            "http://127.0.0.1:1",
            "https://localhost",
            "http://[::1]:3",
            "http://app.localhost:1",
            "https://app.test",
            "https://vite.test:5173",
        ] {
            assert!(check(&Method::POST, origin, false), "{origin}");
            assert!(check(&Method::GET, origin, true), "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://evil.test",
            "http://localhost.evil.test",
            "http://evillocalhost",
            "file://localhost",
            "http://localhost@evil.test",
            "http://localhost:5173/path",
            "localhost:5173",
            "http://",
            "http://vite.test:1",
            "http://evil.test#localhost",
            "http://127.0.0.1.nip.io",
        ] {
            assert!(!check(&Method::POST, origin, false), "{origin}");
            assert!(!check(&Method::GET, origin, true), "{origin}");
            assert!(check(&Method::GET, origin, false), "{origin}");
        }
    }
}
