//! `lunora export` and `lunora import`.

pub(crate) mod failure;
mod interrupted;
pub(crate) mod progress;
pub(crate) mod target;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use lunora_client::AdminClient;
use lunora_diagnostics::codes;
use lunora_transfer::{
    ExportOptions, ExportReport, ImportMode, ImportOptions, ImportPlan, ServerInfo, TableProof, WaitingJobs,
};
use owo_colors::OwoColorize as _;
use serde_json::{Value as Json, json};

use crate::arguments::{ExportArguments, ImportArguments};
use crate::interrupt::Interruption;
use crate::outcome::CommandOutcome;
use crate::run::{CommandOptions, done};
use failure::Failure;
use progress::Progress;
use target::{Target, confirm};

pub(crate) fn epoch_milliseconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What a command came to: text for people, and the same as JSON.
pub(crate) struct Answer {
    /// 0 done, 1 failed although there is something to tell.
    pub exit_code: u8,
    pub text: String,
    pub json: Json,
}

impl Answer {
    /// Everything was said on the way.
    pub(crate) fn said() -> Self {
        Self {
            exit_code: 0,
            text: String::new(),
            json: Json::Null,
        }
    }
}

/// Runs on a runtime of its own, and on a thread of its own, since the caller's may belong to a runtime already.
pub(crate) fn carry_out<Work, Doing>(options: &CommandOptions, is_json: bool, work: Work) -> CommandOutcome
where
    Work: FnOnce() -> Doing + Send,
    Doing: Future<Output = Result<Answer, Failure>>,
{
    let result = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Failure::internal(error.to_string()))?;
            runtime.block_on(work())
        });
        thread
            .join()
            .unwrap_or_else(|_| Err(Failure::internal("the command ended without an answer".to_owned())))
    });
    match result {
        Ok(Answer { json, exit_code, .. }) if is_json && !json.is_null() => {
            done(exit_code, format!("{json}\n"), String::new())
        }
        Ok(Answer { text, exit_code, .. }) => done(exit_code, text, String::new()),
        Err(failure) if is_json => done(failure.exit_code(), format!("{}\n", failure.json()), String::new()),
        Err(failure) => done(failure.exit_code(), String::new(), failure.text(options.color)),
    }
}

fn tick(color: bool) -> String {
    if color {
        "✓".green().to_string()
    } else {
        "✓".to_owned()
    }
}

/// The tables, a line each.
fn table_lines(text: &mut String, tables: &BTreeMap<String, TableProof>) {
    let width = tables.keys().map(String::len).max().unwrap_or(0);
    for (name, proof) in tables {
        let hash: String = proof.hash.to_string().chars().take(16).collect();
        let _ = writeln!(text, "  {name:width$}  {:>10} rows  {hash}…", proof.rows);
    }
}

/// The project's root, where there is a project.
pub(crate) fn project_root(
    options: &CommandOptions,
    root: Option<&PathBuf>,
    directory: Option<&str>,
) -> Option<PathBuf> {
    let start = root.unwrap_or(&options.working_directory);
    let project = lunora_engine::discover(start, directory).ok()?;
    Some(project.root.as_std_path().to_path_buf())
}

fn absolute(options: &CommandOptions, path: &Path) -> PathBuf {
    options.working_directory.join(path)
}

pub(crate) async fn connect(target: &Target) -> Result<(AdminClient, ServerInfo), Failure> {
    let roots = std::env::var_os("NODE_EXTRA_CA_CERTS").map(PathBuf::from);
    let mut client = AdminClient::new(target.address.clone(), &target.token, roots.as_deref())?;
    let info = lunora_transfer::info(&mut client)
        .await
        .map_err(|error| target::explained(error.into()))?;
    Ok((client, info))
}

