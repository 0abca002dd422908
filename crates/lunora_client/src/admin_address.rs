//! Where admin routes are, over TLS or on this machine.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::error::ClientError;

/// The origin of a server whose admin routes are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminAddress {
    host: String,
    port: u16,
    is_secure: bool,
    is_local: bool,
}

impl AdminAddress {
    /// From `https://host[:port]`, or `http://` on this machine: the token would be readable on the way to any other.
    ///
    /// # Errors
    /// For anything else, and for an address with a name, a password, a path, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let refused = |why: &str| ClientError::AdminAddress(text.to_owned(), why.to_owned());
        let url = Url::parse(text).map_err(|_| refused("it is no URL"))?;
        let is_secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(refused("it begins neither with `https://` nor with `http://`")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("it has a name or a password in it"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(refused("it has more than a host and a port"));
        }
        let is_local = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => return Err(refused("it names no host")),
        };
        if !is_secure && !is_local {
            return Err(refused(
                "the admin token would be readable on its way: only this machine may be spoken to without TLS",
            ));
        }
        let host = url.host_str().ok_or_else(|| refused("it names no host"))?.to_owned();
        let port = url.port_or_known_default().ok_or_else(|| refused("it names no port"))?;
        Ok(Self {
            host,
            port,
            is_secure,
            is_local,
        })
    }

    /// `host:port`, to connect to and for the `host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host as a certificate names it: an IPv6 address without brackets.
    pub(crate) fn certificate_name(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.is_local
    }
}

impl fmt::Display for AdminAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.is_secure { ("https", 443) } else { ("http", 80) };
        write!(formatter, "{scheme}://{}", self.host)?;
        if self.port == usual {
            return Ok(());
        }
        write!(formatter, ":{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_is_an_address() {
        for (text, shown, is_local) in [
            ("https://app.example.com", "https://app.example.com", false),
            ("https://app.example.com:443/", "https://app.example.com", false),
            ("https://app.example.com:8443", "https://app.example.com:8443", false),
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787", true),
            ("http://localhost", "http://localhost", true),
            ("http://app.localhost:5173", "http://app.localhost:5173", true),
            ("http://[::1]:5173/", "http://[::1]:5173", true),
            ("https://[2001:db8::1]", "https://[2001:db8::1]", false),
        ] {
            let address = AdminAddress::parse(text).unwrap();
            assert_eq!((address.to_string(), address.is_local()), (shown.to_owned(), is_local));
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "app.example.com",
            "http://app.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "ws://127.0.0.1",
            "file:///etc/passwd",
            "https://name@app.example.com",
            "https://:password@app.example.com",
            "https://app.example.com/path",
            "https://app.example.com/?query",
            "https://app.example.com/#fragment",
            "https://",
        ] {
            assert_eq!(AdminAddress::parse(text).unwrap_err().code(), "BAD_REQUEST", "{text}");
        }
    }
}
