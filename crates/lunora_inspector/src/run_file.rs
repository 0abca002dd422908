//! `.lunora/inspector.json`: where the inspector of this project is, for programs of its user.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::token::Token;

/// The file; removed when dropped, unless another run has replaced it.
#[derive(Debug)]
pub(crate) struct RunFile {
    path: PathBuf,
    text: String,
}

impl RunFile {
    /// Writes it, in place of what an earlier run may have left. It is complete, and readable by its user alone, from the
    /// moment it is there.
    pub(crate) fn write(folder: &Path, origin: &str, token: &Token) -> io::Result<Self> {
        let process = std::process::id();
        fs::create_dir_all(folder)?;
        let path = folder.join("inspector.json");
        let text = json!({ "origin": origin, "token": token.expose(), "pid": process }).to_string();
        let staged = folder.join(format!("inspector.json.{process}"));
        // A process of the same number may have left one behind.
        remove(&staged)?;
        let mut options = File::options();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&staged)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&staged, &path)?;
        Ok(Self { path, text })
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            // What cannot be removed names a process that has ended, by which its readers know it.
            drop(fs::remove_file(&self.path));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn replaces_a_stale_one_and_goes_with_its_run() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join(".lunora");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("inspector.json");
        fs::write(&path, "{\"pid\":1}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let token = Token::random().unwrap();
        let file = RunFile::write(&folder, "http://127.0.0.1:1", &token).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read["token"], token.expose());
        assert_eq!(read["pid"], std::process::id());
        let newer = RunFile::write(&folder, "http://127.0.0.1:2", &token).unwrap();
        drop(file);
        assert!(path.exists(), "it is of another run by now");
        drop(newer);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
