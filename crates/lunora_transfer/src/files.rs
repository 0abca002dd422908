//! Files that are whole or not there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TransferError;

/// The path with something behind its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Writes JSON beside the file, to disk, and puts it in the file's place.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TransferError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| TransferError::answer(error.to_string()))?;
    let draft = beside(path, ".new");
    let write = || {
        let mut file = File::create(&draft)?;
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(TransferError::write(path))
}

/// Reads JSON that [`write_json`] wrote; `None` when there is no such file.
pub(crate) fn read_json<Value: DeserializeOwned>(path: &Path) -> Result<Option<Value>, TransferError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TransferError::Read(path.to_owned(), error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| TransferError::Checkpoint(format!("`{}` cannot be understood: {error}", path.display())))
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<(), TransferError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TransferError::Write(path.to_owned(), error)),
        _ => Ok(()),
    }
}

/// Makes a rename in the file's folder outlive a crash.
pub(crate) fn sync_folder(path: &Path) -> Result<(), TransferError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(TransferError::write(path))
}

/// 128 bits of randomness as hexadecimal digits.
pub(crate) fn random_id() -> Result<String, TransferError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| TransferError::answer(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
