//! Bindings and compatibility of the production worker.

use std::collections::BTreeMap;

use lunora_config::Project;
use lunora_diagnostics::{Diagnostic, codes};

use crate::worker::WorkerSettings;

/// Names that belong to the worker wherever they come from: our own switches, but not the toolchain's.
fn is_ours(name: &str) -> bool {
    name.starts_with("LUNORA_") && name != "LUNORA_WORKERD"
}

/// From the wrangler configuration and the `.env` files; what `environment` has of the same names wins. Nothing else
/// of the environment reaches the worker, but for names that begin with `LUNORA_` and those in `secrets`.
///
/// # Errors
/// When a file cannot be understood, or a secret that is named is not there.
pub(super) fn production_settings(
    project: &Project,
    secrets: &[String],
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(WorkerSettings, Vec<Diagnostic>), Vec<Diagnostic>> {
    let wrangler = lunora_config::read_wrangler(&project.root).map_err(|error| vec![error])?;
    let files = lunora_config::load_production_variables(project)?;
    let mut variables = wrangler.variables;
    let mut found: BTreeMap<String, String> = files.variables.into_iter().collect();
    for (name, value) in environment {
        if found.contains_key(&name) || secrets.contains(&name) || is_ours(&name) {
            found.insert(name, value);
        } else if let Some(variable) = variables.get_mut(&name) {
            *variable = serde_json::Value::String(value);
        }
    }
    let missing: Vec<Diagnostic> = secrets
        .iter()
        .filter(|name| !found.contains_key(*name))
        .map(|name| {
            Diagnostic::error(
                codes::ENVIRONMENT_VARIABLE_MISSING,
                format!("`--secrets` names `{name}`, and neither the environment nor `.env` has it"),
            )
            .with_help(format!("Set `{name}`, or do not name it."))
        })
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let settings = WorkerSettings {
        compatibility_date: wrangler.compatibility_date,
        compatibility_flags: wrangler.compatibility_flags,
        variables,
        secrets: found,
        databases: wrangler.databases,
        // A production server on this machine sends no mail by bindings.
        email_bindings: Vec::new(),
    };
    Ok((settings, files.warnings))
}
