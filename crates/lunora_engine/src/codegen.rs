//! One run of code generation, as `lunora codegen` and `vite build` do it.

use std::path::PathBuf;
use std::time::Instant;

use lunora_codegen::{Scope, StaleReason};
use lunora_diagnostics::{Diagnostic, RenderOptions, SourceFiles, codes};
use lunora_ir::Application;
use serde::Serialize;

use crate::options::CodegenOptions;
use crate::pipeline::{Output, Pipeline};
use crate::settings::discover;

/// What a run did.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodegenReport {
    /// The project.
    pub root: PathBuf,
    /// Files of `_generated` that changed.
    pub written: Vec<String>,
    /// Files that are gone.
    pub removed: Vec<String>,
    /// Files that were as they should be.
    pub unchanged: usize,
    /// How many tables there are.
    pub tables: usize,
    /// How many functions there are.
    pub functions: usize,
    /// The app.
    #[serde(skip)]
    pub application: Application,
    /// Reading, linking and writing.
    pub milliseconds: f64,
    /// Warnings and advice.
    pub diagnostics: Vec<serde_json::Value>,
    /// The same as text.
    pub rendered: String,
}

/// Why a run failed: the errors, and the sources they point into.
#[derive(Debug)]
pub struct CodegenFailure {
    /// At least one.
    pub diagnostics: Vec<Diagnostic>,
    /// For rendering.
    pub sources: SourceFiles,
}

impl From<Diagnostic> for CodegenFailure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: vec![diagnostic],
            sources: SourceFiles::default(),
        }
    }
}

pub(crate) fn stale(path: &str, reason: &StaleReason) -> Diagnostic {
    let what = match reason {
        StaleReason::Missing => "is missing",
        StaleReason::Differs => "is not what the schema and functions generate now",
        StaleReason::Unexpected => "is no longer generated",
    };
    Diagnostic::error(codes::GENERATED_STALE, format!("`_generated/{path}` {what}"))
        .with_help("Run lunora codegen and commit the result.")
}

/// Reads the schema and the functions and brings `_generated` up to date, or checks that it is.
///
/// # Errors
/// Every error found in the sources, on disk, or, with `check`, in the generated files.
pub fn codegen(options: &CodegenOptions) -> Result<CodegenReport, Box<CodegenFailure>> {
    codegen_to(options, Output::Codegen)
}

/// The same, looking at as much as `output` asks for.
pub(crate) fn codegen_to(options: &CodegenOptions, output: Output) -> Result<CodegenReport, Box<CodegenFailure>> {
    let started = Instant::now();
    let boxed = |error: Diagnostic| Box::new(CodegenFailure::from(error));
    let project = discover(&options.root, options.lunora_directory.as_deref()).map_err(boxed)?;
    let root = project.root.as_std_path().to_path_buf();
    let generated_folder = project.generated_dir().into_std_path_buf();
    let mut pipeline = Pipeline::open(project, output, &[]).map_err(boxed)?;
    let outcome = if options.check {
        pipeline
            .generate(Scope::All)
            .and_then(|(application, files, diagnostics)| {
                let found = lunora_codegen::check_generated(&generated_folder, &files).map_err(|error| vec![error])?;
                if found.is_empty() {
                    Ok((
                        application,
                        diagnostics,
                        lunora_codegen::WriteReport {
                            written: Vec::new(),
                            unchanged: files.iter().map(|file| file.path.to_string()).collect(),
                            removed: Vec::new(),
                        },
                    ))
                } else {
                    Err(found.iter().map(|entry| stale(&entry.path, &entry.reason)).collect())
                }
            })
    } else {
        pipeline
            .run(Scope::All)
            .map(|built| (built.application, built.diagnostics, built.write))
    };
    let sources = pipeline.sources().named_by(match &outcome {
        Ok((_, diagnostics, _)) | Err(diagnostics) => diagnostics,
    });
    // Nobody waits for the memory of a large app to be given back.
    rayon::spawn(move || drop(pipeline));
    let (application, diagnostics, write) = match outcome {
        Ok(outcome) => outcome,
        Err(diagnostics) => return Err(Box::new(CodegenFailure { diagnostics, sources })),
    };
    let render = RenderOptions {
        color: options.color,
        ..RenderOptions::default()
    };
    Ok(CodegenReport {
        root,
        written: write.written,
        removed: write.removed,
        unchanged: write.unchanged.len(),
        tables: application.tables.len(),
        functions: application.functions.len(),
        application,
        milliseconds: started.elapsed().as_secs_f64() * 1000.0,
        rendered: diagnostics
            .iter()
            .map(|finding| lunora_diagnostics::render_text(finding, &sources, &render))
            .collect::<Vec<_>>()
            .join("\n"),
        diagnostics: diagnostics
            .iter()
            .map(|finding| lunora_diagnostics::to_json(finding, &sources))
            .collect(),
    })
}
