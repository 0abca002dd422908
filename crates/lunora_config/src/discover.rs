//! Finding the app.

use camino::{Utf8Path, Utf8PathBuf};
use lunora_diagnostics::{Diagnostic, codes};

use crate::file_error::{FileAction, file_diagnostic, not_a_directory};
use crate::{Lockfile, PackageFacts, Project};

/// The folder of schema and functions unless stated.
const DEFAULT_DIRECTORY: &str = "lunora";

const VITE_CONFIGS: [&str; 6] = [
    "vite.config.ts",
    "vite.config.mts",
    "vite.config.js",
    "vite.config.mjs",
    "vite.config.cts",
    "vite.config.cjs",
];

/// What the user stated instead of leaving it to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiscoverOptions {
    /// The folder with the `package.json`, absolute or relative to the start; found by going up
    /// from the start when left out.
    pub root: Option<Utf8PathBuf>,
    /// The folder of schema and functions, relative to the root; `lunora` when left out.
    pub lunora_dir: Option<String>,
}

impl Project {
    /// Finds the app that a folder belongs to: the nearest one, going up, with a `package.json` and
    /// a `lunora` folder.
    ///
    /// # Errors
    /// When there is none (the help names what to create), or the `package.json` is broken.
    pub fn discover(start: &Utf8Path, options: &DiscoverOptions) -> Result<Self, Diagnostic> {
        let start = absolute(start)?;
        let directory = directory_name(options.lunora_dir.as_deref())?;
        let root = match &options.root {
            Some(root) => stated_root(&start.join(root), &directory)?,
            None => found_root(&start, &directory)?,
        };
        let lunora_dir = root.join(&directory);
        let first_file = |names: &[Utf8PathBuf]| names.iter().find(|path| path.is_file()).cloned();
        Ok(Self {
            package: PackageFacts::read(&root.join("package.json"))?,
            vite_config: first_file(&VITE_CONFIGS.map(|name| root.join(name))),
            tsconfig: first_file(&[lunora_dir.join("tsconfig.json"), root.join("tsconfig.json")]),
            lockfile: Lockfile::find(&root)?,
            lunora_dir,
            root,
            directory,
        })
    }
}

fn absolute(start: &Utf8Path) -> Result<Utf8PathBuf, Diagnostic> {
    let failed = |error| file_diagnostic(FileAction::Read, start.as_std_path(), &error);
    // Links are resolved, so that two ways to the same app are the same app.
    start.canonicalize_utf8().map_err(failed)
}

/// Normal form: `/` between the parts, none of them `.` or `..`, not absolute.
fn directory_name(stated: Option<&str>) -> Result<String, Diagnostic> {
    let stated = stated.unwrap_or(DEFAULT_DIRECTORY);
    let forward = stated.replace('\\', "/");
    let parts: Vec<&str> = forward
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.is_empty() || parts.contains(&"..") || Utf8Path::new(&forward).is_absolute() {
        return Err(Diagnostic::error(
            codes::LUNORA_DIRECTORY_MISSING,
            format!("`{stated}` cannot be the folder of the functions: it has to lie below the app's root"),
        )
        .with_help("State a path relative to the folder of `package.json`, such as `lunora`"));
    }
    Ok(parts.join("/"))
}

fn stated_root(root: &Utf8Path, directory: &str) -> Result<Utf8PathBuf, Diagnostic> {
    if !root.join("package.json").is_file() {
        return Err(package_json_missing(root));
    }
    if is_lunora_dir(root, directory)? {
        absolute(root)
    } else {
        Err(lunora_directory_missing(root, directory))
    }
}

fn found_root(start: &Utf8Path, directory: &str) -> Result<Utf8PathBuf, Diagnostic> {
    let mut nearest_package = None;
    for folder in start.ancestors() {
        if !folder.join("package.json").is_file() {
            continue;
        }
        if is_lunora_dir(folder, directory)? {
            return Ok(folder.to_owned());
        }
        nearest_package.get_or_insert(folder);
    }
    Err(match nearest_package {
        Some(folder) => lunora_directory_missing(folder, directory),
        None => package_json_missing(start),
    })
}

/// A file of that name is a mistake to name, not a folder to look for further up.
fn is_lunora_dir(root: &Utf8Path, directory: &str) -> Result<bool, Diagnostic> {
    let path = root.join(directory);
    if path.is_file() {
        return Err(not_a_directory(path.as_std_path()));
    }
    Ok(path.is_dir())
}

fn package_json_missing(folder: &Utf8Path) -> Diagnostic {
    Diagnostic::error(
        codes::PACKAGE_JSON_MISSING,
        format!("`{folder}` has no `package.json`, so it is not the root of an app"),
    )
    .with_help("Run this in the app's folder, state its root, or create one with `npm init`")
}

