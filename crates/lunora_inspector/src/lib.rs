//! The inspector of development: what happens in the app's shards, and the mail it sends, on loopback.
//!
//! [`Inspector::start`] opens its sockets; the engine tells it of builds and of the worker, the worker's tap of what happens
//! in the app. DESIGN.md says who is kept out, and how.

mod api;
mod batch;
mod chaos;
mod faults;
pub mod guard;
mod hub;
mod inspector;
mod listener;
mod log_join;
pub mod mail;
mod page;
mod reply;
mod run_file;
mod seal;
mod server;
pub mod tap;
mod tap_listener;
pub mod tickets;
pub mod timeline;
pub mod token;
mod upstream;

pub use api::{ResidencySource, SCHEMA};
pub use chaos::{ChaosChanged, ChaosState, LARGEST_SEED};
pub use hub::{Clock, WorkerState};
pub use inspector::{Inspector, InspectorOptions};
pub use log_join::WorkerLine;
