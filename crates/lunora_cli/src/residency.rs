//! `lunora residency`, but for what only a running server knows.

use std::fmt::Write as _;

use lunora_engine::{ResidencyOptions, ResidencyReport};
use serde_json::json;

use crate::arguments::ResidencyArguments;
use crate::outcome::CommandOutcome;
use crate::run::{CommandOptions, failed};

fn region(name: Option<&str>) -> &str {
    name.unwrap_or("not pinned")
}

/// Bytes for people, in binary units.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // One decimal is all that is shown, so what a double loses of the number is never seen.
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn text(report: &ResidencyReport) -> String {
    let mut text = format!(
        "declared jurisdiction: {}\n\nobjects\n",
        region(report.jurisdiction.as_deref())
    );
    for class in &report.classes {
        let _ = writeln!(text, "  {}  declared {}", class.class, region(class.region.as_deref()));
        if class.stored.is_empty() {
            let _ = writeln!(text, "      no data on this machine");
        }
        for stored in &class.stored {
            let folder = stored.folder.strip_prefix(&report.root).unwrap_or(&stored.folder);
            let left = if stored.reachable { "" } else { "  LEFT BEHIND" };
            let _ = writeln!(
                text,
                "      {}: {} in {}, {} ({}){left}",
                region(stored.region.as_deref()),
                size(stored.bytes),
                counted(stored.objects, "object"),
                folder.display(),
                stored.server
            );
        }
    }
    text.push_str("\ntables\n");
    let width = report.tables.iter().map(|table| table.table.len()).max().unwrap_or(0);
    for table in &report.tables {
        let where_to = match (table.tier, table.region.as_deref()) {
            ("global", _) => "not pinned by the schema: D1 has its own location",
            ("undeclared", _) => "the schema has no such table",
            (_, region_of) => region(region_of),
        };
        let _ = writeln!(
            text,
            "  {:width$}  {}, in {}: {where_to}",
            table.table, table.tier, table.held_by
        );
        for stored in &table.stored {
            let left = if stored.reachable { "" } else { "  LEFT BEHIND" };
            let copy = if stored.is_copy { "copied for subscribers, " } else { "" };
            let _ = writeln!(
                text,
                "      {copy}{}: {}, {} in {} ({}){left}",
                region(stored.region.as_deref()),
                counted(stored.rows, "row"),
                size(stored.bytes),
                counted(stored.objects, "object"),
                stored.server
            );
        }
    }
    databases(&mut text, report);
    text
}

/// D1 on this machine, where there is any.
fn databases(text: &mut String, report: &ResidencyReport) {
    if report.databases.is_empty() {
        return;
    }
    text.push_str("\ndatabases of D1, which the schema does not pin\n");
    for one in &report.databases {
        let file = one.file.strip_prefix(&report.root).unwrap_or(&one.file);
        let _ = writeln!(
            text,
            "  {}  {} in {} ({})",
            one.database,
            size(one.bytes),
            file.display(),
            one.server
        );
        for (table, rows) in &one.tables {
            let _ = writeln!(text, "      {table}: {}", counted(*rows, "row"));
        }
    }
}

/// `lunora residency`, up to where servers are asked.
pub(crate) fn residency(options: &CommandOptions, arguments: ResidencyArguments) -> CommandOutcome {
    let working = &options.working_directory;
    let json = arguments.project.json;
    let asked = lunora_engine::residency(&ResidencyOptions {
        root: arguments.project.root.unwrap_or_else(|| working.clone()),
        lunora_directory: arguments.project.lunora_dir,
        state: arguments.state.map(|folder| working.join(folder)),
    });
    match asked {
        Ok(report) => CommandOutcome::Residency {
            stdout: text(&report),
            servers: match arguments.url {
                Some(url) => vec![url],
                None => report.servers.clone(),
            },
            report: json!(report),
            json,
        },
        Err(failure) => failed(options, &failure, json),
    }
}
