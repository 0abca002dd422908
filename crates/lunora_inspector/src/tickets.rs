//! Admission to one path, for what can carry no header.
//!
//! The sandboxed frame that shows a mail loads its document by itself, and a frame sends no `authorization`. Its address
//! therefore carries a ticket: a keyed hash of exactly that path, which nobody makes without the key. It opens nothing else,
//! and is of no use to a page of another site, whose requests are refused before tickets are looked at.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// How the query of a path with a ticket begins.
const QUERY: &str = "ticket=";

/// Makes and checks tickets of one run.
#[derive(Clone)]
pub struct Tickets([u8; 32]);

impl fmt::Debug for Tickets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tickets(<secret>)")
    }
}

impl Tickets {
    /// Tickets under a secret of the run.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(blake3::derive_key(
            "lunora inspector 2026 tickets of paths",
            secret.as_bytes(),
        ))
    }

    /// The path of a mail's document, with its ticket.
    #[must_use]
    pub fn path_of_mail(&self, id: &str) -> String {
        let path = format!("/api/mail/{id}/html");
        let ticket = self.ticket(&path);
        format!("{path}?{QUERY}{ticket}")
    }

    /// Whether the query admits to the path.
    #[must_use]
    pub fn admits(&self, path: &str, query: Option<&str>) -> bool {
        let id = path
            .strip_prefix("/api/mail/")
            .and_then(|rest| rest.strip_suffix("/html"));
        let is_mail =
            id.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let given = query.and_then(|query| query.strip_prefix(QUERY)).unwrap_or_default();
        let given = given.split_once('&').map_or(given, |(ticket, _)| ticket);
        is_mail && bool::from(self.ticket(path).as_bytes().ct_eq(given.as_bytes()))
    }

    fn ticket(&self, path: &str) -> String {
        blake3::keyed_hash(&self.0, path.as_bytes()).to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_its_own_path_alone() {
        let tickets = Tickets::new("secret");
        let address = tickets.path_of_mail("a1");
        let Some((path, query)) = address.split_once('?') else {
            return assert_eq!(address, "a path with a query");
        };
        assert!(tickets.admits(path, Some(query)));
        assert!(tickets.admits(path, Some(&format!("{query}&remote=1"))));
        for other in [
            "/api/mail/a2/html",
            "/api/mail/a1/raw",
            "/api/mail/a1",
            "/api/status",
            "/api/mail//html",
        ] {
            assert!(!tickets.admits(other, Some(query)), "{other}");
        }
        // Not even a right hash of another path would do.
        for other in ["/api/status", "/api/mail/a/b/html", "/api/mail/a/../html"] {
            let query = format!("ticket={}", tickets.ticket(other));
            assert!(!tickets.admits(other, Some(&query)), "{other}");
        }
        let mut wrong = vec![
            String::new(),
            "ticket=".to_owned(),
            format!("x&{query}"),
            format!("{query}0"),
        ];
        wrong.push(query[..query.len() - 1].to_owned());
        wrong.push(query.to_ascii_uppercase());
        for query in wrong {
            assert!(!tickets.admits(path, Some(&query)), "{query}");
        }
        assert!(!tickets.admits(path, None));
        assert!(!Tickets::new("other").admits(path, Some(query)));
    }
}
