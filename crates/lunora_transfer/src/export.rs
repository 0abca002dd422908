//! An export: pages into a file that is whole or not there.

mod partial;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lunora_client::{AdminClient, ClientError};
use serde_json::{Value as Json, json};

use crate::error::TransferError;
use crate::files::{beside, random_id, remove, sync_folder};
use crate::line::{Footer, Header, Line, parse_line};
use crate::observer::{Observer, Step};
use crate::receipt::write_receipts;
use crate::server::{ServerInfo, add_all, export_page, pages};
use partial::{Checkpoint, Partial};

/// How long writes stay refused unless told again, seconds.
const PAUSE_SECONDS: u64 = 600;

/// After this the shards are told again.
const PAUSE_AGAIN: Duration = Duration::from_secs(200);

/// How often one shard is begun anew before that is given up.
const SHARD_TRIES: u32 = 3;

/// What to export, and where to.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The file.
    pub out: PathBuf,
    /// All tables whose rows are in objects, unless given.
    pub tables: Option<Vec<String>>,
    /// Refuse writes meanwhile, so that all shards are of one instant.
    pub quiesce: bool,
    /// Go on with an export that was left.
    pub resume: bool,
    /// Overwrite the file.
    pub force: bool,
    /// Unix milliseconds.
    pub now: u64,
    /// Whether the rows are said to be production's, for the receipts.
    pub production: bool,
    /// Where the project keeps its receipts.
    pub receipts: Option<PathBuf>,
}

/// What an export came to.
#[derive(Debug, Clone)]
pub struct ExportReport {
    /// The first line of the dump.
    pub header: Header,
    /// Its last.
    pub footer: Footer,
    /// Columns that are stored and that the schema does not have: not in the dump.
    pub hidden: Vec<String>,
    /// Receipts that were written.
    pub receipts: Vec<PathBuf>,
}

/// Exports.
///
/// # Errors
/// What the server refused, files that cannot be written, and rows that are not the ones that the server hashed. What
/// was read stays beside the file, to go on with; unless writes were refused meanwhile, since that ends.
pub async fn export(
    client: &mut AdminClient,
    info: &ServerInfo,
    options: &ExportOptions,
    observer: &mut dyn Observer,
) -> Result<ExportReport, TransferError> {
    let url = client.address().to_string();
    if options.resume
        && let Some(checkpoint) = partial::renamed(&options.out, &url)?
    {
        return conclude(checkpoint, options, &url);
    }
    if options.out.exists() && !options.force {
        return Err(TransferError::OutputExists(options.out.clone()));
    }
    let mut partial = if options.resume {
        Partial::resume(
            &options.out,
            &url,
            &wanted(info, options),
            options.quiesce,
            info.schema_version.as_deref(),
        )?
    } else {
        Partial::begin(&options.out, &url, random_id()?, header(info, options), options.force)?
    };
    let result = run(client, options, &mut partial, observer).await;
    if options.quiesce || result.is_ok() {
        let ended = pages(client, "export/end", json!({ "id": partial.checkpoint.id }), |_| Ok(())).await;
        // What the export itself came to is said first; the pause ends by itself.
        if let (Ok(()), Err(error)) = (&result, ended) {
            return Err(error);
        }
    }
    if result.is_err() && options.quiesce {
        partial.discard()?;
    }
    result?;
    finish(partial, options, &url)
}

fn wanted(info: &ServerInfo, options: &ExportOptions) -> Vec<String> {
    let mut tables = options.tables.clone().unwrap_or_else(|| {
        let own = info.tables.iter().filter(|(_, facts)| facts.tier != "global");
        own.map(|(name, _)| name.clone()).collect()
    });
    tables.sort();
    tables.dedup();
    tables
}

fn header(info: &ServerInfo, options: &ExportOptions) -> Header {
    let facts = |name: String| {
        let facts = info.tables.get(&name).cloned().unwrap_or(crate::line::TableFacts {
            // Refused by the server with the first page, which knows its tables.
            tier: "unknown".to_owned(),
            field: None,
            ids: Vec::new(),
        });
        (name, facts)
    };
    Header {
        version: crate::line::VERSION,
        schema_version: info.schema_version.clone(),
        source_jurisdiction: info.jurisdiction.clone(),
        exported_at: options.now,
        quiesced: options.quiesce,
        tables: wanted(info, options).into_iter().map(facts).collect(),
    }
}

