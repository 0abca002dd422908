//! The unix socket and its folder.
//!
//! Only this user can enter the folder: pages cannot reach the socket, and nobody else on the machine. It lies in the
//! system's folder for temporary files, because the path of a socket is at most about 100 bytes and a project's own folder
//! may be deeper.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

const FILE: &str = "d1.sock";

/// The socket and its folder, which goes with it.
pub(crate) struct Socket {
    pub listener: UnixListener,
    pub path: PathBuf,
    pub folder: tempfile::TempDir,
}

/// Opens it.
pub(crate) fn open() -> io::Result<Socket> {
    // A long TMPDIR makes the path too long.
    open_in(&std::env::temp_dir()).or_else(|_: io::Error| open_in(Path::new("/tmp")))
}

fn open_in(parent: &Path) -> io::Result<Socket> {
    let folder = tempfile::Builder::new()
        .prefix("lunora-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)?;
    let path = folder.path().join(FILE);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(Socket { listener, path, folder })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_else_reaches_it_and_it_leaves_nothing() {
        let socket = open().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(socket.folder.path()), 0o700);
        assert_eq!(mode(&socket.path), 0o600);
        let path = socket.path.clone();
        drop(socket);
        assert!(!path.parent().unwrap().exists());
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_is_an_error() {
        let deep = tempfile::tempdir().unwrap();
        let deep = deep.path().join("d".repeat(120));
        std::fs::create_dir_all(&deep).unwrap();
        assert!(open_in(&deep).is_err());
        assert_eq!(std::fs::read_dir(&deep).unwrap().count(), 0);
    }
}
