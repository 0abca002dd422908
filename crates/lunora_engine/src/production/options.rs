//! What `lunora start` is asked for.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// Options of a production server, as the host passes them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServeOptions {
    /// A folder in or below the project.
    pub root: PathBuf,
    /// The folder of the schema and functions, below the project.
    #[serde(default)]
    pub lunora_directory: Option<String>,
    /// Whether rendered texts carry ANSI colours.
    #[serde(default)]
    pub color: bool,
    /// The address to listen on; loopback when it is not stated.
    #[serde(default)]
    pub host: Option<IpAddr>,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// The folder of the data; `.lunora/production` in the project when it is not stated.
    #[serde(default)]
    pub state: Option<PathBuf>,
    /// Path of the workerd program.
    #[serde(default)]
    pub workerd: Option<PathBuf>,
    /// Further hosts under which it is reached: those of a proxy in front of it. When it listens on loopback only, no
    /// others are answered; receipts of exports that went through the proxy are those of this server.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// Names of secrets that are taken from the environment and must be there.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Breaking drift against the stored data does not stop the start.
    #[serde(default)]
    pub allow_schema_drift: bool,
    /// Another jurisdiction than the stored data has needs no export.
    #[serde(default)]
    pub strand_data: bool,
    /// How far the clock that rings crons is ahead of the machine's, milliseconds. No command states it: tests do, which
    /// have no minute to wait.
    #[serde(default)]
    pub clock_offset: i64,
}
