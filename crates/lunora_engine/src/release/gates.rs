//! The gates, one after the other; all of them are asked before anything is said.

use std::path::PathBuf;

use lunora_config::Project;
use lunora_diagnostics::{Diagnostic, SourceFiles, codes};
use lunora_ir::Application;
use lunora_ir::drift::{Drift, Snapshot, Stranded, runbook, stranded_text};

use super::baseline::Baseline;
use super::receipt::{Covering, Place, Receipts};
use super::report::{Gate, GateState, ReleaseReport};
use crate::build::wanted;
use crate::codegen::{CodegenFailure, stale};
use crate::pipeline::{Output, Pipeline};
use crate::settings::{discover, with_configuration};

/// Where the bundler writes the worker, below the project.
const WORKER_FILE: &str = "dist/worker/worker.js";
/// Where the bundler writes the client, below the project, when there is a page.
const CLIENT_DIRECTORY: &str = "dist/client";

/// What is asked of the gates.
#[derive(Debug, Clone)]
pub struct ReleaseOptions {
    /// A folder in or below the project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    pub lunora_directory: Option<String>,
    /// Breaking drift does not stop this run.
    pub allow_schema_drift: bool,
    /// The schema at hand becomes the baseline, which drift then does not stop.
    pub update_schema_baseline: bool,
    /// A change of the jurisdiction needs no export.
    pub strand_data: bool,
    /// Whether committed generated files have to be up to date, and whether a first baseline, or one that is asked
    /// for, is written now. A deployment generates anew and writes the baseline when it has succeeded.
    pub rehearsal: bool,
    /// Where the deployed app answers, for the printed steps.
    pub url: Option<String>,
    /// What the deployed app says of itself, where it could be asked: it knows better than the baseline where the data
    /// is.
    pub deployed: Option<Deployed>,
    /// Epoch milliseconds.
    pub now: u64,
}

/// What a deployed app says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// Where its objects are.
    pub jurisdiction: Option<String>,
    /// How many there are, when all of them were counted.
    pub shards: Option<u64>,
}

/// The report as it grows.
struct Asked {
    report: ReleaseReport,
    covering: Option<Covering>,
    /// Further hosts under which the app is reached.
    hosts: Vec<String>,
}

impl Asked {
    fn of(project: &Project) -> Self {
        Self {
            report: ReleaseReport {
                root: project.root.as_std_path().to_path_buf(),
                lunora_directory: project.directory.clone(),
                gates: Vec::new(),
                drift: Drift::default(),
                baseline_file: String::new(),
                baseline_written: false,
                runbook: None,
                wrangler_changes: Vec::new(),
                schema_version: String::new(),
                snapshot: String::new(),
                receipt: None,
                vite_config: project
                    .vite_config
                    .as_ref()
                    .map(|file| file.as_std_path().to_path_buf()),
                stops: Vec::new(),
                warnings: Vec::new(),
                sources: SourceFiles::default(),
            },
            covering: None,
            hosts: Vec::new(),
        }
    }

    /// Compares two schemas and asks the two gates that depend on it.
    fn compare(
        &mut self,
        project: &Project,
        (before, current): (&Snapshot, &Snapshot),
        application: &Application,
        options: &ReleaseOptions,
    ) -> Result<(), Diagnostic> {
        self.report.drift = Drift::between(before, current, &application.migrations);
        self.schema(options);
        let worker = project.worker_name();
        self.jurisdiction(Some(before), current, options, (&application.schema_file, &worker))
    }

    fn gate(&mut self, name: &'static str, state: GateState, detail: impl Into<String>) {
        let detail = detail.into();
        self.report.gates.push(Gate { name, state, detail });
    }

    fn generated(&mut self, project: &Project, files: &[lunora_codegen::GeneratedFile]) -> Result<(), Diagnostic> {
        let folder = project.generated_dir();
        if !folder.is_dir() {
            self.gate("generated", GateState::Passed, "not on disk; the build writes it");
            return Ok(());
        }
        let found = lunora_codegen::check_generated(folder.as_std_path(), files)?;
        if found.is_empty() {
            self.gate("generated", GateState::Passed, "up to date");
        } else {
            let detail = format!("{} not what the sources generate", counted(found.len(), "file"));
            self.gate("generated", GateState::Stopped, detail);
            let stops = found.iter().map(|entry| stale(&entry.path, &entry.reason));
            self.report.stops.extend(stops);
        }
        Ok(())
    }

