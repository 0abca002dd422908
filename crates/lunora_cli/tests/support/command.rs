//! The command line as a function.

use lunora_cli::{CommandOptions, CommandOutcome};
use lunora_testing::TempProject;

/// Runs the command in a project: exit code, standard output, standard error.
pub async fn lunora(project: &TempProject, arguments: &[&str]) -> (u8, String, String) {
    let options = CommandOptions {
        arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
        working_directory: project.path("."),
        color: false,
        columns: None,
        node_version: None,
    };
    match tokio::task::spawn_blocking(move || lunora_cli::run(&options))
        .await
        .unwrap()
    {
        CommandOutcome::Done {
            exit_code,
            stdout,
            stderr,
        } => (exit_code, stdout, stderr),
        other => panic!("{other:?}"),
    }
}
