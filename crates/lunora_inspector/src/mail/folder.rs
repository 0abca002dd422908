//! The files of the inbox: `<id>.eml` is the raw message, `<id>.json` says the rest and is written last.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lunora_diagnostics::{Diagnostic, codes};

use super::record::Record;

/// Begins the names of files that are not yet written to their end.
const UNFINISHED: &str = ".new-";

/// The folder of one region, or of the mail that names none.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    region: Option<String>,
}

/// What lies in a folder.
pub(crate) struct Found {
    pub records: Vec<Record>,
    /// Mails that are incomplete.
    pub torn: Vec<Diagnostic>,
}

/// A region's name is the name of a folder.
pub(crate) fn is_region(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|one: char| one.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !["none", "mail"].contains(&name)
}

/// Names of what is in a folder; in one that is not there is nothing.
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

impl Folder {
    pub(crate) fn of(state: &Path, region: Option<&str>) -> Self {
        Self {
            path: region
                .map_or_else(|| state.to_owned(), |name| state.join(name))
                .join("mail"),
            region: region.map(str::to_owned),
        }
    }

    /// Those that exist below the state folder.
    pub(crate) fn all(state: &Path) -> io::Result<Vec<Self>> {
        let mut folders = vec![Self::of(state, None)];
        for name in names(state)? {
            if let Some(name) = name.to_str().filter(|name| is_region(name)) {
                folders.push(Self::of(state, Some(name)));
            }
        }
        Ok(folders)
    }

    fn file(&self, id: &str, ending: &str) -> PathBuf {
        self.path.join(format!("{id}.{ending}"))
    }

    fn write(&self, id: &str, ending: &str, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.path)?;
        file.write_all(bytes)?;
        file.as_file().sync_data()?;
        file.persist(self.file(id, ending)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Writes a mail: when the record is there, all of it is.
    pub(crate) fn add(&self, record: &Record, raw: &[u8]) -> io::Result<()> {
        let id = &record.summary.id;
        let written = self.write(id, "eml", raw).and_then(|()| self.set(record));
        if written.is_err() {
            // The caller hears of the failure itself; what is left of the mail is nobody's.
            let _gone = fs::remove_file(self.file(id, "eml"));
        }
        written
    }

    pub(crate) fn set(&self, record: &Record) -> io::Result<()> {
        self.write(&record.summary.id, "json", &serde_json::to_vec(record)?)
    }

    pub(crate) fn raw(&self, id: &str) -> io::Result<Vec<u8>> {
        fs::read(self.file(id, "eml"))
    }

    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        for ending in ["json", "eml"] {
            match fs::remove_file(self.file(id, ending)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn read(&self, id: &str) -> Result<Record, String> {
        let text = fs::read(self.file(id, "json")).map_err(|error| error.to_string())?;
        let record: Record = serde_json::from_slice(&text).map_err(|error| format!("its record is torn: {error}"))?;
        let size = fs::metadata(self.file(id, "eml"))
            .map_err(|error| format!("its message: {error}"))?
            .len();
        if record.summary.id != id || record.summary.region != self.region {
            return Err("its record is another mail's".to_owned());
        }
        if record.summary.size != size {
            return Err(format!("its message has {size} bytes of {}", record.summary.size));
        }
        Ok(record)
    }

    /// Everything in it. What a crash left unfinished, and nobody was told of, is removed.
    pub(crate) fn load(&self) -> io::Result<Found> {
        let (mut records, mut torn, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for name in names(&self.path)? {
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(UNFINISHED) {
                fs::remove_file(self.path.join(name))?;
            } else if let Some(id) = name.strip_suffix(".json") {
                match self.read(id) {
                    Ok(record) => records.push(record),
                    Err(reason) => torn.push(self.torn(id, &reason)),
                }
            } else if let Some(id) = name.strip_suffix(".eml") {
                messages.push(id.to_owned());
            }
        }
        for id in messages {
            if !self.file(&id, "json").exists() {
                fs::remove_file(self.file(&id, "eml"))?;
            }
        }
        Ok(Found { records, torn })
    }

    fn torn(&self, id: &str, reason: &str) -> Diagnostic {
        let (record, message) = (self.file(id, "json"), self.file(id, "eml"));
        Diagnostic::warning(codes::MAIL_TORN, format!("a mail of the inbox is left out: {reason}")).with_help(format!(
            "Delete `{}` and `{}`.",
            record.display(),
            message.display()
        ))
    }
}
