//! A process whose files may not grow.

use std::process::Command;

use crate::rerun::{only, own_binary, rerun};

/// Set in the process with the limit.
const VARIABLE: &str = "LUNORA_TEST_FILE_SIZE_LIMIT";

/// Runs a test body in a child process that can write no file longer than so many blocks of 512
/// bytes: what a quota does, and needs no privileges. `test_name` is the test's full path within its
/// binary. Outside Unix, where there is no such limit, the test is left out and says so.
///
/// # Panics
/// When the body panics in the child process.
pub fn with_limited_file_size(blocks: u32, test_name: &str, body: impl FnOnce()) {
    if std::env::var_os(VARIABLE).is_some() {
        body();
        return;
    }
    if !cfg!(unix) {
        eprintln!("{test_name}: left out, this system does not limit the size of files");
        return;
    }
    // With the signal ignored, the write that goes too far fails instead of ending the process.
    let script = "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, &blocks.to_string()])
        .arg(own_binary())
        .args(only(test_name))
        .env(VARIABLE, "1");
    rerun(test_name, "with a limited file size", &mut command);
}

#[cfg(test)]
mod tests {
    use super::with_limited_file_size;
    use crate::TempProject;

    #[test]
    fn long_files_fail() {
        with_limited_file_size(2, "limited_file_size::tests::long_files_fail", || {
            let project = TempProject::new([("short", "x")]);
            let written = std::fs::write(project.path("long"), vec![b'x'; 100_000]);
            assert_eq!(
                written.map_err(|error| error.kind()),
                Err(std::io::ErrorKind::FileTooLarge)
            );
        });
    }
}