    fn schema(&mut self, options: &ReleaseOptions) {
        let blocking: Vec<_> = self.report.drift.blocking().cloned().collect();
        let total = self.report.drift.changes.len();
        let breaking = self.report.drift.changes.iter().filter(|entry| entry.breaking).count();
        if blocking.is_empty() {
            let detail = match (total, breaking) {
                (0, _) => "as the baseline".to_owned(),
                (total, 0) => format!("{total} safe since the baseline"),
                (total, breaking) => format!(
                    "{} safe and {breaking} breaking since the baseline, each of these covered by a new migration",
                    total - breaking
                ),
            };
            self.gate("schema", GateState::Passed, detail);
            return;
        }
        let overridden = options.allow_schema_drift || options.update_schema_baseline;
        let detail = format!("{} breaking since the baseline", blocking.len());
        if overridden {
            self.gate("schema", GateState::Overridden, detail);
            return;
        }
        self.gate("schema", GateState::Stopped, detail);
        for entry in blocking {
            let help = if entry.change.kind.is_migratable() {
                let table = entry.change.table.as_deref().unwrap_or_default();
                format!(
                    "Write a new `defineMigration` for `{table}` that brings its rows to the new form, take the change back, or state --allow-schema-drift."
                )
            } else {
                "Take the change back, or state --allow-schema-drift to go on knowingly.".to_owned()
            };
            self.report
                .stops
                .push(Diagnostic::error(codes::SCHEMA_DRIFT, entry.change.message()).with_help(help));
        }
    }

    /// `before` is none where nothing was deployed as far as this project knows.
    fn jurisdiction(
        &mut self,
        before: Option<&Snapshot>,
        current: &Snapshot,
        options: &ReleaseOptions,
        place: (&str, &str),
    ) -> Result<(), Diagnostic> {
        let mut baseline = before.unwrap_or(current).clone();
        if let Some(deployed) = &options.deployed {
            baseline.jurisdiction.clone_from(&deployed.jurisdiction);
        }
        if baseline.jurisdiction == current.jurisdiction {
            return Ok(());
        }
        let baseline = &baseline;
        let (schema_file, worker) = place;
        let url = options
            .url
            .clone()
            .unwrap_or_else(|| format!("https://{worker}.YOUR-SUBDOMAIN.workers.dev"));
        let steps = runbook(baseline, current, &url, schema_file);
        let place = Place {
            url: options.url.as_deref(),
            hosts: &self.hosts,
        };
        let receipts = Receipts::look(&self.report.root, baseline, place, options.now)?;
        let mut stranded = Stranded::of(baseline);
        stranded.shards = options.deployed.as_ref().and_then(|deployed| deployed.shards);
        if let Some(covering) = receipts.covering {
            for (table, count) in &mut stranded.rows {
                *count = covering.rows.get(table).copied();
            }
            let name = covering
                .path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let detail = format!("the export of `{name}` covers what is {}", stranded_text(&stranded));
            self.gate("jurisdiction", GateState::Passed, detail);
            self.covering = Some(covering);
        } else if options.strand_data {
            let detail = format!("no export; {}", stranded_text(&stranded));
            self.gate("jurisdiction", GateState::Overridden, detail);
        } else {
            let refused: String = receipts.refused.iter().map(|why| format!("; {why}")).collect();
            self.gate("jurisdiction", GateState::Stopped, "no export covers the move");
            self.report.stops.push(
                Diagnostic::error(
                    codes::JURISDICTION_STRANDS_DATA,
                    format!(
                        "the jurisdiction changes from {} to {}, and no export covers what would be {}{refused}",
                        baseline.jurisdiction.as_deref().unwrap_or("(none)"),
                        current.jurisdiction.as_deref().unwrap_or("(none)"),
                        stranded_text(&stranded)
                    ),
                )
                .with_help(format!(
                    "Move the data along, or state --strand-data to leave it behind for good:\n\n{steps}"
                )),
            );
        }
        self.report.runbook = Some(steps);
        Ok(())
    }

