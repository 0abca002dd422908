//! The file that an export grows in, and what is needed to go on with it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::TransferError;
use crate::files::{beside, read_json, remove, write_json};
use crate::line::{Footer, Header, line_text};
use crate::tally::Tally;

/// Everything up to `offset` is on disk, and has been proven.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checkpoint {
    version: u64,
    url: String,
    /// Names the export to the shards.
    pub id: String,
    pub header: Header,
    /// Bytes of the file.
    pub offset: u64,
    /// Where the next page starts; absent at the beginning.
    pub cursor: Option<String>,
    /// Nothing is left to read.
    pub is_read: bool,
    pub tally: Tally,
    pub hidden: Vec<String>,
    /// How things stood when the shard that is being read began.
    shard: Option<ShardBegin>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ShardBegin {
    offset: u64,
    /// Reads the shard from its beginning.
    cursor: String,
    tally: Tally,
}

impl Checkpoint {
    /// The next line begins a shard.
    pub(crate) fn begin_shard(&mut self, name: &str) {
        self.shard = Some(ShardBegin {
            offset: self.offset,
            cursor: json!({ "after": null, "shard": name, "position": null }).to_string(),
            tally: self.tally.clone(),
        });
    }
}

/// The checkpoint of an export that was killed between putting the file in its place and saying so.
pub(crate) fn renamed(out: &Path, url: &str) -> Result<Option<Checkpoint>, TransferError> {
    if !out.exists() || beside(out, ".partial").exists() {
        return Ok(None);
    }
    let left = read_json::<Checkpoint>(&beside(out, ".checkpoint"))?;
    Ok(left.filter(|checkpoint| checkpoint.is_read && checkpoint.url == url))
}

/// The file beside the one that it will be.
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    checkpoint_path: PathBuf,
    pub checkpoint: Checkpoint,
}

fn open(path: &Path, create_new: bool) -> Result<File, TransferError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(create_new);
    let file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => TransferError::OutputExists(path.to_owned()),
        _ => TransferError::Write(path.to_owned(), error),
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TransferError::Busy(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(TransferError::Write(path.to_owned(), error)),
    }
}

impl Partial {
    /// A new file with its first line. `force` takes the place of one that was left.
    pub(crate) fn begin(out: &Path, url: &str, id: String, header: Header, force: bool) -> Result<Self, TransferError> {
        let path = beside(out, ".partial");
        if force && path.exists() {
            // Locked first: it may be somebody's who is still at work.
            drop(open(&path, false)?);
            remove(&path)?;
        }
        let mut file = open(&path, true)?;
        let text = line_text("header", &header)?;
        file.write_all(text.as_bytes()).map_err(TransferError::write(&path))?;
        let checkpoint = Checkpoint {
            version: 1,
            url: url.to_owned(),
            id,
            tally: Tally::of(&header),
            header,
            offset: text.len() as u64,
            cursor: None,
            is_read: false,
            hidden: Vec::new(),
            shard: None,
        };
        let mut partial = Self {
            file,
            path,
            checkpoint_path: beside(out, ".checkpoint"),
            checkpoint,
        };
        partial.save()?;
        Ok(partial)
    }

    /// Goes on with a file that was left.
    pub(crate) fn resume(
        out: &Path,
        url: &str,
        tables: &[String],
        quiesce: bool,
        schema_version: Option<&str>,
    ) -> Result<Self, TransferError> {
        let checkpoint_path = beside(out, ".checkpoint");
        let path = beside(out, ".partial");
        let unusable = |why: &str| TransferError::Checkpoint(format!("`{}`: {why}", checkpoint_path.display()));
        let checkpoint: Checkpoint =
            read_json(&checkpoint_path)?.ok_or_else(|| unusable("no export was left here to go on with"))?;
        if checkpoint.version != 1 {
            return Err(TransferError::Version(checkpoint.version.to_string()));
        }
        if checkpoint.url != url {
            return Err(unusable(&format!("the export that was left asks `{}`", checkpoint.url)));
        }
        if checkpoint.header.quiesced || quiesce {
            return Err(unusable(
                "an export with `--quiesce` cannot be gone on with: its instant has passed",
            ));
        }
        if !checkpoint.header.tables.keys().eq(tables) {
            return Err(unusable("the export that was left is of other tables"));
        }
        if checkpoint.header.schema_version.as_deref() != schema_version {
            return Err(unusable("the schema has changed since the export began"));
        }
        let file = open(&path, false)?;
        let length = file.metadata().map_err(TransferError::read(&path))?.len();
        if length < checkpoint.offset {
            return Err(unusable("the file beside it is shorter than it was"));
        }
        let mut partial = Self {
            file,
            path,
            checkpoint_path,
            checkpoint,
        };
        partial.cut()?;
        Ok(partial)
    }

    /// Takes back what the checkpoint does not know of.
    fn cut(&mut self) -> Result<(), TransferError> {
        let offset = self.checkpoint.offset;
        self.file
            .set_len(offset)
            .and_then(|()| self.file.seek(SeekFrom::Start(offset)))
            .map(|_| ())
            .map_err(TransferError::write(&self.path))
    }

    /// Puts the data on disk, and then what is known of it.
    fn save(&mut self) -> Result<(), TransferError> {
        self.file.sync_data().map_err(TransferError::write(&self.path))?;
        write_json(&self.checkpoint_path, &self.checkpoint)
    }

    pub(crate) fn append(&mut self, lines: &[u8], next: Checkpoint) -> Result<(), TransferError> {
        self.file.write_all(lines).map_err(TransferError::write(&self.path))?;
        self.checkpoint = next;
        self.save()
    }

    /// Forgets what was read of the present shard.
    pub(crate) fn begin_shard_again(&mut self) -> Result<(), TransferError> {
        if let Some(begin) = self.checkpoint.shard.take() {
            self.checkpoint.offset = begin.offset;
            self.checkpoint.tally = begin.tally;
            self.checkpoint.cursor = Some(begin.cursor);
            self.checkpoint.is_read = false;
        }
        self.cut()?;
        self.save()
    }

    /// Writes the last line. From here on the file is whole.
    pub(crate) fn end(&mut self, footer: &Footer) -> Result<(), TransferError> {
        self.file
            .write_all(line_text("footer", footer)?.as_bytes())
            .and_then(|()| self.file.sync_all())
            .map_err(TransferError::write(&self.path))
    }

    /// Removes everything.
    pub(crate) fn discard(&self) -> Result<(), TransferError> {
        remove(&self.path)?;
        remove(&self.checkpoint_path)
    }
}
