//! Ports of this machine.

use std::net::{Ipv4Addr, TcpListener};

/// Whether a server could listen on this port of `127.0.0.1` now.
#[must_use]
pub fn is_free_port(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_port_that_is_listened_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free_port(port));
        drop(listener);
        assert!(is_free_port(port));
    }
}
