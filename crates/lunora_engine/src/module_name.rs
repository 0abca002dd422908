//! Names of modules inside the development worker.
//!
//! A module is named by its path below the project root, so that stack traces and imports read as the
//! sources do. What lies outside the root and what comes from npm packages gets a folder of its own.

use std::path::{Component, Path};

/// The folder of bundled npm packages.
pub const DEPENDENCIES: &str = "__dependencies__";

/// Stands for one `..` in the name of a file outside the project root.
const UP: &str = "__up__";

/// The module name of a file.
#[must_use]
pub fn module_name(root: &Path, file: &Path) -> String {
    let mut base = root.components().peekable();
    let mut path = file.components().peekable();
    while let (Some(left), Some(right)) = (base.peek(), path.peek()) {
        if left != right {
            break;
        }
        base.next();
        path.next();
    }
    let up = base.map(|_| UP.to_owned());
    let down = path.filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The file name of a bundled npm specifier: readable, and unique through a hash.
#[must_use]
pub fn dependency_file(specifier: &str) -> String {
    let readable: String = specifier
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    let hash = blake3::hash(specifier.as_bytes()).to_hex();
    format!("{}_{}.js", readable.trim_matches('_'), &hash[..8])
}

/// How module `from` imports module `to`: always relative, always starting with a dot.
#[must_use]
pub fn relative_specifier(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let folder = &from[..from.len().saturating_sub(1)];
    let shared = folder
        .iter()
        .zip(&to[..to.len().saturating_sub(1)])
        .take_while(|(left, right)| left == right)
        .count();
    let mut parts = vec![".."; folder.len() - shared];
    if parts.is_empty() {
        parts.push(".");
    }
    parts.extend(&to[shared..]);
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_files_below_and_outside_the_root() {
        let root = Path::new("/app/web");
        assert_eq!(module_name(root, Path::new("/app/web/lunora/a.ts")), "lunora/a.ts");
        assert_eq!(module_name(root, Path::new("/app/shared/b.ts")), "__up__/shared/b.ts");
        assert_eq!(module_name(root, Path::new("/other/c.ts")), "__up__/__up__/other/c.ts");
    }

    #[test]
    fn relative_specifiers_start_with_a_dot() {
        assert_eq!(relative_specifier("lunora/a.ts", "lunora/b.ts"), "./b.ts");
        assert_eq!(relative_specifier("lunora/x/a.ts", "lunora/b.ts"), "../b.ts");
        assert_eq!(relative_specifier("lunora/a.ts", "lunora/x/b.ts"), "./x/b.ts");
        assert_eq!(
            relative_specifier("lunora/_generated/worker.ts", "__dependencies__/p.js"),
            "../../__dependencies__/p.js"
        );
        assert_eq!(relative_specifier("a.ts", "b.ts"), "./b.ts");
        assert_eq!(relative_specifier("a/b", "a"), "../a");
    }

    #[test]
    fn dependency_files_differ_where_their_readable_part_does_not() {
        assert_eq!(dependency_file("a/b").split('_').next(), Some("a"));
        assert_ne!(dependency_file("a/b"), dependency_file("a_b"));
        assert!(dependency_file("@lunora/do").starts_with("lunora_do_"));
    }
}
