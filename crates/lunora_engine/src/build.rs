//! What a production build needs before the bundler runs.

use std::path::PathBuf;

use lunora_config::{Project, Wanted, WantedDatabase, WantedObject};
use lunora_diagnostics::{RenderOptions, SourceFiles};
use lunora_ir::Application;
use serde::Serialize;

use crate::codegen::{CodegenFailure, CodegenReport, codegen_to};
use crate::databases::GLOBAL_BINDING;
use crate::options::{BuildOptions, CodegenOptions};
use crate::pipeline::Output;
use crate::production::BuildManifest;
use crate::settings::{discover, with_configuration};

/// What the bundler starts from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildPreparation {
    /// What code generation did.
    #[serde(flatten)]
    pub report: CodegenReport,
    /// The worker's entry, absolute.
    pub entry: PathBuf,
    /// The wrangler configuration, absolute.
    pub wrangler_file: PathBuf,
    /// What was done to it.
    pub wrangler_changes: Vec<String>,
    /// What stands beside the worker in `lunora.json`, so that serving it needs no source.
    pub manifest: String,
}

/// What the app needs of its wrangler configuration. The files are those that the bundler writes, below the project.
pub(crate) fn wanted(
    project: &Project,
    application: &Application,
    worker_file: String,
    client_directory: Option<String>,
) -> Wanted {
    let global = WantedDatabase {
        binding: GLOBAL_BINDING.to_owned(),
        name: project.worker_name(),
    };
    Wanted {
        name: Some(project.worker_name()),
        main: Some(worker_file),
        compatibility_date: lunora_config::DEFAULT_COMPATIBILITY_DATE.to_owned(),
        minimum_compatibility_date: lunora_config::MINIMUM_COMPATIBILITY_DATE.to_owned(),
        compatibility_flags: Vec::new(),
        client_directory,
        crons: application.cron_triggers(),
        durable_objects: application
            .object_classes()
            .iter()
            .map(|class| WantedObject {
                binding: class.binding.to_owned(),
                class_name: class.class_name.to_owned(),
            })
            .collect(),
        databases: application.has_global_tables().then_some(global).into_iter().collect(),
    }
}

/// Runs code generation and brings the wrangler configuration up to date, keeping every byte that is the
/// developer's.
///
/// # Errors
/// Every error in the sources, or a wrangler configuration that cannot be read or written.
pub fn prepare_build(options: &BuildOptions) -> Result<BuildPreparation, Box<CodegenFailure>> {
    let boxed = |error| Box::new(CodegenFailure::from(error));
    // The worker's modules are collected too, so that an import that leads nowhere is told with its place.
    let mut report = codegen_to(
        &CodegenOptions {
            root: options.root.clone(),
            lunora_directory: options.lunora_directory.clone(),
            color: options.color,
            check: false,
        },
        Output::Worker,
    )?;
    let project = discover(&options.root, options.lunora_directory.as_deref()).map_err(boxed)?;
    let regions = lunora_config::read_wrangler(&project.root).map_err(boxed)?.regions;
    let wanted = wanted(
        &project,
        &report.application,
        options.worker_file.clone(),
        options.client_directory.clone(),
    );
    let manifest = BuildManifest::of(&report.application, &regions, options.client_directory.clone())
        .to_text()
        .map_err(boxed)?;
    let update = lunora_config::update_wrangler(&project.root, &wanted).map_err(|error| {
        let diagnostics = vec![error];
        let sources = with_configuration(SourceFiles::default(), project.root.as_std_path(), &diagnostics);
        Box::new(CodegenFailure { diagnostics, sources })
    })?;
    let mut changes: Vec<String> = update.changes.into_iter().map(|change| change.description).collect();
    if update.created {
        changes.push("created, with what this app needs to be deployed".to_owned());
    }
    let render = RenderOptions {
        color: options.color,
        ..RenderOptions::default()
    };
    let sources = with_configuration(SourceFiles::default(), project.root.as_std_path(), &update.warnings);
    for warning in &update.warnings {
        report.diagnostics.push(lunora_diagnostics::to_json(warning, &sources));
        report
            .rendered
            .push_str(&lunora_diagnostics::render_text(warning, &sources, &render));
    }
    Ok(BuildPreparation {
        entry: project.generated_dir().join("worker.ts").into_std_path_buf(),
        wrangler_file: update.path.into_std_path_buf(),
        wrangler_changes: changes,
        manifest,
        report,
    })
}