    fn wrangler(&mut self, project: &Project, application: &Application) -> Result<(), Box<CodegenFailure>> {
        let client = project.root.join("index.html").is_file();
        let wanted = wanted(
            project,
            application,
            WORKER_FILE.to_owned(),
            client.then(|| CLIENT_DIRECTORY.to_owned()),
        );
        let plan = lunora_config::plan_wrangler(&project.root, &wanted).map_err(|error| {
            let diagnostics = vec![error];
            let sources = with_configuration(SourceFiles::default(), project.root.as_std_path(), &diagnostics);
            Box::new(CodegenFailure { diagnostics, sources })
        })?;
        let name = plan.path.file_name().unwrap_or("wrangler.jsonc").to_owned();
        let detail = match (plan.created, plan.changes.len()) {
            (true, _) => format!("the build creates `{name}`"),
            (false, 0) => format!("`{name}` has what the app needs"),
            (false, count) => format!("the build makes {} to `{name}`", counted(count, "change")),
        };
        self.gate("wrangler", GateState::Passed, detail);
        self.report.wrangler_changes = plan.changes.into_iter().map(|change| change.description).collect();
        let sources = std::mem::take(&mut self.report.sources);
        self.report.sources = with_configuration(sources, project.root.as_std_path(), &plan.warnings);
        self.report.warnings.extend(plan.warnings);
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn encoded(snapshot: &Snapshot) -> Result<String, Diagnostic> {
    snapshot.to_text().map_err(|error| {
        Diagnostic::error(
            codes::INTERNAL,
            format!("the schema's snapshot could not be written: {error}"),
        )
        .with_help("This is a defect of Lunora.")
    })
}

/// What keeps a build from running on data that was written with the schema `before`; when nothing does, the receipt that
/// covers a move. The app is also reached under `hosts`.
pub(crate) fn judged(
    project: &Project,
    before: &Snapshot,
    current: &Snapshot,
    application: &Application,
    (options, hosts): (&ReleaseOptions, &[String]),
) -> Result<Option<PathBuf>, Vec<Diagnostic>> {
    let mut asked = Asked::of(project);
    asked.hosts = hosts.to_vec();
    asked
        .compare(project, (before, current), application, options)
        .map_err(|error| vec![error])?;
    let stops = asked.report.stops;
    if stops.is_empty() {
        Ok(asked.covering.map(|covering| covering.path))
    } else {
        Err(stops)
    }
}

/// Asks every gate. What stops a deployment is in the report; nothing has been shipped.
///
/// # Errors
/// Every error in the sources, in the wrangler configuration or in the baseline: without them the gates cannot tell.
pub fn release_gates(options: &ReleaseOptions) -> Result<ReleaseReport, Box<CodegenFailure>> {
    let boxed = |error: Diagnostic| Box::new(CodegenFailure::from(error));
    let project = discover(&options.root, options.lunora_directory.as_deref()).map_err(boxed)?;
    let mut pipeline = Pipeline::open(project.clone(), Output::Worker, &[]).map_err(boxed)?;
    let outcome = pipeline.rehearse();
    let mut sources = pipeline.sources().named_by(match &outcome {
        Ok((_, _, diagnostics)) | Err(diagnostics) => diagnostics,
    });
    let (application, files, warnings) = match outcome {
        Ok(outcome) => outcome,
        Err(diagnostics) => return Err(Box::new(CodegenFailure { diagnostics, sources })),
    };
    let baseline = Baseline::read(&project).map_err(boxed)?;
    let before = match baseline.snapshot(&mut sources) {
        Ok(before) => before,
        Err(error) => {
            let diagnostics = vec![error];
            return Err(Box::new(CodegenFailure { diagnostics, sources }));
        }
    };
    let regions = lunora_config::read_wrangler(&project.root).map_err(boxed)?.regions;
    let current = Snapshot::of(&application, &regions);
    let snapshot = encoded(&current).map_err(boxed)?;
    let mut asked = Asked::of(&project);
    asked.report.baseline_file.clone_from(&baseline.name);
    asked.report.schema_version = current.schema_version();
    asked.report.snapshot = snapshot;
    asked.report.warnings = warnings;
    asked.report.sources = sources;
    let detail = format!(
        "{}, {}",
        counted(application.tables.len(), "table"),
        counted(application.functions.len(), "function")
    );
    asked.gate("sources", GateState::Passed, detail);
    if options.rehearsal {
        asked.generated(&project, &files).map_err(boxed)?;
    }
    match &before {
        Some(before) => {
            asked
                .compare(&project, (before, &current), &application, options)
                .map_err(boxed)?;
        }
        None => {
            asked.gate("schema", GateState::Passed, "no baseline yet; nothing to compare with");
            let worker = project.worker_name();
            asked
                .jurisdiction(None, &current, options, (&application.schema_file, &worker))
                .map_err(boxed)?;
        }
    }
    asked.wrangler(&project, &application)?;
    let mut report = asked.report;
    // One of a server on this machine is left for that server, whose data are yet to move: `lunora start` uses it up.
    report.receipt = asked
        .covering
        .filter(|covering| !covering.is_local)
        .map(|covering| covering.path);
    let wanted = before.is_none() || options.update_schema_baseline;
    if options.rehearsal && wanted && report.stops.is_empty() {
        baseline.write(&report.snapshot).map_err(boxed)?;
        report.baseline_written = true;
    }
    Ok(report)
}
