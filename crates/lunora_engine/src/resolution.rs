//! Where an import leads: to a file of the app, to an npm package, or to workerd itself.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oxc_resolver::{AliasValue, ResolveOptions, Resolver, TsconfigDiscovery};

/// Package export conditions of code that runs in workerd, in order.
const CONDITIONS: &[&str] = &["workerd", "worker", "browser", "module", "import", "default"];

/// What an import specifier stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A source file of the app.
    File(PathBuf),
    /// An npm package, bundled beforehand.
    Package,
    /// Provided by workerd.
    Runtime,
    /// Nothing was found; the text says what the resolver tried.
    Missing(String),
}

/// An alias, as the bundler's `resolve.alias` has it.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Alias {
    /// What is replaced.
    pub find: String,
    /// By what.
    pub replacement: String,
}

/// Resolves imports of app modules and remembers the answers.
pub struct ImportResolver {
    resolver: Resolver,
    known: Mutex<KnownTargets>,
}

/// Answers by importing folder and specifier.
type KnownTargets = HashMap<(Arc<Path>, Box<str>), Target>;

fn is_runtime(specifier: &str) -> bool {
    ["cloudflare:", "node:", "workerd:"]
        .iter()
        .any(|prefix| specifier.starts_with(prefix))
}

fn is_relative(specifier: &str) -> bool {
    specifier.starts_with("./")
        || specifier.starts_with("../")
        || specifier == "."
        || specifier == ".."
        || specifier.starts_with('/')
}

impl ImportResolver {
    /// A resolver for a project.
    #[must_use]
    pub fn new(tsconfig: Option<&Path>, aliases: &[Alias]) -> Self {
        let options = ResolveOptions {
            alias: aliases
                .iter()
                .map(|alias| (alias.find.clone(), vec![AliasValue::Path(alias.replacement.clone())]))
                .collect(),
            condition_names: CONDITIONS.iter().map(ToString::to_string).collect(),
            extensions: [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".json"]
                .iter()
                .map(ToString::to_string)
                .collect(),
            extension_alias: vec![
                (
                    ".js".to_owned(),
                    vec![".ts".to_owned(), ".tsx".to_owned(), ".js".to_owned(), ".jsx".to_owned()],
                ),
                (".mjs".to_owned(), vec![".mts".to_owned(), ".mjs".to_owned()]),
            ],
            main_fields: vec!["module".to_owned(), "main".to_owned()],
            tsconfig: tsconfig.map(|file| {
                TsconfigDiscovery::Manual(oxc_resolver::TsconfigOptions {
                    config_file: file.to_path_buf(),
                    references: oxc_resolver::TsconfigReferences::Auto,
                })
            }),
            ..ResolveOptions::default()
        };
        Self {
            resolver: Resolver::new(options),
            known: Mutex::new(HashMap::new()),
        }
    }

    /// Where `specifier` leads when a file in `folder` imports it.
    #[must_use]
    pub fn resolve(&self, folder: &Arc<Path>, specifier: &str) -> Target {
        if is_runtime(specifier) {
            return Target::Runtime;
        }
        let key = (folder.clone(), Box::from(specifier));
        let known = |map: &KnownTargets| map.get(&key).cloned();
        if let Some(target) = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner)) {
            return target;
        }
        let target = self.look_up(folder, specifier);
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, target.clone());
        target
    }

    fn look_up(&self, folder: &Path, specifier: &str) -> Target {
        match self.resolver.resolve(folder, specifier) {
            Ok(found) => {
                let path = found.full_path();
                // A linked workspace package resolves to its real place outside `node_modules`, but it is
                // still a package: what counts is how it was asked for.
                let by_path = is_relative(specifier) || self.is_aliased(folder, specifier, &path);
                if by_path && !path.components().any(|part| part.as_os_str() == "node_modules") {
                    Target::File(path)
                } else {
                    Target::Package
                }
            }
            Err(oxc_resolver::ResolveError::Builtin { .. }) => Target::Runtime,
            Err(error) => Target::Missing(error.to_string()),
        }
    }

    /// Whether a bare specifier led to the app's own files through an alias or `tsconfig` paths.
    fn is_aliased(&self, folder: &Path, specifier: &str, path: &Path) -> bool {
        let package = if specifier.starts_with('@') {
            specifier.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")
        } else {
            specifier.split('/').next().unwrap_or(specifier).to_owned()
        };
        !folder
            .ancestors()
            .any(|ancestor| ancestor.join("node_modules").join(&package).exists())
            && path.exists()
    }

    /// Forgets everything: files were added or removed, or a configuration changed.
    pub fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.resolver.clear_cache();
    }
}
