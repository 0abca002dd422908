//! Versions of programs, compared with those that are known to work.

use std::path::Path;

/// `major.minor.patch`; what stands behind is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub u32, pub u32, pub u32);

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let plain = text.split(['-', '+']).next()?;
        let mut parts = plain.split('.').map(str::parse::<u32>);
        let version = Self(parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        parts.next().is_none().then_some(version)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The version of a package as the app's own code would find it.
pub(super) fn installed(root: &Path, name: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        version: String,
    }
    root.ancestors().find_map(|folder| {
        let manifest = folder.join("node_modules").join(name).join("package.json");
        let text = std::fs::read_to_string(manifest).ok()?;
        serde_json::from_str::<Manifest>(&text)
            .ok()
            .map(|manifest| manifest.version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(Version::parse("v20.19.0"), Some(Version(20, 19, 0)));
        assert_eq!(Version::parse("8.0.0-beta.1"), Some(Version(8, 0, 0)));
        for text in ["", "8", "8.1", "8.1.x", "1.2.3.4", "latest"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        assert!(Version(20, 9, 0) < Version(20, 19, 0) && Version(22, 0, 0) > Version(20, 19, 5));
    }
}
