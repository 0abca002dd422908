//! Where Durable Objects can be pinned to.

/// The jurisdictions that the platform knows, as `DurableObjectJurisdiction` of `@cloudflare/workers-types` names them.
///
/// The TypeScript side has the same list in `npm/server/src/jurisdiction.ts`; `tests/fixtures/jurisdictions.json` holds
/// the two equal.
pub const JURISDICTIONS: &[&str] = &["eu", "us", "fedramp", "fedramp-high"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

    #[test]
    fn the_list_is_the_one_that_typescript_has() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/jurisdictions.json");
        let listed: Vec<String> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(super::JURISDICTIONS, listed);
    }
}
