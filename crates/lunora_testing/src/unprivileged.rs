//! Running a test as somebody who may not do everything.

/// Set in the process that has given up its privileges.
const VARIABLE: &str = "LUNORA_TEST_UNPRIVILEGED";

/// The user and group `nobody`.
#[cfg(unix)]
const NOBODY: u32 = 65_534;

/// Runs a test body in a process to which permissions apply. They do not apply to root, who runs
/// tests in containers; there the test runs again, alone, in a child process as `nobody`.
/// `test_name` is the test's full path within its binary.
///
/// # Panics
/// When the body panics in the child process, or `nobody` may not run the test's binary.
pub fn unprivileged(test_name: &str, body: impl FnOnce()) {
    #[cfg(unix)]
    if std::env::var_os(VARIABLE).is_none() && rustix::process::geteuid().is_root() {
        return run_again(test_name);
    }
    let _name_is_used_where_there_is_no_root = (test_name, VARIABLE);
    body();
}

#[cfg(unix)]
fn run_again(test_name: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    use crate::rerun::{only, own_binary, rerun};

    // The build folder may lie where `nobody` cannot look: a copy is run. Another process makes it: a file that
    // this one had open for writing could still be open in a child that some other test's thread just forked,
    // and a program that is open for writing cannot be started.
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => panic!("create a temporary folder: {error}"),
    };
    let binary = folder.path().join("test");
    let readable = std::fs::Permissions::from_mode(0o755);
    let copied = std::process::Command::new("cp")
        .arg(own_binary())
        .arg(&binary)
        .status()
        .and_then(|status| match status.success() {
            true => Ok(()),
            false => Err(std::io::Error::other(status.to_string())),
        })
        .and_then(|()| std::fs::set_permissions(folder.path(), readable.clone()))
        .and_then(|()| std::fs::set_permissions(&binary, readable));
    if let Err(error) = copied {
        panic!("copy the test's own binary: {error}");
    }
    let mut command = std::process::Command::new(&binary);
    command
        .args(only(test_name))
        .env(VARIABLE, "1")
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY);
    rerun(test_name, "as nobody", &mut command);
}

#[cfg(test)]
mod tests {
    use super::unprivileged;

    #[cfg(unix)]
    #[test]
    fn permissions_apply() {
        unprivileged("unprivileged::tests::permissions_apply", || {
            let written = std::fs::write("/lunora-must-not-be-here", "x");
            assert!(written.is_err());
        });
    }
}
