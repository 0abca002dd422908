//! The app on disk: where it is, what its `package.json`, environment files and wrangler
//! configuration say, and how files are replaced without ever being seen half-written.

mod development_variables;
mod discover;
mod environment_file;
mod file_error;
mod file_set;
mod lockfile;
mod package_facts;
mod project;
mod replace_file;
mod wrangler;
mod wrangler_settings;

pub use development_variables::{DevelopmentVariables, load_development_variables, load_production_variables};
pub use discover::DiscoverOptions;
pub use environment_file::{EnvironmentEntry, EnvironmentFile, parse_environment};
pub use file_error::{FileAction, file_diagnostic};
pub use file_set::FileSet;
pub use lockfile::Lockfile;
pub use package_facts::PackageFacts;
pub use project::Project;
pub use replace_file::replace_file;
pub use wrangler::{
    Change, PLACEHOLDER_ID, Reconciled, Wanted, WantedDatabase, WantedObject, WranglerUpdate, find_wrangler_config,
    fresh_wrangler, is_database_id, plan_wrangler, reconcile_wrangler, update_wrangler,
};
pub use wrangler_settings::{
    D1Database, DEFAULT_COMPATIBILITY_DATE, MINIMUM_COMPATIBILITY_DATE, SendEmail, WranglerSettings, read_wrangler,
};
