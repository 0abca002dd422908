//! Names of databases.

/// The request header that names the database.
pub const DATABASE_HEADER: &str = "x-lunora-d1-database";

const LONGEST: usize = 64;

/// Whether a database may have this name: 1 to 64 of the characters `A-Z a-z 0-9 _ -`. So a name is a file name in one
/// folder, whatever it says.
#[must_use]
pub fn is_database_name(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::is_database_name;

    #[test]
    fn names() {
        let longest = "a".repeat(64);
        for name in ["DB", "a", "-", "my_database-2", &longest] {
            assert!(is_database_name(name), "{name}");
        }
        let too_long = "a".repeat(65);
        for name in [
            "", ".", "..", "../a", "a/b", "a\\b", "a.b", "a b", "a\0", "ä", "%2e%2e", &too_long,
        ] {
            assert!(!is_database_name(name), "{name}");
        }
    }
}
