//! The `lunora` command.
//!
//! The command line is parsed and, where it needs no JavaScript, carried out here; output is collected and
//! returned, so that one place writes it and the command can be tested as a function.

mod arguments;
mod doctor;
mod inspect;
mod inspector_api;
mod interrupt;
mod lines;
mod migrate;
mod outcome;
mod release;
mod residency;
mod run;
mod transfer;

pub use interrupt::interrupt;
pub use outcome::CommandOutcome;
pub use run::{CommandOptions, run};
