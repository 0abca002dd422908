//! Where a server is.

use std::fmt;

use url::Url;

use crate::error::ClientError;

/// A host and port that speak plain HTTP: on this machine, or behind something that ends TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    authority: String,
}

impl ServerAddress {
    /// From `http://host[:port]`; a path is not looked at.
    ///
    /// # Errors
    /// For another scheme, `https` among them, and for an address without a host.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let refused = || ClientError::Address(text.to_owned());
        let url = Url::parse(text).map_err(|_| refused())?;
        if url.scheme() != "http" || !url.username().is_empty() {
            return Err(refused());
        }
        let host = url.host_str().ok_or_else(refused)?;
        let port = url.port_or_known_default().ok_or_else(refused)?;
        Ok(Self {
            authority: format!("{host}:{port}"),
        })
    }

    /// `host:port`, to connect to and for the `host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The address of the socket of a shard.
    pub(crate) fn socket(&self, shard: &str) -> String {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("shard", shard)
            .finish();
        format!("ws://{}/_lunora/ws?{query}", self.authority)
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn hosts_and_ports() {
        for (text, authority) in [
            ("http://127.0.0.1:8787", "127.0.0.1:8787"),
            ("http://localhost/", "localhost:80"),
            ("http://[::1]:5173/app", "[::1]:5173"),
        ] {
            assert_eq!(ServerAddress::parse(text).unwrap().authority(), authority);
        }
        let address = ServerAddress::parse("http://a:1").unwrap();
        assert_eq!(
            address.socket("channelId=a%2Fb"),
            "ws://a:1/_lunora/ws?shard=channelId%3Da%252Fb"
        );
    }

    #[test]
    fn what_is_no_such_address_is_refused() {
        for text in [
            "",
            "127.0.0.1:8787",
            "https://a",
            "ws://a",
            "http://",
            "http://user@a",
            "file:///a",
        ] {
            assert_eq!(ServerAddress::parse(text).unwrap_err().code(), "BAD_REQUEST", "{text}");
        }
    }
}
