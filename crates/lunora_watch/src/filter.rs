//! Which paths count.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use lunora_diagnostics::{Diagnostic, codes};

use crate::options::WatchOptions;
use crate::temporary_file::is_temporary;

/// The roots and single files, and what in the roots does not count.
#[derive(Debug)]
pub(crate) struct Filter {
    pub roots: Vec<PathBuf>,
    pub files: Vec<PathBuf>,
    ignored: GlobSet,
}

impl Filter {
    pub(crate) fn new(roots: Vec<PathBuf>, options: &WatchOptions) -> Result<Self, Diagnostic> {
        let invalid = |pattern: &str, error: &globset::Error| {
            Diagnostic::error(
                codes::WATCH_IGNORE_INVALID,
                format!("The ignore pattern `{pattern}` is not a glob: {}.", error.kind()),
            )
        };
        let mut builder = GlobSetBuilder::new();
        for pattern in &options.ignore {
            let trimmed = pattern.trim_end_matches('/');
            let anchored = if trimmed.contains('/') {
                trimmed.trim_start_matches('/').to_owned()
            } else {
                format!("**/{trimmed}")
            };
            let glob = GlobBuilder::new(&anchored)
                .literal_separator(true)
                .build()
                .map_err(|error| invalid(pattern, &error))?;
            builder.add(glob);
        }
        let ignored = builder.build().map_err(|error| invalid("(all together)", &error))?;
        Ok(Self {
            roots,
            files: options.files.clone(),
            ignored,
        })
    }

    /// Whether `path` is one of the single files, or lies in a root and neither it nor a directory above
    /// it is ignored.
    pub(crate) fn counts(&self, path: &Path) -> bool {
        let inside = |root: &PathBuf| {
            path.strip_prefix(root)
                .is_ok_and(|relative| self.counts_inside(relative))
        };
        self.files.iter().any(|file| file == path) || self.roots.iter().any(inside)
    }

    fn counts_inside(&self, relative: &Path) -> bool {
        let named = relative
            .file_name()
            .is_none_or(|name| !is_temporary(&name.to_string_lossy()));
        named
            && relative
                .ancestors()
                .all(|part| part.as_os_str().is_empty() || !self.ignored.is_match(part))
    }

    pub(crate) fn is_root(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| root == path)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filter(ignore: &[&str]) -> Filter {
        let options = WatchOptions {
            ignore: ignore.iter().map(|one| (*one).to_owned()).collect(),
            files: vec!["/app/wrangler.jsonc".into()],
            ..WatchOptions::default()
        };
        Filter::new(vec!["/app/lunora".into()], &options).unwrap()
    }

    #[test]
    fn ignored_at_every_depth_or_anchored() {
        let filter = filter(&["_generated", "vendor/*.js", "/out/"]);
        for path in [
            "/app/lunora/a.ts",
            "/app/lunora/vendor/deep/x.js",
            "/app/lunora/b/out/x.ts",
            "/app/lunora",
            "/app/wrangler.jsonc",
        ] {
            assert!(filter.counts(Path::new(path)), "{path}");
        }
        for path in [
            "/app/lunora/_generated",
            "/app/lunora/_generated/api.ts",
            "/app/lunora/a/_generated/b/c.ts",
            "/app/lunora/vendor/x.js",
            "/app/lunora/out/x.ts",
            "/app/lunora/a.ts~",
            "/app/package.json",
            "/other/a.ts",
            "/app",
        ] {
            assert!(!filter.counts(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_pattern_that_is_no_glob_is_coded() {
        let options = WatchOptions {
            ignore: vec!["a[".to_owned()],
            ..WatchOptions::default()
        };
        assert_eq!(
            Filter::new(Vec::new(), &options).unwrap_err().code,
            codes::WATCH_IGNORE_INVALID
        );
    }
}
