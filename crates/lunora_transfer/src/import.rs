//! An import: lines of a dump into a staging area, and one commit for all shards.

mod batch;
mod progress_file;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lunora_client::{AdminClient, ClientError};
use serde_json::json;

use crate::dump_reader::{DumpReader, check_dump};
use crate::error::TransferError;
use crate::line::{Footer, Header, Line, parse_line};
use crate::observer::{Observer, Step};
use crate::rehome::Rehoming;
use crate::server::{ServerInfo, pages, proofs};
use crate::table_hash::TableProof;
use crate::tally::differences;
use batch::Batch;
use progress_file::{Phase, ProgressFile};

/// What an import does with rows that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// There may be none.
    Empty,
    /// They stay, and rows of the dump win over those with the same id.
    Merge,
    /// The dump takes their place.
    Replace,
}

impl ImportMode {
    fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Merge => "merge",
            Self::Replace => "replace",
        }
    }
}

/// What to import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The dump.
    pub dump: PathBuf,
    /// All tables of the dump, unless given.
    pub tables: Option<Vec<String>>,
    /// What to do with rows that are there.
    pub mode: ImportMode,
    /// Go on with an import that was left.
    pub resume: bool,
}

/// A dump that is whole, and what of it is to go where.
pub struct ImportPlan {
    /// Its first line.
    pub header: Header,
    /// Its last.
    pub footer: Footer,
    /// The tables that are imported.
    pub tables: Vec<String>,
    /// Tables that lay in the root and lie in shards from now on.
    pub rehomed: Vec<String>,
    rehoming: Rehoming,
    dump: PathBuf,
    /// Held while the dump is read, so that no second import of it runs beside.
    _lock: File,
}

impl ImportPlan {
    /// How many rows of the dump are to move.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let own = |name: &&String| self.footer.tables.get(*name);
        self.tables
            .iter()
            .filter_map(|name| own(&name))
            .map(|proof| proof.rows)
            .sum()
    }
}

/// What an import came to.
#[derive(Debug, Clone)]
pub struct ImportReport {
    /// What was sent, by table.
    pub sent: BTreeMap<String, TableProof>,
    /// Whether both sides were compared: not after a merge, which leaves other rows where they are.
    pub is_proven: bool,
}

/// Reads the whole dump, so that one that is not whole harms nobody.
///
/// # Errors
/// When it is not, when tables are asked for that it does not have, or another import of it is under way.
pub fn plan(options: &ImportOptions, info: &ServerInfo) -> Result<ImportPlan, TransferError> {
    let lock = locked(&options.dump)?;
    let (header, footer) = check_dump(&options.dump)?;
    let mut tables = options
        .tables
        .clone()
        .unwrap_or_else(|| header.tables.keys().cloned().collect());
    tables.sort();
    tables.dedup();
    if let Some(missing) = tables.iter().find(|name| !header.tables.contains_key(*name)) {
        return Err(TransferError::Truncated(format!("it has no table `{missing}`")));
    }
    let rehoming = Rehoming::read(&options.dump, (&header, &footer), &tables, info)?;
    Ok(ImportPlan {
        rehomed: rehoming.tables(),
        header,
        footer,
        tables,
        rehoming,
        dump: options.dump.clone(),
        _lock: lock,
    })
}

/// Imports: nothing counts before all of it does.
///
/// # Errors
/// What the server refused, after which nothing of the import is left; what kept it from being reached, after which it
/// can be gone on with; and rows that are not the same on both sides in the end.
pub async fn import(
    client: &mut AdminClient,
    plan: &ImportPlan,
    options: &ImportOptions,
    observer: &mut dyn Observer,
) -> Result<ImportReport, TransferError> {
    let url = client.address().to_string();
    let mut progress = if options.resume {
        ProgressFile::resume(&plan.dump, &url, options.mode.name(), &plan.tables)?
    } else {
        give_up_earlier(client, plan, &url).await?;
        ProgressFile::begin(&plan.dump, &url, options.mode.name(), &plan.tables)?
    };
    let result = run(client, plan, &mut progress, observer).await;
    if let Err(TransferError::Server(ClientError::Refused(body))) = &result {
        // Somebody else's import is not ours to give up; one that is not open is given up already.
        if !matches!(
            body.code.as_str(),
            "IMPORT_IN_PROGRESS" | "IMPORT_NOT_OPEN" | "UNAUTHORIZED"
        ) {
            let id = json!({ "id": progress.state.id });
            if pages(client, "import/abort", id, |_| Ok(())).await.is_ok() {
                observer.step(&Step::Aborted);
                progress.remove()?;
            }
        } else if progress.state.line == 0 {
            progress.remove()?;
        }
    }
    result?;
    let sent = progress.state.sent.clone();
    let is_proven = options.mode != ImportMode::Merge;
    if is_proven {
        observer.step(&Step::Verifying);
        let compared = compare(client, &plan.tables, &sent).await;
        // Killed before this it is gone on with, and compared again.
        if !matches!(&compared, Err(TransferError::Server(_))) {
            progress.remove()?;
        }
        compared?;
    } else {
        progress.remove()?;
    }
    Ok(ImportReport { sent, is_proven })
}

