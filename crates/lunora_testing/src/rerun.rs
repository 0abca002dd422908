//! Running one test again in a child process that lives under other conditions.

use std::path::PathBuf;
use std::process::Command;

/// The arguments by which a test binary runs one test alone.
pub(crate) fn only(test_name: &str) -> [&str; 4] {
    ["--exact", test_name, "--nocapture", "--test-threads=1"]
}

/// The binary that is running.
pub(crate) fn own_binary() -> PathBuf {
    match std::env::current_exe() {
        Ok(binary) => binary,
        Err(error) => panic!("find the test's own binary: {error}"),
    }
}

/// Runs a command that runs one test, and fails as that test fails. A name that matches no test
/// fails too.
pub(crate) fn rerun(test_name: &str, conditions: &str, command: &mut Command) {
    match command.output() {
        Ok(output) => {
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && printed.contains("1 passed"),
                "{test_name} {conditions}: {}\n{printed}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Err(error) => panic!("start the child process: {error}"),
    }
}
