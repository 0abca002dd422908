//! Replacing one file.

use std::io::Write as _;
use std::path::Path;

use lunora_diagnostics::Diagnostic;

use crate::file_error::{FileAction, file_diagnostic, not_a_file};

/// Replaces a file, or creates it, so that no reader and no crash ever sees a part of it: a
/// temporary file in the same folder is written, flushed to the disk and renamed. The mode of an
/// existing file is kept, and a symbolic link stays a link, its target being replaced.
///
/// # Errors
/// When the disk is full, the folder cannot be written, or a folder stands in the file's place. The
/// old file is then as it was.
pub fn replace_file(path: &Path, contents: &[u8]) -> Result<(), Diagnostic> {
    let failed = |error: &std::io::Error| file_diagnostic(FileAction::Write, path, error);
    let target = match path.canonicalize() {
        Ok(target) => target,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(failed(&error)),
    };
    let metadata = std::fs::metadata(&target).ok();
    if metadata.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(not_a_file(&target));
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut temporary = new_temporary(folder).map_err(|error| failed(&error))?;
    temporary
        .write_all(contents)
        .and_then(|()| match &metadata {
            Some(metadata) => temporary.as_file().set_permissions(metadata.permissions()),
            None => Ok(()),
        })
        .and_then(|()| temporary.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    temporary.persist(&target).map_err(|error| failed(&error.error))?;
    Ok(())
}

/// A temporary file that gets the mode an ordinary new file would.
fn new_temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lunora-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Narrowed by the umask, as for any file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lunora_diagnostics::codes;
    use lunora_testing::TempProject;

    use super::replace_file;

    #[test]
    fn creates_and_replaces() {
        let project = TempProject::new([]);
        let path = project.path("a.json");
        replace_file(&path, b"one").unwrap();
        replace_file(&path, b"two").unwrap();
        assert_eq!(project.read("a.json"), "two");
        assert_eq!(project.files(), ["a.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn keeps_the_mode_and_the_link() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let project = TempProject::new([("real.json", "old")]);
        let real = project.path("real.json");
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real.json", project.path("link.json")).unwrap();
        replace_file(&project.path("link.json"), b"new").unwrap();
        assert_eq!(project.read("real.json"), "new");
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(project.path("link.json").symlink_metadata().unwrap().is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_readable_by_others_as_the_umask_says() {
        use std::os::unix::fs::PermissionsExt as _;
        let project = TempProject::new([("plain", "")]);
        replace_file(&project.path("new"), b"x").unwrap();
        let mode = |name| project.path(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode("new"), mode("plain"));
    }

    #[test]
    fn a_folder_in_its_place_is_refused() {
        let project = TempProject::new([("a.json/inside", "")]);
        let diagnostic = replace_file(&project.path("a.json"), b"x").unwrap_err();
        assert_eq!(diagnostic.code, codes::PATH_NOT_A_FILE);
        let diagnostic = replace_file(&project.path("a.json/inside/b"), b"x").unwrap_err();
        assert_eq!(diagnostic.code, codes::PATH_NOT_A_DIRECTORY);
    }
}
