//! The app's source files, as they were last read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lunora_diagnostics::{Diagnostic, SourceFiles, Span, codes};
use lunora_parse::SourceText;
use rayon::prelude::*;

use crate::module_name::module_name;

const EXTENSIONS: &[&str] = &["ts", "tsx", "mts", "js", "jsx", "mjs", "json"];

/// Files below the project, by module name. Cheap to clone: texts are shared.
#[derive(Debug, Clone, Default)]
pub struct SourceSet {
    files: BTreeMap<Arc<str>, SourceText>,
}

/// Whether a file below the app's folder takes part: source code, and neither generated, a test nor a declaration.
#[must_use]
pub fn is_source(relative: &Path) -> bool {
    let Some(name) = relative.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let extension = relative.extension().and_then(|extension| extension.to_str());
    let is_test = [".test.", ".spec.", ".d."].iter().any(|part| name.contains(part));
    let in_skipped_folder = relative.components().any(|part| {
        matches!(
            part.as_os_str().to_str(),
            Some("_generated" | "__tests__" | "node_modules")
        )
    });
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
        && !is_test
        && !in_skipped_folder
        && !name.starts_with('.')
}

fn unreadable(root: &Path, file: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        codes::SOURCE_UNREADABLE,
        format!("`{}` could not be read: {error}", module_name(root, file)),
    )
    .with_help("Make it a readable text file in UTF-8, or remove it.")
}

fn folder_unreadable(folder: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        codes::SOURCE_UNREADABLE,
        format!("the folder `{}` could not be read: {error}", folder.display()),
    )
    .with_help("Create it with a `schema.ts`, or name another folder with --lunora-dir.")
}

/// Reads a file; `None` when it is not there (any more).
///
/// # Errors
/// When it is there and cannot be read as UTF-8 text.
fn read(root: &Path, file: &Path) -> Result<Option<SourceText>, Diagnostic> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(SourceText {
            path: module_name(root, file).into(),
            text: text.into(),
        })),
        // A folder is looked into when the sources are read; it is no source itself.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => Ok(None),
        Err(error) => Err(unreadable(root, file, &error)),
    }
}

/// How often and how long a file that is suddenly empty is looked at again before it is believed.
const EMPTY_FILE_LOOKS: u32 = 8;
const EMPTY_FILE_WAIT: Duration = Duration::from_millis(10);

/// Reads a file that changed. Many editors save by emptying a file and then writing it; a look between the
/// two finds nothing, and a worker without the file's functions would be served. So a file that had a text
/// gets a moment to have one again.
fn read_settled(root: &Path, file: &Path, had_text: bool) -> Result<Option<SourceText>, Diagnostic> {
    let mut found = read(root, file)?;
    for _ in 0..EMPTY_FILE_LOOKS {
        if !had_text || !found.as_ref().is_some_and(|source| source.text.is_empty()) {
            break;
        }
        std::thread::sleep(EMPTY_FILE_WAIT);
        found = read(root, file)?;
    }
    Ok(found)
}

fn collect(
    folder: &Path,
    base: &Path,
    found: &mut Vec<PathBuf>,
    seen: &mut BTreeSet<PathBuf>,
) -> Result<(), Diagnostic> {
    // A link that leads back up would never end.
    let real = folder
        .canonicalize()
        .map_err(|error| folder_unreadable(folder, &error))?;
    if !seen.insert(real) {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(|error| folder_unreadable(folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| folder_unreadable(folder, &error))?;
        let path = entry.path();
        let relative = path.strip_prefix(base).unwrap_or(&path);
        // What the folder says of its entries costs nothing; only links have to be looked at.
        let is_folder = match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            _ => path.is_dir(),
        };
        if is_folder {
            if !matches!(
                path.file_name().and_then(|name| name.to_str()),
                Some("_generated" | "__tests__" | "node_modules")
            ) {
                collect(&path, base, found, seen)?;
            }
        } else if is_source(relative) {
            found.push(path);
        }
    }
    Ok(())
}

