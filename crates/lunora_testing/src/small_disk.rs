//! A disk that is soon full.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rerun::{only, own_binary, rerun};

/// Set in the process that sees the small disk.
const VARIABLE: &str = "LUNORA_TEST_SMALL_DISK";

/// A `tmpfs` of few bytes, so that "no space left on device" is the real thing.
///
/// Mounting needs a mount namespace of its own (`unshare`, as root or in a user namespace), so the
/// test runs again, alone, in a child process that sees the disk.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Runs a test body with a disk of so many bytes. `test_name` is the test's full path within its
    /// binary, for example `writer::tests::a_full_disk`.
    ///
    /// Where namespaces are not to be had (outside Linux, in a locked-down container), the test is
    /// left out and says so on standard error.
    ///
    /// # Panics
    /// When the body panics in the child process.
    pub fn with(bytes: u32, test_name: &str, body: impl FnOnce(&Self)) {
        if let Ok(folder) = std::env::var(VARIABLE) {
            body(&Self { folder: folder.into() });
            return;
        }
        if !Self::is_available() {
            eprintln!("{test_name}: left out, this machine has no mount namespaces");
            return;
        }
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("create a temporary folder: {error}"),
        };
        let mut command = Self::unshare();
        command
            .arg(format!("mount -t tmpfs -o size={bytes} none \"$0\" && exec \"$@\""))
            .arg(folder.path())
            .arg(own_binary())
            .args(only(test_name))
            .env(VARIABLE, folder.path());
        rerun(test_name, "on a small disk", &mut command);
    }

    /// Where the disk is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Takes all the space that is left.
    ///
    /// # Panics
    /// When the disk does not fill up.
    pub fn fill(&self) -> FillGuard {
        let path = self.folder.join(".filling");
        let block = [0_u8; 1024];
        let outcome = std::fs::File::create(&path).and_then(|mut file| {
            for _ in 0..1_000_000 {
                std::io::Write::write_all(&mut file, &block)?;
            }
            Ok(())
        });
        match outcome {
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => FillGuard { path },
            other => panic!("the disk should be full, yet: {other:?}"),
        }
    }

    fn is_available() -> bool {
        cfg!(target_os = "linux")
            && Self::unshare()
                .arg("mount -t tmpfs -o size=4096 none /tmp")
                .output()
                .is_ok_and(|output| output.status.success())
    }

    fn unshare() -> Command {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "--", "sh", "-c"]);
        command
    }
}

/// Gives the space back when dropped.
#[derive(Debug)]
pub struct FillGuard {
    path: PathBuf,
}

impl Drop for FillGuard {
    fn drop(&mut self) {
        let _removed = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::SmallDisk;

    #[test]
    fn the_disk_is_really_full() {
        SmallDisk::with(65_536, "small_disk::tests::the_disk_is_really_full", |disk| {
            let file = disk.path().join("a");
            let written = std::fs::write(&file, vec![0; 1 << 20]);
            assert_eq!(
                written.map_err(|error| error.kind()),
                Err(std::io::ErrorKind::StorageFull)
            );
            assert!(std::fs::remove_file(&file).is_ok());
            let full = disk.fill();
            assert!(std::fs::write(&file, "x").is_err());
            drop(full);
            assert!(std::fs::write(&file, "x").is_ok());
        });
    }
}