/// Writes the rows of an app into a file.
pub(crate) fn export(options: &CommandOptions, arguments: ExportArguments) -> CommandOutcome {
    let is_json = arguments.project.json;
    carry_out(options, is_json, || async {
        let root = project_root(
            options,
            arguments.project.root.as_ref(),
            arguments.project.lunora_dir.as_deref(),
        );
        let target = Target::find(options, &arguments.target, root.as_deref())?;
        let (mut client, info) = connect(&target).await?;
        let export_options = ExportOptions {
            out: absolute(options, &arguments.out),
            tables: arguments.target.tables.clone(),
            quiesce: arguments.quiesce,
            resume: arguments.target.resume,
            force: arguments.force,
            now: epoch_milliseconds(),
            production: arguments.target.prod,
            receipts: root.map(|root| root.join(".lunora").join("receipts")),
        };
        let mut progress = Progress::new(is_json, "read");
        let result = lunora_transfer::export(&mut client, &info, &export_options, &mut progress).await;
        progress.end();
        let report = result.map_err(|error| Failure::from(error).resumable("lunora export", !arguments.quiesce))?;
        Ok(export_answer(options, &target, &arguments, &info, &report))
    })
}

/// What no export takes along.
fn left_behind(jobs: Option<WaitingJobs>) -> String {
    let jobs = match jobs {
        None | Some(WaitingJobs { count: 0, .. }) => "No scheduled job waits".to_owned(),
        Some(WaitingJobs { count, has_more: true }) => {
            format!("More than {count} scheduled jobs wait and do not ride along")
        }
        Some(WaitingJobs { count, .. }) => format!("{count} scheduled jobs wait and do not ride along"),
    };
    format!("{jobs}; nor do streams and sessions.")
}

fn export_answer(
    options: &CommandOptions,
    target: &Target,
    arguments: &ExportArguments,
    info: &ServerInfo,
    report: &ExportReport,
) -> Answer {
    let ExportReport {
        header,
        footer,
        hidden,
        receipts,
    } = report;
    let rows: u64 = footer.tables.values().map(|proof| proof.rows).sum();
    let mut text = format!(
        "{} {rows} rows of {} {} of {} in `{}`\n",
        tick(options.color),
        footer.shards,
        if footer.shards == 1 { "shard" } else { "shards" },
        target.address,
        arguments.out.display(),
    );
    table_lines(&mut text, &footer.tables);
    if !header.quiesced && footer.shards > 1 {
        text.push_str("  Each shard is as it was at one instant of its own; `--quiesce` gives them a common one.\n");
    }
    if !hidden.is_empty() {
        let _ = writeln!(
            text,
            "  Left out, since the schema does not have these columns any more: {}",
            hidden.join(", ")
        );
    }
    let _ = writeln!(
        text,
        "  With them {} records of how far clients have come. {}",
        footer.companions,
        left_behind(info.scheduled_jobs),
    );
    let json = json!({
        "out": arguments.out,
        "url": target.address.to_string(),
        "sourceJurisdiction": header.source_jurisdiction,
        "exportedAt": header.exported_at,
        "quiesced": header.quiesced,
        "tables": footer.tables,
        "shards": footer.shards,
        "companions": footer.companions,
        "hiddenColumns": hidden,
        "scheduledJobs": info.scheduled_jobs,
        "receipts": receipts,
    });
    Answer {
        exit_code: 0,
        text,
        json,
    }
}

/// Puts the rows of a file into an app, or compares them.
pub(crate) fn import(options: &CommandOptions, arguments: ImportArguments) -> CommandOutcome {
    let is_json = arguments.project.json;
    carry_out(options, is_json, || async {
        let root = project_root(
            options,
            arguments.project.root.as_ref(),
            arguments.project.lunora_dir.as_deref(),
        );
        let target = Target::find(options, &arguments.target, root.as_deref())?;
        if arguments.abort {
            return interrupted::give_up(options, &target, &arguments).await;
        }
        let import_options = ImportOptions {
            dump: absolute(options, &arguments.dump),
            tables: arguments.target.tables.clone(),
            mode: match (arguments.merge, arguments.replace) {
                (true, _) => ImportMode::Merge,
                (_, true) => ImportMode::Replace,
                _ => ImportMode::Empty,
            },
            resume: arguments.target.resume,
        };
        let (mut client, info) = connect(&target).await?;
        let plan = lunora_transfer::plan(&import_options, &info)?;
        let mut progress = Progress::new(is_json, "staged");
        if arguments.verify {
            let result = lunora_transfer::verify(&mut client, &plan, &mut progress).await;
            progress.end();
            return Ok(import_answer(
                options, &target, &arguments, &plan, &result?, "holds", true,
            ));
        }
        if arguments.target.prod && !arguments.yes {
            confirm(&question(&target, &info, &plan, import_options.mode))?;
        }
        let mut interruption = Interruption::listen();
        let result = tokio::select! {
            // Dropped wherever it is, the import is as one that was killed: it can be gone on with.
            () = interruption.told() => None,
            result = lunora_transfer::import(&mut client, &plan, &import_options, &mut progress) => Some(result),
        };
        drop(interruption);
        progress.end();
        let Some(result) = result else {
            return Err(interrupted::failure(&mut client, &plan, &arguments, &mut progress).await);
        };
        let report = result.map_err(|error| {
            let failure = Failure::from(error).resumable("lunora import", true);
            if failure.is_code(codes::IMPORT_TARGET_NOT_EMPTY.as_str()) {
                return failure.with_help(not_empty(&target, &info, &plan, &arguments));
            }
            failure
        })?;
        Ok(import_answer(
            options,
            &target,
            &arguments,
            &plan,
            &report.sent,
            "took in",
            report.is_proven,
        ))
    })
}