fn lunora_directory_missing(root: &Utf8Path, directory: &str) -> Diagnostic {
    Diagnostic::error(
        codes::LUNORA_DIRECTORY_MISSING,
        format!("`{root}` has no `{directory}` folder, so there is no schema and no function to serve"),
    )
    .with_help(format!(
        "Create `{directory}/schema.ts` with `export const schema = defineSchema({{}})`, or state another folder"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use camino::Utf8PathBuf;
    use lunora_diagnostics::{Diagnostic, codes};
    use lunora_testing::TempProject;

    use super::DiscoverOptions;
    use crate::Project;

    fn discover(project: &TempProject, start: &str, options: &DiscoverOptions) -> Result<Project, Diagnostic> {
        let start = Utf8PathBuf::from_path_buf(project.path(start)).unwrap();
        Project::discover(&start, options)
    }

    #[test]
    fn goes_up_to_the_nearest_app() {
        let project = TempProject::new([
            ("package-lock.json", "{}"),
            ("package.json", "{}"),
            (
                "apps/chat/package.json",
                r#"{"name":"@me/Chat App","devDependencies":{"lunorash":"1"}}"#,
            ),
            ("apps/chat/lunora/admin/users.ts", ""),
            ("apps/chat/vite.config.mts", ""),
            ("apps/chat/tsconfig.json", "{}"),
        ]);
        let found = discover(&project, "apps/chat/lunora/admin", &DiscoverOptions::default()).unwrap();
        let root = Utf8PathBuf::from_path_buf(project.path("apps/chat").canonicalize().unwrap()).unwrap();
        assert_eq!(found.root, root);
        assert_eq!(found.directory, "lunora");
        assert_eq!(found.lunora_dir, root.join("lunora"));
        assert_eq!(found.generated_dir(), root.join("lunora/_generated"));
        assert_eq!(found.worker_name(), "chat-app");
        assert!(found.package.depends_on_umbrella);
        assert_eq!(found.vite_config, Some(root.join("vite.config.mts")));
        assert_eq!(found.tsconfig, Some(root.join("tsconfig.json")));
        let lockfile = found.lockfile.unwrap();
        assert!(lockfile.path.ends_with("package-lock.json"));
        project.write("package-lock.json", "{\"changed\":1}");
        let again = discover(&project, "apps/chat", &DiscoverOptions::default()).unwrap();
        assert_ne!(again.lockfile.unwrap().hash, lockfile.hash);
    }

    #[test]
    fn what_is_stated_is_used() {
        let project = TempProject::new([
            ("package.json", "{}"),
            ("lunora/schema.ts", ""),
            ("app/package.json", "{}"),
            ("app/src/backend/schema.ts", ""),
            ("app/src/backend/tsconfig.json", "{}"),
        ]);
        let options = DiscoverOptions {
            root: Some("app".into()),
            lunora_dir: Some("./src/backend/".into()),
        };
        let found = discover(&project, ".", &options).unwrap();
        assert_eq!(found.directory, "src/backend");
        assert!(found.tsconfig.unwrap().ends_with("src/backend/tsconfig.json"));
        assert_eq!(found.vite_config, None);
    }

    #[test]
    fn each_missing_part_is_named() {
        let project = TempProject::new([("package.json", "{}"), ("src/a.ts", "")]);
        let diagnostic = discover(&project, "src", &DiscoverOptions::default()).unwrap_err();
        assert_eq!(diagnostic.code, codes::LUNORA_DIRECTORY_MISSING);
        assert!(diagnostic.help.unwrap().contains("lunora/schema.ts"));

        let options = DiscoverOptions {
            root: Some("src".into()),
            lunora_dir: None,
        };
        let diagnostic = discover(&project, ".", &options).unwrap_err();
        assert_eq!(diagnostic.code, codes::PACKAGE_JSON_MISSING);

        let options = DiscoverOptions {
            root: None,
            lunora_dir: Some("../up".into()),
        };
        let diagnostic = discover(&project, ".", &options).unwrap_err();
        assert_eq!(diagnostic.code, codes::LUNORA_DIRECTORY_MISSING);

        let diagnostic = discover(&project, "absent", &DiscoverOptions::default()).unwrap_err();
        assert_eq!(diagnostic.code, codes::FILE_READ_FAILED);

        project.write("lunora", "a file");
        let diagnostic = discover(&project, ".", &DiscoverOptions::default()).unwrap_err();
        assert_eq!(diagnostic.code, codes::PATH_NOT_A_DIRECTORY);
    }
}
