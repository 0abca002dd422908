//! The variables and secrets a Worker gets in development.

use camino::Utf8PathBuf;
use indexmap::IndexMap;
use lunora_diagnostics::{Diagnostic, Severity};

use crate::file_error::{FileAction, file_diagnostic};
use crate::{Project, parse_environment};

/// The variables and secrets a Worker gets in development.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DevelopmentVariables {
    /// Values by name.
    pub variables: IndexMap<String, String>,
    /// The files that were read, absolute.
    pub files: Vec<Utf8PathBuf>,
    /// Names given more than once within a file.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the files that wrangler reads in development: `.dev.vars.<environment>` where it exists,
/// else `.dev.vars`; and only without either, `.env`, `.env.<environment>`, `.env.local` and
/// `.env.<environment>.local`, a later one overriding an earlier.
///
/// # Errors
/// When a file cannot be read or has a line that is no assignment; all of them are reported.
pub fn load_development_variables(
    project: &Project,
    environment: Option<&str>,
) -> Result<DevelopmentVariables, Vec<Diagnostic>> {
    read(project, file_names(project, environment))
}

/// Reads the files that `lunora start` reads: `.env`, `.env.local`, `.env.production` and `.env.production.local`, a
/// later one overriding an earlier. Files of development (`.dev.vars`) are not among them.
///
/// # Errors
/// As [`load_development_variables`].
pub fn load_production_variables(project: &Project) -> Result<DevelopmentVariables, Vec<Diagnostic>> {
    let names = [".env", ".env.local", ".env.production", ".env.production.local"];
    let present = names.into_iter().filter(|name| project.root.join(name).exists());
    read(project, present.map(str::to_owned).collect())
}

fn read(project: &Project, names: Vec<String>) -> Result<DevelopmentVariables, Vec<Diagnostic>> {
    let mut found = DevelopmentVariables::default();
    let mut errors = Vec::new();
    for name in names {
        let path = project.root.join(&name);
        let read = std::fs::read_to_string(&path)
            .map_err(|error| vec![file_diagnostic(FileAction::Read, path.as_std_path(), &error)])
            .and_then(|text| parse_environment(&name, &text));
        match read {
            Ok(file) => {
                found
                    .variables
                    .extend(file.entries.into_iter().map(|entry| (entry.key, entry.value)));
                found.warnings.extend(file.warnings);
            }
            Err(diagnostics) => errors.extend(diagnostics),
        }
        found.files.push(path);
    }
    debug_assert!(errors.iter().all(|error| error.severity == Severity::Error));
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

fn file_names(project: &Project, environment: Option<&str>) -> Vec<String> {
    let exists = |name: &String| project.root.join(name).exists();
    let specific = environment.map(|environment| format!(".dev.vars.{environment}"));
    if let Some(name) = specific.into_iter().chain([".dev.vars".to_owned()]).find(exists) {
        return vec![name];
    }
    let mut names = vec![".env".to_owned()];
    names.extend(environment.map(|environment| format!(".env.{environment}")));
    names.push(".env.local".to_owned());
    names.extend(environment.map(|environment| format!(".env.{environment}.local")));
    names.retain(exists);
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use camino::Utf8PathBuf;
    use lunora_diagnostics::codes;
    use lunora_testing::TempProject;

    use super::{load_development_variables, load_production_variables};
    use crate::{DiscoverOptions, Project};

    fn app<const N: usize>(files: [(&str, &str); N]) -> (TempProject, Project) {
        let temporary = TempProject::new([("package.json", "{}"), ("lunora/schema.ts", "")]);
        for (path, text) in files {
            temporary.write(path, text);
        }
        let root = Utf8PathBuf::from_path_buf(temporary.path(".")).unwrap();
        let project = Project::discover(&root, &DiscoverOptions::default()).unwrap();
        (temporary, project)
    }

    #[test]
    fn the_most_specific_file_counts_alone() {
        let (_kept, project) = app([(".dev.vars", "A=1\nB=1"), (".dev.vars.staging", "A=2"), (".env", "C=3")]);
        let found = load_development_variables(&project, Some("staging")).unwrap();
        assert_eq!(
            found.variables.into_iter().collect::<Vec<_>>(),
            [("A".to_owned(), "2".to_owned())]
        );
        let found = load_development_variables(&project, Some("other")).unwrap();
        assert_eq!(found.variables.len(), 2);
        assert_eq!(found.files.len(), 1);
    }

    #[test]
    fn the_env_family_is_layered() {
        let (_kept, project) = app([
            (".env", "A=1\nB=1\nC=1"),
            (".env.x", "B=2"),
            (".env.local", "C=3"),
            (".env.x.local", "D=4"),
        ]);
        let found = load_development_variables(&project, Some("x")).unwrap();
        let values: Vec<_> = found.variables.values().map(String::as_str).collect();
        assert_eq!(values, ["1", "2", "3", "4"]);
        let plain = load_development_variables(&project, None).unwrap();
        assert_eq!(plain.variables.get("B").map(String::as_str), Some("1"));
    }

    #[test]
    fn production_reads_nothing_of_development() {
        let (_kept, project) = app([(".dev.vars", "A=1"), (".env", "B=1\nC=1"), (".env.production", "C=2")]);
        let found = load_production_variables(&project).unwrap();
        let values: Vec<_> = found
            .variables
            .iter()
            .map(|(name, value)| format!("{name}{value}"))
            .collect();
        assert_eq!(values, ["B1", "C2"]);
    }

    #[test]
    fn none_is_fine_and_a_broken_one_is_not() {
        let (temporary, project) = app([]);
        assert!(load_development_variables(&project, None).unwrap().files.is_empty());
        temporary.write(".dev.vars", "oops");
        let errors = load_development_variables(&project, None).unwrap_err();
        assert_eq!(errors.first().unwrap().code, codes::ENVIRONMENT_SYNTAX);
        temporary.remove(".dev.vars");
        temporary.write(".dev.vars/inside", "");
        let errors = load_development_variables(&project, None).unwrap_err();
        assert_eq!(errors.first().unwrap().code, codes::PATH_NOT_A_FILE);
    }
}
