//! An app on disk.

use camino::Utf8PathBuf;

use crate::{Lockfile, PackageFacts};

/// An app on disk: a folder with a `package.json` and a folder of functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder with the `package.json`, absolute.
    pub root: Utf8PathBuf,
    /// The folder of schema and functions, absolute.
    pub lunora_dir: Utf8PathBuf,
    /// The same, relative to the root, with `/`.
    pub directory: String,
    /// What the `package.json` says.
    pub package: PackageFacts,
    /// `vite.config.*` in the root.
    pub vite_config: Option<Utf8PathBuf>,
    /// The `tsconfig.json` that holds for the functions: beside them, else in the root.
    pub tsconfig: Option<Utf8PathBuf>,
    /// The lock file of the package manager, in the root or above it.
    pub lockfile: Option<Lockfile>,
}

impl Project {
    /// Where generated files go.
    #[must_use]
    pub fn generated_dir(&self) -> Utf8PathBuf {
        self.lunora_dir.join("_generated")
    }

    /// A name that Cloudflare takes for a Worker, from the package's name or else the folder's:
    /// lower-case letters, digits and dashes, at most 63 of them.
    #[must_use]
    pub fn worker_name(&self) -> String {
        let package = self.package.name.as_deref().map(|name| match name.split_once('/') {
            Some((_scope, name)) => name,
            None => name,
        });
        package
            .and_then(legal_worker_name)
            .or_else(|| self.root.file_name().and_then(legal_worker_name))
            .unwrap_or_else(|| "lunora-app".to_owned())
    }
}

fn legal_worker_name(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            'a'..='z' | '0'..='9' => name.push(character),
            'A'..='Z' => name.push(character.to_ascii_lowercase()),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.truncate(63);
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::legal_worker_name;

    #[test]
    fn worker_names_are_legal() {
        for (text, expected) in [
            ("chat", Some("chat")),
            ("My App_2", Some("my-app-2")),
            ("--x--", Some("x")),
            ("日本", None),
            ("", None),
        ] {
            assert_eq!(legal_worker_name(text).as_deref(), expected, "{text}");
        }
        let long = "a-".repeat(60);
        assert!(legal_worker_name(&long).is_some_and(|name| name.len() <= 63 && name.ends_with('a')));
    }
}
