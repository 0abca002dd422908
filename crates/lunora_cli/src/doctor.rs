//! `lunora doctor`: what the toolchain needs of this machine and this app, and what to do where it is missing.

mod app;
mod check;
mod machine;
mod programs;
mod state;
mod version;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use serde_json::json;

use crate::arguments::ProjectArguments;
use crate::outcome::CommandOutcome;
use crate::run::{CommandOptions, done};
use check::{Check, State};

/// Options of `lunora doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// The workerd program [default: LUNORA_WORKERD, the app's workerd package, then PATH].
    #[arg(long, value_name = "FILE")]
    pub workerd: Option<PathBuf>,
}

fn project(found: Result<&lunora_config::Project, &lunora_diagnostics::Diagnostic>) -> Check {
    match found {
        Ok(project) => Check::ok("project", format!("`{}`", project.root)),
        Err(diagnostic) => Check::of_diagnostic("project", State::Error, diagnostic),
    }
}

/// What works where there is no network.
fn offline() -> Check {
    Check::ok(
        "offline",
        "dev, codegen, build, start and the inspector need no network; `deploy`, `--url` and installing do",
    )
}

/// Looks at everything; nothing is written, and nobody elsewhere is asked.
fn look(options: &CommandOptions, arguments: &DoctorArguments) -> Vec<Check> {
    let start = arguments.project.root.as_ref().unwrap_or(&options.working_directory);
    let found = lunora_engine::discover(start, arguments.project.lunora_dir.as_deref());
    let root: &Path = found
        .as_ref()
        .map_or(start.as_path(), |project| project.root.as_std_path());
    let mut checks = vec![
        programs::node(options.node_version.as_deref()),
        programs::addon(root),
        project(found.as_ref()),
    ];
    checks.extend(programs::workerd(
        options,
        arguments.workerd.as_deref(),
        root,
        SystemTime::now(),
    ));
    let has_vite_config = found.as_ref().is_ok_and(|project| project.vite_config.is_some());
    checks.push(programs::vite(root, has_vite_config));
    checks.push(programs::wrangler(root));
    checks.extend(machine::ports(root));
    checks.extend(machine::inotify());
    if let Ok(project) = &found {
        checks.extend(state::folder(project));
        checks.push(state::inspector(root));
        checks.extend(app::sources(project));
        checks.extend(app::variables(project));
    }
    checks.push(machine::environment(std::env::vars_os()));
    checks.push(offline());
    checks
}

/// Carries the command out: 1 when something keeps the app from running.
pub(crate) fn doctor(options: &CommandOptions, arguments: &DoctorArguments) -> CommandOutcome {
    let checks = look(options, arguments);
    let exit_code = u8::from(checks.iter().any(|check| check.state == State::Error));
    let text = if arguments.project.json {
        format!("{}\n", json!({ "ok": exit_code == 0, "checks": checks }))
    } else {
        check::text(&checks, options.color)
    };
    done(exit_code, text, String::new())
}
