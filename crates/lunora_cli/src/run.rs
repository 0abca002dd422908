//! Carrying a command out.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Parser as _;
use clap::error::ErrorKind;
use lunora_diagnostics::{Diagnostic, RenderOptions, Sources};
use lunora_engine::{CodegenFailure, CodegenOptions, CodegenReport};
use owo_colors::OwoColorize as _;
use serde::Deserialize;

use crate::arguments::{CodegenArguments, Command, CommandLine, DevArguments, StartArguments};
use crate::outcome::CommandOutcome;
use crate::{doctor, inspect, migrate, release, residency, transfer};

/// How the command was called.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandOptions {
    /// Without the program's own name.
    pub arguments: Vec<String>,
    /// Where it was called.
    pub working_directory: PathBuf,
    /// Whether texts carry ANSI colours.
    #[serde(default)]
    pub color: bool,
    /// The terminal's width.
    #[serde(default)]
    pub columns: Option<u16>,
    /// The version of the Node that runs it, without a `v`.
    #[serde(default)]
    pub node_version: Option<String>,
}

/// Errors in what the user wrote.
const USAGE: u8 = 2;

pub(crate) fn done(exit_code: u8, stdout: String, stderr: String) -> CommandOutcome {
    CommandOutcome::Done {
        exit_code,
        stdout,
        stderr,
    }
}

/// Runs the command.
#[must_use]
pub fn run(options: &CommandOptions) -> CommandOutcome {
    let arguments = std::iter::once("lunora").chain(options.arguments.iter().map(String::as_str));
    match CommandLine::try_parse_from(arguments) {
        Ok(CommandLine {
            command: Command::Codegen(arguments),
        }) => codegen(options, arguments),
        Ok(CommandLine {
            command: Command::Export(arguments),
        }) => transfer::export(options, arguments),
        Ok(CommandLine {
            command: Command::Import(arguments),
        }) => transfer::import(options, arguments),
        Ok(CommandLine {
            command: Command::Migrate(arguments),
        }) => migrate::migrate(options, &arguments),
        Ok(CommandLine {
            command: Command::Dev(arguments),
        }) => dev(options, arguments),
        Ok(CommandLine {
            command: Command::Prepare(arguments),
        }) => release::prepare(options, arguments),
        Ok(CommandLine {
            command: Command::Deploy(arguments),
        }) => release::deploy(options, arguments),
        Ok(CommandLine {
            command: Command::Start(arguments),
        }) => start(options, arguments),
        Ok(CommandLine {
            command: Command::Residency(arguments),
        }) => residency::residency(options, arguments),
        Ok(CommandLine {
            command: Command::Shards(arguments),
        }) => inspect::shards(options, &arguments),
        Ok(CommandLine {
            command: Command::Oplog(arguments),
        }) => inspect::oplog(options, &arguments),
        Ok(CommandLine {
            command: Command::Pokes(arguments),
        }) => inspect::pokes(options, &arguments),
        Ok(CommandLine {
            command: Command::Logs(arguments),
        }) => inspect::logs(options, &arguments),
        Ok(CommandLine {
            command: Command::Mail(arguments),
        }) => inspect::mail(options, &arguments),
        Ok(CommandLine {
            command: Command::Run(arguments),
        }) => inspect::run(options, &arguments),
        Ok(CommandLine {
            command: Command::Chaos(arguments),
        }) => inspect::chaos(options, &arguments),
        Ok(CommandLine {
            command: Command::Doctor(arguments),
        }) => doctor::doctor(options, &arguments),
        Err(error) => {
            let text = if options.color {
                error.render().ansi().to_string()
            } else {
                error.render().to_string()
            };
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => done(0, text, String::new()),
                _ => done(USAGE, String::new(), text),
            }
        }
    }
}

fn codegen(options: &CommandOptions, arguments: CodegenArguments) -> CommandOutcome {
    let check = arguments.check;
    let result = lunora_engine::codegen(&CodegenOptions {
        root: arguments
            .project
            .root
            .unwrap_or_else(|| options.working_directory.clone()),
        lunora_directory: arguments.project.lunora_dir,
        color: options.color,
        check,
    });
    match result {
        Ok(report) if arguments.project.json => match serde_json::to_string(&report) {
            Ok(json) => done(0, format!("{json}\n"), String::new()),
            Err(error) => done(1, String::new(), format!("error: {error}\n")),
        },
        Ok(report) => {
            let warnings = if report.rendered.is_empty() {
                String::new()
            } else {
                format!("{}\n", report.rendered)
            };
            done(0, summary(&report, check, options.color), warnings)
        }
        Err(failure) => failed(options, &failure, arguments.project.json),
    }
}

