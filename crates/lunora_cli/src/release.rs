//! `lunora prepare` and the part of `lunora deploy` that needs no JavaScript.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunora_client::{AdminAddress, AdminClient};
use lunora_diagnostics::{Diagnostic, codes};
use lunora_engine::{CodegenFailure, Deployed, GateState, ReleaseOptions, ReleaseReport};
use lunora_transfer::ServerInfo;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::arguments::{DeployArguments, GateArguments, PrepareArguments, ProjectArguments};
use crate::outcome::CommandOutcome;
use crate::run::{CommandOptions, done, failed, rendered};

/// A gate stopped the command.
const STOPPED: u8 = 3;

fn epoch_milliseconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// How long the deployed app may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// Asks the deployed app where its data is, when its address and token are known. What it cannot say is a warning: a
/// first deployment has nothing to ask.
fn ask_deployed(url: Option<&str>) -> Result<Option<Deployed>, Diagnostic> {
    let token = std::env::var("LUNORA_ADMIN_TOKEN").unwrap_or_default();
    let (Some(url), false) = (url, token.trim().is_empty()) else {
        return Ok(None);
    };
    let unanswered = |why: String| {
        Diagnostic::warning(
            codes::DEPLOYED_REGION_UNKNOWN,
            format!("`{url}` did not say where its data is: {why}"),
        )
        .with_help("The committed baseline is taken for what is deployed. That is right for a first deployment.")
    };
    let asked = || -> Result<ServerInfo, String> {
        let address = AdminAddress::parse(url).map_err(|error| error.to_string())?;
        let mut client = AdminClient::new(address, token.trim(), None).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(async {
            match tokio::time::timeout(ANSWER_TIME, lunora_transfer::info(&mut client)).await {
                Ok(answer) => answer.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} s", ANSWER_TIME.as_secs())),
            }
        })
    };
    // On a thread of its own, since the caller's may belong to a runtime already.
    let answer = std::thread::scope(|scope| scope.spawn(asked).join());
    match answer {
        Ok(Ok(info)) => Ok(Some(Deployed {
            jurisdiction: info.jurisdiction,
            shards: (!info.has_more_shards).then_some(info.shards),
        })),
        Ok(Err(why)) => Err(unanswered(why)),
        Err(_) => Err(unanswered("the question ended without an answer".to_owned())),
    }
}

fn gates(
    options: &CommandOptions,
    project: &ProjectArguments,
    gates: GateArguments,
    rehearsal: bool,
) -> Result<ReleaseReport, Box<CodegenFailure>> {
    let (deployed, warning) = match ask_deployed(gates.url.as_deref()) {
        Ok(deployed) => (deployed, None),
        Err(warning) => (None, Some(warning)),
    };
    let mut report = lunora_engine::release_gates(&ReleaseOptions {
        root: project
            .root
            .clone()
            .unwrap_or_else(|| options.working_directory.clone()),
        lunora_directory: project.lunora_dir.clone(),
        allow_schema_drift: gates.allow_schema_drift,
        update_schema_baseline: gates.update_schema_baseline,
        strand_data: gates.strand_data,
        rehearsal,
        url: gates.url,
        deployed,
        now: epoch_milliseconds(),
    })?;
    report.warnings.extend(warning);
    Ok(report)
}

/// The gates, a line each, and each change of the schema below its own.
fn text(report: &ReleaseReport, color: bool) -> String {
    let width = report.gates.iter().map(|gate| gate.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for gate in &report.gates {
        let mark = match (gate.state, color) {
            (GateState::Passed, true) => "✓".green().to_string(),
            (GateState::Overridden, true) => "!".yellow().to_string(),
            (GateState::Stopped, true) => "✗".red().to_string(),
            (GateState::Passed, false) => "✓".to_owned(),
            (GateState::Overridden, false) => "!".to_owned(),
            (GateState::Stopped, false) => "✗".to_owned(),
        };
        let overridden = if gate.state == GateState::Overridden {
            " (overridden)"
        } else {
            ""
        };
        let _ = writeln!(text, "{mark} {:width$}  {}{overridden}", gate.name, gate.detail);
        if gate.name == "schema" {
            for entry in &report.drift.changes {
                let kind = if entry.breaking { "breaking" } else { "safe" };
                let covered = match entry.covered_by.as_slice() {
                    [] => String::new(),
                    ids => format!(" (covered by {})", ids.join(", ")),
                };
                let _ = writeln!(text, "    {kind}: {}{covered}", entry.change.message());
            }
        }
        if gate.name == "wrangler" {
            for change in &report.wrangler_changes {
                let _ = writeln!(text, "    {change}");
            }
        }
    }
    if report.baseline_written {
        let _ = writeln!(text, "  wrote {}", report.baseline_file);
    }
    text
}

fn document(report: &ReleaseReport) -> Value {
    let all = report.stops.iter().chain(&report.warnings);
    let diagnostics: Vec<Value> = all
        .map(|finding| lunora_diagnostics::to_json(finding, &report.sources))
        .collect();
    let mut document = json!(report);
    if let Value::Object(object) = &mut document {
        object.insert("passed".to_owned(), report.stops.is_empty().into());
        object.insert("diagnostics".to_owned(), diagnostics.into());
        if !report.stops.is_empty() {
            let stops: Vec<Value> = report
                .stops
                .iter()
                .map(|finding| lunora_diagnostics::to_json(finding, &report.sources))
                .collect();
            object.insert("error".to_owned(), json!({ "diagnostics": stops }));
        }
    }
    document
}

/// What both commands say when the gates have been asked.
fn said(options: &CommandOptions, report: &ReleaseReport) -> (String, String) {
    let findings: Vec<_> = report.warnings.iter().chain(&report.stops).cloned().collect();
    let mut problems = rendered(options, &findings, &report.sources);
    if !findings.is_empty() {
        problems.push('\n');
    }
    (text(report, options.color), problems)
}

fn stopped(options: &CommandOptions, report: &ReleaseReport, json: bool) -> CommandOutcome {
    let exit_code = if report.stops.is_empty() { 0 } else { STOPPED };
    if json {
        return done(exit_code, format!("{}\n", document(report)), String::new());
    }
    let (stdout, stderr) = said(options, report);
    done(exit_code, stdout, stderr)
}

/// `lunora prepare`
pub(crate) fn prepare(options: &CommandOptions, arguments: PrepareArguments) -> CommandOutcome {
    let json = arguments.project.json;
    match gates(options, &arguments.project, arguments.gates, true) {
        Ok(report) => stopped(options, &report, json),
        Err(failure) => failed(options, &failure, json),
    }
}

/// `lunora deploy`, up to where JavaScript goes on.
pub(crate) fn deploy(options: &CommandOptions, arguments: DeployArguments) -> CommandOutcome {
    let json = arguments.project.json;
    let report = match gates(options, &arguments.project, arguments.gates, false) {
        Ok(report) if report.stops.is_empty() => report,
        Ok(report) => return stopped(options, &report, json),
        Err(failure) => return failed(options, &failure, json),
    };
    let (stdout, stderr) = if json {
        (String::new(), String::new())
    } else {
        said(options, &report)
    };
    CommandOutcome::Deploy {
        stdout,
        stderr,
        report: document(&report),
        root: report.root,
        lunora_directory: report.lunora_directory,
        vite_config: report.vite_config,
        environment: arguments.env,
        dry_run: arguments.dry_run,
        json,
        snapshot: report.snapshot,
        receipt: report.receipt,
    }
}
