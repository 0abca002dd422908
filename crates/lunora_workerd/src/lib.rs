//! Runs workerd: configuration, process, and the proxy in front of it.
//!
//! [`WorkerdHandle::start`] opens the port, [`WorkerdHandle::update`] puts a worker behind it, and does
//! so again after every edit without losing a request. DESIGN.md says why it is built this way.

mod binary;
mod calendar_date;
mod certificates;
mod check;
mod config;
mod config_message;
mod email;
mod event;
mod events_socket;
mod found;
mod handle;
mod log_context;
mod log_line;
mod proxy;
mod region_memory;
mod scheduled;
mod stack_trace;
mod start_failure;
mod state_directory;
mod storage_folders;
mod supervisor;
mod worker_description;

pub use config::{print_config, unpinned_key};
pub use email::{EmailAnswer, EmailContent, EmailForward, EmailOutcome, EmailReply};
pub use event::{LogEvent, LogLevel, LogSource, WorkerdEvent};
pub use events_socket::EventsSocket;
pub use found::{FoundWorkerd, find_workerd};
pub use handle::{Clock, ReloadOutcome, StartOptions, WorkerdHandle};
pub use proxy::server::PortChoice;
pub use stack_trace::{SourcePosition, StackRemapper};
pub use start_failure::first_location;
pub use state_directory::running_url;
pub use worker_description::{
    Binding, BindingValue, D1, D1Binding, DurableObject, EmailBinding, FunctionKind, Mail, Module, ModuleBody, Tap,
    WorkerDescription,
};