fn place(jurisdiction: Option<&str>) -> String {
    jurisdiction.map_or_else(
        || "no jurisdiction".to_owned(),
        |name| format!("the jurisdiction `{name}`"),
    )
}

/// What to do where rows are already: in a move they are either the ones that were exported, or this very dump's.
fn not_empty(target: &Target, info: &ServerInfo, plan: &ImportPlan, arguments: &ImportArguments) -> String {
    let others = "Otherwise `--merge` adds the dump's rows to those, and `--replace` puts them in their place.";
    if info.jurisdiction == plan.header.source_jurisdiction {
        return format!(
            "The app is in {}, which is where the dump is from. To move it, change `.jurisdiction(…)` and deploy first. {others}",
            place(info.jurisdiction.as_deref())
        );
    }
    format!(
        "If the dump has been imported before, this compares both: lunora import {} --url {} --verify. {others}",
        arguments.dump.display(),
        target.address
    )
}

fn question(target: &Target, info: &ServerInfo, plan: &ImportPlan, mode: ImportMode) -> String {
    let what = match mode {
        ImportMode::Empty => "into tables that have to be empty",
        ImportMode::Merge => "over the rows that are there",
        ImportMode::Replace => "IN PLACE of the rows that are there",
    };
    let shards = if info.has_more_shards {
        format!("more than {}", info.shards)
    } else {
        info.shards.to_string()
    };
    format!(
        "{} rows of {} tables ({}), exported from {}, go to\n  {} in {}, which has {shards} shards,\n  {what}. The app answers nobody meanwhile.",
        plan.rows(),
        plan.tables.len(),
        plan.tables.join(", "),
        place(plan.header.source_jurisdiction.as_deref()),
        target.address,
        place(info.jurisdiction.as_deref()),
    )
}

fn import_answer(
    options: &CommandOptions,
    target: &Target,
    arguments: &ImportArguments,
    plan: &ImportPlan,
    tables: &BTreeMap<String, TableProof>,
    verb: &str,
    is_proven: bool,
) -> Answer {
    let rows: u64 = tables.values().map(|proof| proof.rows).sum();
    let mut text = format!(
        "{} {} {verb} {rows} rows of `{}`\n",
        tick(options.color),
        target.address,
        arguments.dump.display(),
    );
    table_lines(&mut text, tables);
    if is_proven {
        text.push_str("  Counts and hashes are the same on both sides.\n");
    }
    if !plan.rehomed.is_empty() {
        let _ = writeln!(
            text,
            "  Moved from the root to shards, with ids that name them: {}",
            plan.rehomed.join(", ")
        );
    }
    if !arguments.verify {
        text.push_str("  Scheduled jobs, streams and sessions did not ride along.\n");
    }
    let json = json!({
        "dump": arguments.dump,
        "url": target.address.to_string(),
        "tables": tables,
        "rehomed": plan.rehomed,
        "isProven": is_proven,
    });
    Answer {
        exit_code: 0,
        text,
        json,
    }
}