/// Gives up the import of this dump that was left, and leaves nothing of it.
///
/// # Errors
/// When none was left, another process is at work on it, or its rows count already (`IMPORT_NOT_OPEN`); and what kept the
/// server from being reached.
pub async fn abort(client: &mut AdminClient, dump: &Path, observer: &mut dyn Observer) -> Result<(), TransferError> {
    // The dump itself is not needed any more.
    let _lock = dump.exists().then(|| locked(dump)).transpose()?;
    give_up(client, dump, observer).await
}

/// Gives up the import that this process has begun of the plan, as [`abort`] does.
///
/// # Errors
/// As [`abort`].
pub async fn abort_plan(
    client: &mut AdminClient,
    plan: &ImportPlan,
    observer: &mut dyn Observer,
) -> Result<(), TransferError> {
    give_up(client, &plan.dump, observer).await
}

/// Whoever calls holds the dump.
async fn give_up(client: &mut AdminClient, dump: &Path, observer: &mut dyn Observer) -> Result<(), TransferError> {
    let url = client.address().to_string();
    let Some(left) = ProgressFile::left(dump, &url)? else {
        return Err(TransferError::Checkpoint(format!(
            "no import of `{}` into `{url}` was left here",
            dump.display()
        )));
    };
    pages(client, "import/abort", json!({ "id": left.state.id }), |_| Ok(())).await?;
    observer.step(&Step::Aborted);
    left.remove()
}

/// How far the import of a dump was that was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftImport {
    /// Rows that the server has staged for certain.
    pub staged: u64,
}

/// The import of this plan into this server that was left, when there is one.
///
/// # Errors
/// When what it left cannot be read.
pub fn left_import(plan: &ImportPlan, url: &str) -> Result<Option<LeftImport>, TransferError> {
    let left = ProgressFile::left(&plan.dump, url)?;
    Ok(left.map(|left| LeftImport {
        staged: left.state.sent.values().map(|proof| proof.rows).sum(),
    }))
}

/// The dump, held so that no second process is at work on its import.
fn locked(dump: &Path) -> Result<File, TransferError> {
    let lock = File::open(dump).map_err(TransferError::read(dump))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(TransferError::Busy(dump.to_owned())),
        Err(TryLockError::Error(error)) => Err(TransferError::Read(dump.to_owned(), error)),
    }
}

/// Begun anew, the import that was left is nobody's any more.
async fn give_up_earlier(client: &mut AdminClient, plan: &ImportPlan, url: &str) -> Result<(), TransferError> {
    let Some(left) = ProgressFile::left(&plan.dump, url)? else {
        return Ok(());
    };
    match pages(client, "import/abort", json!({ "id": left.state.id }), |_| Ok(())).await {
        // It counts already.
        Err(TransferError::Server(ClientError::Refused(body))) if body.code == "IMPORT_NOT_OPEN" => Ok(()),
        result => result,
    }
}

/// Compares what is there with what the dump brings; changes nothing.
///
/// # Errors
/// When it is not the same, and what kept it from being asked.
pub async fn verify(
    client: &mut AdminClient,
    plan: &ImportPlan,
    observer: &mut dyn Observer,
) -> Result<BTreeMap<String, TableProof>, TransferError> {
    observer.step(&Step::Verifying);
    let mut expected: BTreeMap<String, TableProof> = BTreeMap::new();
    if plan.rehomed.is_empty() {
        for name in &plan.tables {
            expected.insert(name.clone(), plan.footer.tables.get(name).copied().unwrap_or_default());
        }
    } else {
        let mut reader = DumpReader::open(&plan.dump)?;
        while let Some(text) = reader.next_text()? {
            let Line::Row { table, mut doc } = parse_line(0, text)? else {
                continue;
            };
            if plan.tables.contains(&table) {
                plan.rehoming.rewrite(&table, &mut doc);
                expected.entry(table).or_default().add_row(&doc);
            }
        }
    }
    compare(client, &plan.tables, &expected).await?;
    Ok(expected)
}

