//! npm packages of the development worker: bundled once by the host's bundler, then reused until one of
//! the files that went in changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use lunora_diagnostics::{Diagnostic, codes};
use serde::{Deserialize, Serialize};

use crate::module_name::{DEPENDENCIES, dependency_file};

/// Raised when the layout of the cache changes, so that old entries are left alone.
const CACHE_VERSION: u32 = 2;

/// A file that went into the bundle, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Input {
    path: PathBuf,
    modified: u64,
    size: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    inputs: Vec<Input>,
    /// Names that each entry exports, by specifier.
    exports: BTreeMap<String, Vec<String>>,
}

/// What the host answered: the bundle lies in the folder it was given.
#[derive(Debug, Clone, Deserialize)]
pub struct BundledDependencies {
    /// The entry of each specifier.
    pub entries: BTreeMap<String, BundledEntry>,
    /// Every file that went in.
    pub inputs: Vec<PathBuf>,
}

/// One entry of the bundle.
#[derive(Debug, Clone, Deserialize)]
pub struct BundledEntry {
    /// What it exports.
    pub exports: Vec<String>,
}

/// One module of the bundle, ready for workerd.
#[derive(Debug, Clone)]
pub struct DependencyModule {
    /// Its name in the worker.
    pub name: String,
    /// Its text.
    pub body: Arc<str>,
}

/// The cache of one project.
#[derive(Debug)]
pub struct DependencyCache {
    folder: PathBuf,
}

fn state_of(path: &Path) -> Option<Input> {
    let metadata = std::fs::metadata(path).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Input {
        path: path.to_path_buf(),
        modified: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
        size: metadata.len(),
    })
}

fn failed(action: &str, path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        codes::CACHE_UNWRITABLE,
        format!("could not {action} `{}`: {error}", path.display()),
    )
    .with_help("Make the folder writable and free some space, or delete `.lunora/cache`; it is rebuilt.")
}

impl DependencyCache {
    /// The cache below `.lunora/cache` of the project.
    #[must_use]
    pub fn new(lunora_state: &Path) -> Self {
        Self {
            folder: lunora_state.join("cache").join("dependencies"),
        }
    }

    fn slot(&self, specifiers: &[String]) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&CACHE_VERSION.to_le_bytes());
        for specifier in specifiers {
            hasher.update(specifier.as_bytes());
            hasher.update(b"\0");
        }
        self.folder.join(&hasher.finalize().to_hex()[..16])
    }

    /// Whether what is cached for these specifiers (sorted) is whole, and nothing that went in changed.
    #[must_use]
    pub fn is_fresh(&self, specifiers: &[String]) -> bool {
        let slot = self.slot(specifiers);
        let manifest = std::fs::read_to_string(slot.join("manifest.json"))
            .ok()
            .and_then(|text| serde_json::from_str::<Manifest>(&text).ok());
        manifest.is_some_and(|manifest| {
            manifest
                .inputs
                .iter()
                .all(|input| state_of(&input.path).as_ref() == Some(input))
                && specifiers
                    .iter()
                    .all(|specifier| slot.join(dependency_file(specifier)).is_file())
        })
    }

    /// The modules for these specifiers (sorted), when they are there and fresh.
    #[must_use]
    pub fn load(&self, specifiers: &[String]) -> Option<Vec<DependencyModule>> {
        if self.is_fresh(specifiers) {
            read_modules(&self.slot(specifiers)).ok()
        } else {
            None
        }
    }

    /// A folder for the host to write into; it becomes the cached one by [`Self::store`].
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn stage(&self, specifiers: &[String]) -> Result<PathBuf, Diagnostic> {
        let staged = self
            .slot(specifiers)
            .with_extension(format!("{}.staged", std::process::id()));
        let _ = std::fs::remove_dir_all(&staged);
        std::fs::create_dir_all(&staged).map_err(|error| failed("create", &staged, &error))?;
        Ok(staged)
    }

    /// Takes what the host wrote.
    ///
    /// # Errors
    /// When the host left an entry out, or files cannot be moved or read.
    pub fn store(
        &self,
        specifiers: &[String],
        staged: &Path,
        bundled: &BundledDependencies,
    ) -> Result<Vec<DependencyModule>, Diagnostic> {
        if let Some(missing) = specifiers
            .iter()
            .find(|specifier| !bundled.entries.contains_key(*specifier))
        {
            return Err(Diagnostic::error(
                codes::DEPENDENCY_BUNDLE_FAILED,
                format!("the bundler answered without an entry for `{missing}`"),
            )
            .with_help("Check that the package is installed and can be imported from worker code."));
        }
        let manifest = Manifest {
            inputs: bundled.inputs.iter().filter_map(|path| state_of(path)).collect(),
            exports: bundled
                .entries
                .iter()
                .map(|(specifier, entry)| (specifier.clone(), entry.exports.clone()))
                .collect(),
        };
        let text = serde_json::to_string(&manifest).map_err(|error| {
            Diagnostic::error(
                codes::CACHE_UNWRITABLE,
                format!("the manifest could not be written: {error}"),
            )
        })?;
        let file = staged.join("manifest.json");
        std::fs::write(&file, text).map_err(|error| failed("write", &file, &error))?;
        let slot = self.slot(specifiers);
        if slot.exists() {
            std::fs::remove_dir_all(&slot).map_err(|error| failed("replace", &slot, &error))?;
        }
        std::fs::rename(staged, &slot).map_err(|error| failed("create", &slot, &error))?;
        read_modules(&slot).map_err(|error| failed("read", &slot, &error))
    }
}

fn read_modules(slot: &Path) -> std::io::Result<Vec<DependencyModule>> {
    let mut modules = Vec::new();
    for entry in std::fs::read_dir(slot)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.extension().is_some_and(|extension| extension == "js") {
            modules.push(DependencyModule {
                name: format!("{DEPENDENCIES}/{name}"),
                body: std::fs::read_to_string(&path)?.into(),
            });
        }
    }
    modules.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(modules)
}
