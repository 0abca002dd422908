//! `lunora migrate`.

mod arguments;
mod plan;
mod server;
mod text;

use lunora_client::AdminClient;
use lunora_transfer::{Observer as _, Step};
use serde_json::json;

use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::progress::Progress;
use crate::transfer::target::{Target, confirm};
use crate::transfer::{Answer, carry_out, connect, epoch_milliseconds, project_root};
pub use arguments::{MigrateAction, MigrateArguments, MigrateRunArguments, MigrateTargetArguments};
use plan::choose;
use server::{Direction, MigrationStatus, Run, RunTotal};

/// Carries the command out.
pub(crate) fn migrate(options: &CommandOptions, arguments: &MigrateArguments) -> CommandOutcome {
    match &arguments.action {
        MigrateAction::Up(arguments) => run(options, arguments, Direction::Up),
        MigrateAction::Down(arguments) => run(options, arguments, Direction::Down),
        MigrateAction::Status(arguments) => status(options, arguments),
    }
}

async fn reach(options: &CommandOptions, arguments: &MigrateTargetArguments) -> Result<(Target, AdminClient), Failure> {
    let project = &arguments.project;
    let root = project_root(options, project.root.as_ref(), project.lunora_dir.as_deref());
    let target = Target::find(options, &arguments.target(), root.as_deref())?;
    let (client, _) = connect(&target).await?;
    Ok((target, client))
}

fn status(options: &CommandOptions, arguments: &MigrateTargetArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let (target, mut client) = reach(options, arguments).await?;
        let mut status = server::status(&mut client).await?;
        if let Some(table) = &arguments.table {
            status.migrations.retain(|migration| migration.table == *table);
            let known = |id: &String| status.migrations.iter().any(|migration| migration.id == *id);
            status
                .failures
                .retain(|failure| failure.migration.as_ref().is_some_and(known));
        }
        Ok(Answer {
            exit_code: 0,
            text: text::status(&target.address.to_string(), &status),
            json: json!({
                "url": target.address.to_string(),
                "shards": status.shards,
                "migrations": status.migrations,
                "failures": status.failures,
            }),
        })
    })
}

fn run(options: &CommandOptions, arguments: &MigrateRunArguments, direction: Direction) -> CommandOutcome {
    let is_json = arguments.target.project.json;
    carry_out(options, is_json, || async {
        let (target, mut client) = reach(options, &arguments.target).await?;
        let url = target.address.to_string();
        let status = server::status(&mut client).await?;
        let due = choose(
            &status.migrations,
            direction,
            arguments.target.table.as_deref(),
            arguments.steps,
        )
        .map_err(|refusal| Failure::usage(refusal.code, refusal.message))?;
        if arguments.target.prod && !arguments.yes && !arguments.dry_run && !due.is_empty() {
            confirm(&text::question(&url, direction, &due))?;
        }
        // Unlike that of any other run: neither two runs of a process nor two processes share it.
        let name = format!("{:x}-{:x}", epoch_milliseconds(), std::process::id());
        let run = Run {
            name: &name,
            direction,
            batch_size: arguments.batch_size,
            dry_run: arguments.dry_run,
        };
        let mut progress = Progress::new(is_json, "seen");
        let result = each(&run, &mut client, &due, &mut progress).await;
        progress.end();
        let ended = if arguments.dry_run || due.is_empty() {
            Ok(())
        } else {
            run.end(&mut client).await
        };
        // What went wrong first is what counts.
        let done = result?;
        ended?;
        Ok(Answer {
            exit_code: u8::from(done.iter().any(|(_, total)| total.failed > 0)),
            text: text::run(options.color, &url, direction, arguments.dry_run, &due, &done),
            json: json!({
                "url": url,
                "direction": direction,
                "dryRun": arguments.dry_run,
                "ran": done.iter().map(|(migration, total)| {
                    json!({ "id": migration.id, "table": migration.table, "total": total })
                }).collect::<Vec<_>>(),
                "notRun": text::not_run(&due, &done),
            }),
        })
    })
}

/// One after the other, until a row stops one: the next would meet rows that it does not know. In a rehearsal that is
/// so of the next on the same table.
async fn each<'due>(
    run: &Run<'_>,
    client: &mut AdminClient,
    due: &[&'due MigrationStatus],
    progress: &mut Progress,
) -> Result<Vec<(&'due MigrationStatus, RunTotal)>, Failure> {
    let mut done: Vec<(&MigrationStatus, RunTotal)> = Vec::new();
    for &migration in due {
        let is_on_top = done.iter().any(|(other, _)| other.table == migration.table);
        if run.dry_run && is_on_top {
            continue;
        }
        let moved = |rows, shards| progress.step(&Step::Moved { rows, shards });
        let total = run.migration(client, &migration.id, moved).await?;
        let is_stopped = total.failed > 0;
        done.push((migration, total));
        if is_stopped && !run.dry_run {
            break;
        }
    }
    Ok(done)
}
