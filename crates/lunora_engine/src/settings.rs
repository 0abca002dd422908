//! What the project's own configuration says about the development worker.

use std::path::Path;

use camino::Utf8Path;
use lunora_config::{DiscoverOptions, Project, SendEmail};
use lunora_diagnostics::{Diagnostic, SourceFiles, Sources as _, codes};

use lunora_workerd::EmailBinding;

use crate::worker::WorkerSettings;

/// Finds the project around `start`.
///
/// # Errors
/// When there is none, or its path is not UTF-8.
pub fn discover(start: &Path, lunora_directory: Option<&str>) -> Result<Project, Diagnostic> {
    let start = Utf8Path::from_path(start).ok_or_else(|| {
        Diagnostic::error(
            codes::PATH_NOT_UTF8,
            format!("the path `{}` is not UTF-8", start.display()),
        )
        .with_help("Move the project to a path that is.")
    })?;
    Project::discover(
        start,
        &DiscoverOptions {
            root: None,
            lunora_dir: lunora_directory.map(str::to_owned),
        },
    )
}

/// Adds the texts of the project's own configuration files that findings point into.
#[must_use]
pub fn with_configuration(mut sources: SourceFiles, root: &Path, findings: &[Diagnostic]) -> SourceFiles {
    for label in findings.iter().flat_map(|finding| &finding.labels) {
        let is_in_root = !label.file.contains(['/', '\\']);
        if is_in_root
            && sources.source(&label.file).is_none()
            && let Ok(text) = std::fs::read_to_string(root.join(&label.file))
        {
            sources.insert(label.file.clone(), text);
        }
    }
    sources
}

fn email_binding(found: SendEmail) -> EmailBinding {
    EmailBinding {
        name: found.name,
        destination: found.destination,
        allowed_destinations: found.allowed_destinations,
        allowed_senders: found.allowed_senders,
    }
}

/// Bindings and compatibility of the development worker, from the wrangler configuration and `.dev.vars`.
///
/// # Errors
/// When one of them is there and cannot be understood.
pub fn development_settings(project: &Project) -> Result<(WorkerSettings, Vec<Diagnostic>), Vec<Diagnostic>> {
    let wrangler = lunora_config::read_wrangler(&project.root).map_err(|error| vec![error])?;
    let variables = lunora_config::load_development_variables(project, None)?;
    Ok((
        WorkerSettings {
            compatibility_date: wrangler.compatibility_date,
            compatibility_flags: wrangler.compatibility_flags,
            variables: wrangler.variables,
            secrets: variables.variables.into_iter().collect(),
            databases: wrangler.databases,
            email_bindings: wrangler.send_email.into_iter().map(email_binding).collect(),
        },
        variables.warnings,
    ))
}
