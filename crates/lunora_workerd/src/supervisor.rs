//! Keeps one workerd process running: a pure state machine and the actor that does its I/O.

pub(crate) mod actor;
mod lines;
pub(crate) mod machine;
mod process;
mod spare;
pub(crate) mod spawner;
mod waiting_process;
#[cfg(any(not(target_os = "linux"), test))]
mod watchdog;