impl SourceSet {
    /// Reads every source below `folder`, in parallel.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be read.
    pub fn read(root: &Path, folder: &Path) -> Result<Self, Diagnostic> {
        let mut paths = Vec::new();
        collect(folder, folder, &mut paths, &mut BTreeSet::new())?;
        let texts: Vec<Option<SourceText>> = paths
            .par_iter()
            .map(|path| read(root, path))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            files: texts
                .into_iter()
                .flatten()
                .map(|text| (text.path.clone(), text))
                .collect(),
        })
    }

    /// Reads one file again. Returns whether its text differs from what was known.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn reread(&mut self, root: &Path, file: &Path) -> Result<bool, Diagnostic> {
        let name: Arc<str> = module_name(root, file).into();
        let had_text = self.files.get(&name).is_some_and(|known| !known.text.is_empty());
        match read_settled(root, file, had_text)? {
            Some(text) => Ok(self.insert(text)),
            None => Ok(self.files.remove(&name).is_some()),
        }
    }

    /// Adds or replaces a file. Returns whether its text differs from what was known.
    pub fn insert(&mut self, text: SourceText) -> bool {
        if self.files.get(&text.path).is_some_and(|known| known.text == text.text) {
            return false;
        }
        self.files.insert(text.path.clone(), text);
        true
    }

    /// Removes every file below a module name prefix that `keep` does not name.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.files.retain(|name, _| keep(name));
    }

    /// Whether the file is known.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The file.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SourceText> {
        self.files.get(name)
    }

    /// All files, by name.
    pub fn iter(&self) -> impl Iterator<Item = &SourceText> {
        self.files.values()
    }
}

impl SourceSet {
    /// The span of the word at a line and column (from 1, UTF-16 code units) of a file.
    #[must_use]
    pub fn span_at(&self, file: &str, line: u32, column: u32) -> Option<Span> {
        let text = &*self.files.get(file)?.text;
        let mut start = 0;
        for _ in 1..line {
            start += text.get(start..)?.find('\n')? + 1;
        }
        let rest = text.get(start..)?;
        let mut units = column.checked_sub(1)?;
        let offset = rest
            .char_indices()
            .find_map(|(at, character)| {
                if units == 0 {
                    return Some(at);
                }
                units = units.saturating_sub(u32::try_from(character.len_utf16()).unwrap_or(1));
                None
            })
            .unwrap_or(rest.len());
        let word = rest
            .get(offset..)?
            .find(|character: char| !character.is_alphanumeric() && character != '_')
            .unwrap_or(0);
        Some(Span {
            start: u32::try_from(start + offset).ok()?,
            end: u32::try_from(start + offset + word.max(1)).ok()?,
        })
    }

    /// The files that these findings point into, ready for a renderer.
    #[must_use]
    pub fn named_by(&self, findings: &[Diagnostic]) -> SourceFiles {
        let mut files = SourceFiles::default();
        let names: BTreeSet<&str> = findings
            .iter()
            .flat_map(|finding| &finding.labels)
            .map(|label| label.file.as_str())
            .collect();
        for name in names {
            if let Some(source) = self.files.get(name) {
                files.insert(&*source.path, &*source.text);
            }
        }
        files
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn finds_the_word_at_a_line_and_column() {
        let mut sources = SourceSet::default();
        sources.insert(SourceText {
            path: "a.ts".into(),
            text: "one\n😀 throw x;\n".into(),
        });
        assert_eq!(sources.span_at("a.ts", 2, 4), Some(Span { start: 9, end: 14 }));
        assert_eq!(sources.span_at("a.ts", 1, 1), Some(Span { start: 0, end: 3 }));
        assert_eq!(sources.span_at("a.ts", 9, 1), None);
        assert_eq!(sources.span_at("b.ts", 1, 1), None);
    }

    #[test]
    fn a_file_that_is_being_saved_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.ts");
        std::fs::write(&file, "one").unwrap();
        let mut sources = SourceSet::default();
        assert!(sources.reread(folder.path(), &file).unwrap());
        std::fs::write(&file, "").unwrap();
        let saved = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                sources.reread(folder.path(), &file).unwrap();
                sources.get("a.ts").map(|source| source.text.to_string())
            });
            std::thread::sleep(Duration::from_millis(25));
            std::fs::write(&file, "two").unwrap();
            reader.join().unwrap()
        });
        assert_eq!(saved.as_deref(), Some("two"));
        std::fs::write(&file, "").unwrap();
        assert!(
            sources.reread(folder.path(), &file).unwrap(),
            "a file that stays empty is empty"
        );
    }

    #[test]
    fn knows_sources_from_what_only_lies_beside_them() {
        for name in ["a.ts", "x/b.tsx", "c.mjs", "data.json"] {
            assert!(is_source(Path::new(name)), "{name}");
        }
        for name in [
            "a.test.ts",
            "_generated/api.ts",
            "x.d.ts",
            ".hidden.ts",
            "notes.md",
            "__tests__/a.ts",
        ] {
            assert!(!is_source(Path::new(name)), "{name}");
        }
    }
}
