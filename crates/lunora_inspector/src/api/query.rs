//! Fields of a query, each at most once.

use axum::extract::Query;
use axum::http::Uri;

use crate::reply::{Refused, bad_request};
use crate::timeline::Filter;

/// Longest text of a field, characters.
const LONGEST: usize = 1_024;

/// The fields that a route takes.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the query of a route that takes the fields `known`.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Refused> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad_request("the query is not one of fields and texts"))?;
        for (at, (name, value)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(bad_request(format!("the query takes {}", known.join(", "))));
            }
            if pairs[..at].iter().any(|(other, _)| other == name) {
                return Err(bad_request(format!("`{name}` stands twice in the query")));
            }
            if value.chars().count() > LONGEST {
                return Err(bad_request(format!("`{name}` is longer than {LONGEST} characters")));
            }
        }
        Ok(Self(pairs))
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(other, _)| other == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// A whole number of at most `most`.
    pub(crate) fn number(&self, name: &str, most: u64) -> Result<Option<u64>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten();
        match number {
            Some(number) if number <= most => Ok(Some(number)),
            _ => Err(bad_request(format!("`{name}` has to be a whole number up to {most}"))),
        }
    }

    /// Types are separated by commas.
    pub(crate) fn filter(&self) -> Filter {
        let owned = |name: &str| self.text(name).map(str::to_owned);
        let types = self.text("type").into_iter().flat_map(|types| types.split(','));
        Filter {
            types: types
                .map(str::trim)
                .filter(|kind| !kind.is_empty())
                .map(str::to_owned)
                .collect(),
            object: owned("object"),
            call: owned("call"),
            socket: owned("socket"),
            search: self.text("search").map(str::to_lowercase),
            with_dropped: false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fields(query: &str) -> Result<Fields, Refused> {
        let uri: Uri = format!("/api/events?{query}").parse().unwrap();
        Fields::of(&uri, &["after", "type", "object"])
    }

    #[test]
    fn each_field_once_and_known() {
        let good = fields("after=12&type=call,%20poke,&object=rooms%3Aa%26b").unwrap();
        assert_eq!(good.number("after", 100).ok(), Some(Some(12)));
        let filter = good.filter();
        assert_eq!(filter.types, ["call", "poke"]);
        assert_eq!(filter.object.as_deref(), Some("rooms:a&b"));
        for bad in ["after=1&after=2", "other=1", "toString=1", "__proto__=1"] {
            assert!(fields(bad).is_err(), "{bad}");
        }
        assert!(fields(&format!("object={}", "x".repeat(2_000))).is_err());
        for bad in [
            "-1",
            "+1",
            "1e3",
            "0x1",
            "1.0",
            "18446744073709551616",
            "101",
            " 1",
            "٣",
        ] {
            let encoded: String = bad.bytes().map(|byte| format!("%{byte:02x}")).collect();
            assert!(
                fields(&format!("after={encoded}"))
                    .unwrap()
                    .number("after", 100)
                    .is_err(),
                "{bad}"
            );
        }
        assert_eq!(fields("after=").unwrap().number("after", 100).ok(), Some(None));
    }
}