/// Names of more files than this say less than their number.
const NAMED_FILES: usize = 12;

fn push_files(text: &mut String, what: &str, names: &[String]) {
    if names.len() > NAMED_FILES {
        let _ = writeln!(text, "  {what} {} files of _generated", names.len());
        return;
    }
    for name in names {
        let _ = writeln!(text, "  {what} _generated/{name}");
    }
}

fn summary(report: &CodegenReport, check: bool, color: bool) -> String {
    let mut text = String::new();
    push_files(&mut text, "wrote  ", &report.written);
    push_files(&mut text, "removed", &report.removed);
    let tick = if color {
        "✓".green().to_string()
    } else {
        "✓".to_owned()
    };
    let state = match (check, report.written.is_empty() && report.removed.is_empty()) {
        (_, true) => "up to date",
        (_, false) => "generated",
    };
    let _ = writeln!(
        text,
        "{tick} {} tables, {} functions {state} in {:.0} ms",
        report.tables, report.functions, report.milliseconds
    );
    text
}

pub(crate) fn failed(options: &CommandOptions, failure: &CodegenFailure, json: bool) -> CommandOutcome {
    if json {
        let diagnostics: Vec<serde_json::Value> = failure
            .diagnostics
            .iter()
            .map(|finding| lunora_diagnostics::to_json(finding, &failure.sources))
            .collect();
        let document = serde_json::json!({ "error": { "diagnostics": diagnostics } });
        return done(USAGE, format!("{document}\n"), String::new());
    }
    done(
        USAGE,
        String::new(),
        rendered(options, &failure.diagnostics, &failure.sources),
    )
}

pub(crate) fn rendered(options: &CommandOptions, diagnostics: &[Diagnostic], sources: &dyn Sources) -> String {
    let render = RenderOptions {
        color: options.color,
        ..RenderOptions::default()
    };
    let mut text: String = diagnostics
        .iter()
        .map(|finding| lunora_diagnostics::render_text(finding, sources, &render) + "\n")
        .collect();
    if diagnostics.len() > 1 {
        let _ = writeln!(text, "{} errors", diagnostics.len());
    }
    text
}

fn dev(options: &CommandOptions, arguments: DevArguments) -> CommandOutcome {
    let start = arguments
        .project
        .root
        .unwrap_or_else(|| options.working_directory.clone());
    let project = match lunora_engine::discover(&start, arguments.project.lunora_dir.as_deref()) {
        Ok(project) => project,
        Err(error) => {
            return failed(options, &CodegenFailure::from(error), arguments.project.json);
        }
    };
    let vite_config = project
        .vite_config
        .as_ref()
        .filter(|_| !arguments.no_vite)
        .map(|file| file.as_std_path().to_path_buf());
    CommandOutcome::Dev {
        root: project.root.as_std_path().to_path_buf(),
        lunora_directory: project.directory.clone(),
        port: arguments.port,
        host: arguments.host,
        vite_config,
        workerd: arguments.workerd,
        bundle: arguments.bundle,
        chaos: arguments.chaos,
        json: arguments.project.json,
    }
}

fn start(options: &CommandOptions, arguments: StartArguments) -> CommandOutcome {
    let working = &options.working_directory;
    let absolute = |path: PathBuf| working.join(path);
    CommandOutcome::Start {
        drain: arguments.drain.saturating_mul(1000),
        json: arguments.project.json,
        options: serde_json::json!({
            "root": arguments.project.root.map_or_else(|| working.clone(), absolute),
            "lunoraDirectory": arguments.project.lunora_dir,
            "color": options.color,
            "host": arguments.host,
            "port": arguments.port,
            "state": arguments.state.map(absolute),
            "workerd": arguments.workerd.map(absolute),
            "allowedHosts": arguments.allowed_hosts,
            "secrets": arguments.secrets,
            "allowSchemaDrift": arguments.allow_schema_drift,
            "strandData": arguments.strand_data,
        }),
    }
}
