//! The options of what looks into an app.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::arguments::{ProjectArguments, TargetArguments};

/// Whose app.
#[derive(Debug, Args)]
pub struct ServerArguments {
    /// The origin of an app that is deployed, for example `https://app.example.com` [default: the development server of this project].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The server is not on this machine, or its rows are people's.
    #[arg(long, requires = "url")]
    pub prod: bool,
    /// A file that holds the admin token [default: the variable LUNORA_ADMIN_TOKEN].
    #[arg(long, value_name = "FILE", requires = "url")]
    pub token_file: Option<PathBuf>,
}

impl ServerArguments {
    /// In the form in which servers are found.
    pub(super) fn target(&self) -> TargetArguments {
        TargetArguments {
            url: self.url.clone(),
            prod: self.prod,
            token_file: self.token_file.clone(),
            tables: None,
            resume: false,
        }
    }
}

/// Options of `lunora shards`.
#[derive(Debug, Args)]
pub struct ShardsArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Whose.
    #[command(flatten)]
    pub server: ServerArguments,
    /// Only shards whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

/// Options of `lunora oplog`.
#[derive(Debug, Args)]
pub struct OplogArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Whose.
    #[command(flatten)]
    pub server: ServerArguments,
    /// The shard, as `lunora shards` names it [default: what the inspector saw of all of them].
    #[arg(value_name = "SHARD")]
    pub shard: Option<String>,
    /// Only changes of this table.
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// Only changes of the row with this id.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// At most so many of the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Go on with what happens from now on, until Ctrl-C.
    #[arg(long, conflicts_with = "url")]
    pub follow: bool,
}

/// Options of `lunora pokes`.
#[derive(Debug, Args)]
pub struct PokesArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Only pokes of this socket.
    #[arg(long, value_name = "ID")]
    pub socket: Option<String>,
    /// At most so many of the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Go on with what happens from now on, until Ctrl-C.
    #[arg(long)]
    pub follow: bool,
}

/// How loud a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    /// Everything.
    Debug,
    /// What `console.log` writes, and above.
    Log,
    /// What `console.info` writes, and above.
    Info,
    /// Warnings and errors.
    Warn,
    /// Errors.
    Error,
}

/// Options of `lunora logs`.
#[derive(Debug, Args)]
pub struct LogsArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Only lines of this level and above.
    #[arg(long, value_name = "LEVEL", default_value = "debug")]
    pub level: Level,
    /// At most so many of the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Go on with what happens from now on, until Ctrl-C.
    #[arg(long)]
    pub follow: bool,
}

/// Options of `lunora chaos`.
#[derive(Debug, Args)]
pub struct ChaosArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Play this seed from its first step; without one, say what is played.
    #[arg(value_name = "SEED", value_parser = clap::value_parser!(u64).range(..=lunora_engine::LARGEST_SEED))]
    pub seed: Option<u64>,
    /// End it.
    #[arg(long, conflicts_with = "seed")]
    pub stop: bool,
}

/// Options of `lunora run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Whose.
    #[command(flatten)]
    pub server: ServerArguments,
    /// The function, for example `messages:send`; internal ones too.
    #[arg(value_name = "FUNCTION")]
    pub function_path: String,
    /// Its arguments as JSON, `@FILE`, or `-` for standard input [default: {}].
    #[arg(value_name = "ARGUMENTS")]
    pub arguments: Option<String>,
    /// The shard it runs in, as `lunora shards` names it [default: the one that its arguments lead to].
    #[arg(long, value_name = "SHARD")]
    pub shard: Option<String>,
    /// Who calls: a user's id, or an identity as JSON [default: nobody].
    #[arg(long = "as", value_name = "USER")]
    pub identity: Option<String>,
    /// Do not ask before it runs in production.
    #[arg(long)]
    pub yes: bool,
}
