//! What `lunora migrate` says to people.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use super::server::{Counts, Direction, MigrationStatus, RunTotal, ShardFailure, Status};

/// `1 shard`, `2 shards`.
fn number(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn count_of<Item>(items: &[Item], what: &str) -> String {
    number(u64::try_from(items.len()).unwrap_or(u64::MAX), what)
}

fn counts(counts: Counts) -> String {
    let Counts {
        pending,
        partial,
        applied,
        failed,
    } = counts;
    let parts: Vec<String> = [
        (failed, "stopped"),
        (partial, "under way"),
        (pending, "pending"),
        (applied, "applied"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{what} in {count}"))
    .collect();
    if parts.is_empty() {
        return "no shard has the table yet".to_owned();
    }
    parts.join(", ")
}

fn push_failure(text: &mut String, failure: &ShardFailure) {
    let migration = failure
        .migration
        .as_ref()
        .map_or_else(String::new, |id| format!("{id}, "));
    let row = failure
        .id
        .as_ref()
        .map_or_else(String::new, |id| format!(" (row `{id}`)"));
    let ShardFailure {
        shard, code, message, ..
    } = failure;
    let _ = writeln!(text, "    {migration}`{shard}`: {code}: {message}{row}");
}

/// How far each migration has come, a line each.
pub(super) fn status(url: &str, status: &Status) -> String {
    let mut text = format!(
        "{url}: {}, {}\n",
        count_of(&status.migrations, "migration"),
        number(status.shards, "shard")
    );
    let width = |of: fn(&MigrationStatus) -> &str| {
        let lengths = status.migrations.iter().map(|migration| of(migration).chars().count());
        lengths.max().unwrap_or(0)
    };
    let (ids, tables) = (width(|one| &one.id), width(|one| &one.table));
    for migration in &status.migrations {
        let state = if migration.is_global {
            "cannot run: the table is `.global()`".to_owned()
        } else {
            counts(migration.counts)
        };
        let _ = writeln!(text, "  {:ids$}  {:tables$}  {state}", migration.id, migration.table);
    }
    for failure in &status.failures {
        push_failure(&mut text, failure);
    }
    text
}

/// What production is asked to agree to.
pub(super) fn question(url: &str, direction: Direction, due: &[&MigrationStatus]) -> String {
    let what = match direction {
        Direction::Up => "to run",
        Direction::Down => "to take back",
    };
    let mut text = format!("{} {what} on the rows of\n  {url}:", count_of(due, "migration"));
    for migration in due {
        let shards = match direction {
            Direction::Up => migration.counts.unfinished(),
            Direction::Down => migration.counts.begun(),
        };
        let _ = write!(
            text,
            "\n  {} of `{}`, in {shards} shards",
            migration.id, migration.table
        );
    }
    text
}

/// Ids of what was due and did not run.
pub(super) fn not_run<'due>(due: &[&'due MigrationStatus], done: &[(&MigrationStatus, RunTotal)]) -> Vec<&'due str> {
    due.iter()
        .map(|migration| migration.id.as_str())
        .filter(|id| !done.iter().any(|(migration, _)| migration.id == *id))
        .collect()
}

fn mark(color: bool, is_good: bool) -> String {
    match (is_good, color) {
        (true, true) => "✓".green().to_string(),
        (false, true) => "✗".red().to_string(),
        (true, false) => "✓".to_owned(),
        (false, false) => "✗".to_owned(),
    }
}

/// What ran, a line each.
pub(super) fn run(
    color: bool,
    url: &str,
    direction: Direction,
    dry_run: bool,
    due: &[&MigrationStatus],
    done: &[(&MigrationStatus, RunTotal)],
) -> String {
    if due.is_empty() {
        let nothing = match direction {
            Direction::Up => "nothing is left to run",
            Direction::Down => "nothing is there to take back",
        };
        return format!("{} {nothing} on {url}\n", mark(color, true));
    }
    let mut text = String::new();
    for (migration, total) in done {
        let verb = match (dry_run, direction) {
            (true, _) => "would change",
            (false, Direction::Up) => "changed",
            (false, Direction::Down) => "changed back",
        };
        let _ = writeln!(
            text,
            "{} {} {verb} {} of {} of `{}` in {}",
            mark(color, total.failed == 0),
            migration.id,
            total.changed,
            number(total.rows, "row"),
            migration.table,
            number(total.shards, "shard"),
        );
        if total.failed > 0 {
            let _ = writeln!(text, "  {} stopped:", number(total.failed, "shard"));
        }
        for failure in &total.failures {
            push_failure(&mut text, failure);
        }
        let shown = u64::try_from(total.failures.len()).unwrap_or(u64::MAX);
        if total.failed > shown {
            let _ = writeln!(text, "    and {} more", total.failed - shown);
        }
    }
    let rest = not_run(due, done);
    if !rest.is_empty() {
        let why = if dry_run {
            "has to see what the one before makes"
        } else {
            "waits for the one that was stopped"
        };
        let _ = writeln!(text, "  Not run, since it {why}: {}", rest.join(", "));
    }
    if dry_run {
        text.push_str("  Nothing was written.\n");
    }
    text
}
