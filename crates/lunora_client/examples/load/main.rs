//! The load generator behind the bench: one scenario against one server, described by the JSON in the
//! first argument, answered by one line of JSON on standard output.

#![allow(clippy::print_stdout, reason = "the answer goes to standard output")]

mod connection;
mod dialect;
mod hold;
mod latency;
mod lunora;
mod operation;
mod party;
mod random;
mod raw;
mod report;
mod scenario;
mod triplit;
mod writers;

use scenario::{Kind, Scenario};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let argument = std::env::args()
        .nth(1)
        .ok_or("The first argument is the scenario as JSON")?;
    let scenario: Scenario = serde_json::from_str(&argument)?;
    // One thread: the server needs the other cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(tokio::task::LocalSet::new().run_until(async move {
        match &scenario.kind {
            Kind::Write(write) => writers::run(&scenario, write).await,
            Kind::Slices(writers) => writers::run_slices(&scenario, writers).await,
            Kind::Latency(latency) => latency::run(&scenario, latency).await,
            Kind::Hold(hold) => hold::run(&scenario, hold).await,
        }
    }))?;
    println!("{report}");
    Ok(())
}
