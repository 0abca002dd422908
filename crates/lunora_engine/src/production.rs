//! Serving a production build on this machine.

mod manifest;
mod options;
mod server;
mod settings;
mod stored_schema;

pub(crate) use manifest::BuildManifest;
pub use options::ServeOptions;
pub use server::Server;