async fn compare(
    client: &mut AdminClient,
    tables: &[String],
    expected: &BTreeMap<String, TableProof>,
) -> Result<(), TransferError> {
    let mut wanted: BTreeMap<String, TableProof> = tables
        .iter()
        .map(|name| (name.clone(), TableProof::default()))
        .collect();
    wanted.extend(expected.iter().map(|(name, proof)| (name.clone(), *proof)));
    let different = differences(&wanted, &proofs(client, tables).await?);
    if different.is_empty() {
        return Ok(());
    }
    Err(TransferError::Proof(format!(
        "the app does not hold the rows of the dump: {}",
        different.join(", ")
    )))
}

async fn run(
    client: &mut AdminClient,
    plan: &ImportPlan,
    progress: &mut ProgressFile,
    observer: &mut dyn Observer,
) -> Result<(), TransferError> {
    let id = progress.state.id.clone();
    let mut state = String::from("open");
    let begin = json!({ "id": id, "mode": progress.state.mode, "tables": plan.tables });
    pages(client, "import/begin", begin, |answer| {
        if let Some(text) = answer.get("state").and_then(serde_json::Value::as_str) {
            text.clone_into(&mut state);
        }
        Ok(())
    })
    .await?;
    if state == "aborted" {
        return Err(TransferError::Checkpoint(
            "the import was left for so long that the server has given it up; begin again without `--resume`"
                .to_owned(),
        ));
    }
    if state == "open" {
        if progress.state.phase == Phase::Rows {
            send(client, plan, progress, observer).await?;
            progress.reach(Phase::Prepare)?;
        }
        observer.step(&Step::Preparing);
        pages(client, "import/prepare", json!({ "id": id }), |_| Ok(())).await?;
        client.post("import/commit", &json!({ "id": id })).await?;
    }
    observer.step(&Step::Committed);
    pages(client, "import/finish", json!({ "id": id }), |_| Ok(())).await
}

/// Sends what was not sent yet.
async fn send(
    client: &mut AdminClient,
    plan: &ImportPlan,
    progress: &mut ProgressFile,
    observer: &mut dyn Observer,
) -> Result<(), TransferError> {
    let mut reader = DumpReader::open(&plan.dump)?;
    let mut batch = Batch::default();
    let mut shard = String::new();
    let mut shards = 0;
    let mut sent = progress.state.sent.clone();
    loop {
        let number = reader.number() + 1;
        let Some(text) = reader.next_text()? else { break };
        let is_sent = number <= progress.state.line;
        match parse_line(number, text)? {
            Line::Shard(start) => {
                shard = start.name;
                shards += 1;
                if !is_sent {
                    batch.touch(&shard);
                }
            }
            Line::Companion if !is_sent => batch.add(&shard, number, &String::from_utf8_lossy(text)),
            Line::Row { table, mut doc } if !is_sent && plan.tables.contains(&table) => {
                let target = plan.rehoming.rewrite(&table, &mut doc);
                sent.entry(table.clone()).or_default().add_row(&doc);
                let text = json!({ "table": table, "doc": doc }).to_string();
                batch.add(target.as_deref().unwrap_or(&shard), number, &text);
            }
            _ => {}
        }
        if batch.is_full() {
            post(client, &progress.state.id, &mut batch).await?;
            progress.sent(number, &sent)?;
            observer.step(&Step::Moved {
                rows: sent.values().map(|proof| proof.rows).sum(),
                shards,
            });
        }
    }
    post(client, &progress.state.id, &mut batch).await?;
    progress.sent(reader.number(), &sent)?;
    observer.step(&Step::Moved {
        rows: sent.values().map(|proof| proof.rows).sum(),
        shards,
    });
    Ok(())
}

async fn post(client: &mut AdminClient, id: &str, batch: &mut Batch) -> Result<(), TransferError> {
    let text = batch.take();
    if !text.is_empty() {
        client
            .post_lines(&format!("import/rows?id={id}"), Bytes::from(text))
            .await?;
    }
    Ok(())
}
