//! Code generation and the command line.

use lunora_cli::CommandOptions;
use lunora_engine::{CodegenOptions, ReleaseFinish};
use napi_derive::napi;

use crate::answer::{Answer, Failure, blocking, decode, guarded_now};
use crate::fault;

/// Reads the schema and the functions once and writes `lunora/_generated`.
#[napi]
pub async fn codegen(options: String) -> Answer {
    blocking(move || {
        fault::point("codegen");
        let options: CodegenOptions = decode(&options)?;
        lunora_engine::codegen(&options)
            .map_err(|failure| Failure::new(failure.diagnostics, failure.sources, options.color))
    })
    .await
}

/// Runs the `lunora` command as far as it needs no JavaScript.
#[napi]
pub async fn run_command_line(options: String) -> Answer {
    blocking(move || {
        fault::point("runCommandLine");
        let options: CommandOptions = decode(&options)?;
        Ok(lunora_cli::run(&options))
    })
    .await
}

/// Tells the command that runs to end; `false` where none listens, and the signal means what it always means.
#[napi]
pub fn interrupt_command_line() -> Answer {
    guarded_now(|| {
        fault::point("interruptCommandLine");
        Ok(lunora_cli::interrupt())
    })
}

/// Makes what was deployed the baseline that the next deployment is compared with.
#[napi]
pub async fn finish_release(options: String) -> Answer {
    blocking(move || {
        fault::point("finishRelease");
        let finish: ReleaseFinish = decode(&options)?;
        let baseline_file = lunora_engine::finish_release(&finish)?;
        Ok(serde_json::json!({ "baselineFile": baseline_file }))
    })
    .await
}