async fn run(
    client: &mut AdminClient,
    options: &ExportOptions,
    partial: &mut Partial,
    observer: &mut dyn Observer,
) -> Result<(), TransferError> {
    let mut paused_at: Option<Instant> = None;
    let mut tries = 0;
    while !partial.checkpoint.is_read {
        if options.quiesce && paused_at.is_none_or(|time| time.elapsed() > PAUSE_AGAIN) {
            let body = json!({ "id": partial.checkpoint.id, "seconds": PAUSE_SECONDS });
            pages(client, "export/pause", body, |_| Ok(())).await?;
            if paused_at.is_none() {
                observer.step(&Step::Paused);
            }
            paused_at = Some(Instant::now());
        }
        match page(client, options, partial).await {
            Ok(()) => {}
            Err(TransferError::Server(ClientError::Refused(body)))
                if body.code == "EXPORT_EXPIRED" && !options.quiesce && tries < SHARD_TRIES =>
            {
                tries += 1;
                partial.begin_shard_again()?;
                observer.step(&Step::ShardAgain);
            }
            Err(error) => return Err(error),
        }
        let Checkpoint { tally, .. } = &partial.checkpoint;
        observer.step(&Step::Moved {
            rows: tally.rows(),
            shards: tally.shards,
        });
    }
    Ok(())
}

/// Fetches a page, proves it, and puts it into the file.
async fn page(client: &mut AdminClient, options: &ExportOptions, partial: &mut Partial) -> Result<(), TransferError> {
    let Checkpoint { id, cursor, header, .. } = &partial.checkpoint;
    let tables: Vec<&String> = header.tables.keys().collect();
    let body: Json = json!({ "id": id, "tables": tables, "cursor": cursor, "isPaused": options.quiesce });
    let (lines, end) = export_page(client, &body).await?;
    let mut next = partial.checkpoint.clone();
    let mut told = next.tally.tables.clone();
    for part in &end.parts {
        add_all(&mut told, &part.tables);
    }
    for text in lines.split_inclusive(|byte| *byte == b'\n') {
        let number = next.tally.lines + 1;
        let line = parse_line(number, text.strip_suffix(b"\n").unwrap_or(text))?;
        if let Line::Shard(start) = &line {
            next.begin_shard(&start.name);
        }
        next.tally.add(number, &line)?;
        next.offset += text.len() as u64;
    }
    let different = crate::tally::differences(&told, &next.tally.tables);
    if !different.is_empty() {
        return Err(TransferError::Proof(format!(
            "rows came in other than the server hashed them: {}",
            different.join(", ")
        )));
    }
    for name in end.hidden {
        if !next.hidden.contains(&name) {
            next.hidden.push(name);
        }
    }
    next.is_read = end.cursor.is_none();
    next.cursor = end.cursor;
    partial.append(&lines, next)
}

fn finish(mut partial: Partial, options: &ExportOptions, url: &str) -> Result<ExportReport, TransferError> {
    partial.end(&partial.checkpoint.tally.footer())?;
    if options.out.exists() && !options.force {
        return Err(TransferError::OutputExists(options.out.clone()));
    }
    std::fs::rename(beside(&options.out, ".partial"), &options.out).map_err(TransferError::write(&options.out))?;
    sync_folder(&options.out)?;
    conclude(partial.checkpoint, options, url)
}

/// The file is whole and in its place.
fn conclude(checkpoint: Checkpoint, options: &ExportOptions, url: &str) -> Result<ExportReport, TransferError> {
    let Checkpoint {
        header, tally, hidden, ..
    } = checkpoint;
    let footer = tally.footer();
    let receipts = write_receipts(
        &options.out,
        options.receipts.as_deref(),
        (url, options.production),
        &header,
        &footer,
    )?;
    remove(&beside(&options.out, ".checkpoint"))?;
    Ok(ExportReport {
        header,
        footer,
        hidden,
        receipts,
    })
}
