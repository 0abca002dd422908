//! The options of `lunora migrate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::arguments::{ProjectArguments, TargetArguments};

/// Options of `lunora migrate`.
#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// What to do.
    #[command(subcommand)]
    pub action: MigrateAction,
}

/// What to do with data migrations.
#[derive(Debug, Subcommand)]
pub enum MigrateAction {
    /// Run what has not run yet, in the order of the ids.
    Up(MigrateRunArguments),
    /// Take back what ran last.
    Down(MigrateRunArguments),
    /// Show how far each migration has come.
    Status(MigrateTargetArguments),
}

/// Whose migrations.
#[derive(Debug, Args)]
pub struct MigrateTargetArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// The app's origin, for example `https://app.example.com` [default: the development server of this project].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The server is not on this machine, or its rows are people's.
    #[arg(long, requires = "url")]
    pub prod: bool,
    /// A file that holds the admin token [default: the variable LUNORA_ADMIN_TOKEN].
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Only migrations of this table.
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
}

/// Options of `lunora migrate up` and `lunora migrate down`.
#[derive(Debug, Args)]
pub struct MigrateRunArguments {
    /// Whose.
    #[command(flatten)]
    pub target: MigrateTargetArguments,
    /// At most so many migrations [default: all for `up`, one for `down`].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// Most rows of a transaction, 1 to 1000 [default: what the migration says, or 200].
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub batch_size: Option<u32>,
    /// Run every transform and check what it gives, but write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before production is written to.
    #[arg(long)]
    pub yes: bool,
}

impl MigrateTargetArguments {
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
