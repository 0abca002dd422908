//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::doctor::DoctorArguments;
use crate::inspect::{
    ChaosArguments, LogsArguments, MailArguments, OplogArguments, PokesArguments, RunArguments, ShardsArguments,
};
use crate::migrate::MigrateArguments;

/// The type-safe real-time backend on Durable Objects.
#[derive(Debug, Parser)]
#[command(
    name = "lunora",
    version,
    about,
    after_help = "Run `lunora <command> --help` for the options of a command.\nExit codes: 0 done, 1 failed, 2 wrong usage or errors in the app's sources, 3 stopped by a gate, 9 a local program is missing, 130 interrupted."
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the app's backend in workerd and keep it up to date; through Vite where the app has a Vite config.
    Dev(DevArguments),
    /// Bring `lunora/_generated` up to date with the schema and the functions.
    Codegen(CodegenArguments),
    /// Write the rows of an app into a file, with proof that they are all of them.
    Export(ExportArguments),
    /// Put the rows of such a file into an app: all of them or none.
    Import(ImportArguments),
    /// Transform stored rows with the app's data migrations, and back.
    Migrate(MigrateArguments),
    /// Ask everything that a deployment has to pass, and ship nothing.
    Prepare(PrepareArguments),
    /// Build the app and put it online with the app's own wrangler, when every gate lets it pass.
    Deploy(DeployArguments),
    /// Serve the production build on this machine.
    Start(StartArguments),
    /// Show where data is declared to be, and where its bytes are.
    Residency(ResidencyArguments),
    /// List the shards that there are.
    Shards(ShardsArguments),
    /// Show the changes of rows: those that a shard keeps, or those that the inspector saw.
    Oplog(OplogArguments),
    /// Show what was sent to which socket, and why.
    Pokes(PokesArguments),
    /// Show what the app has logged in development.
    Logs(LogsArguments),
    /// Look into the development inbox, wait for mail, and deliver mail to the worker.
    Mail(MailArguments),
    /// Run a function, as anybody, and show the changes and pokes it caused.
    Run(RunArguments),
    /// Let things go wrong on purpose in development, as a seed decides; the same seed is the same run.
    Chaos(ChaosArguments),
    /// Look whether this machine and this app have what they need.
    Doctor(DoctorArguments),
}

/// Whose rows are moved.
#[derive(Debug, Args)]
pub struct TargetArguments {
    /// The app's origin, for example `https://app.example.com` [default: the development server of this project].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The server is not on this machine, or its rows are people's.
    #[arg(long, requires = "url")]
    pub prod: bool,
    /// A file that holds the admin token [default: the variable LUNORA_ADMIN_TOKEN].
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Only these tables.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tables: Option<Vec<String>>,
    /// Go on with what was left.
    #[arg(long)]
    pub resume: bool,
}

/// Options of `lunora export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Whose rows.
    #[command(flatten)]
    pub target: TargetArguments,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Refuse writes meanwhile, so that all shards are of one instant.
    #[arg(long, conflicts_with = "resume")]
    pub quiesce: bool,
    /// Overwrite the file.
    #[arg(long)]
    pub force: bool,
}

/// Options of `lunora import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Whose rows.
    #[command(flatten)]
    pub target: TargetArguments,
    /// The file that `lunora export` wrote.
    #[arg(value_name = "FILE")]
    pub dump: PathBuf,
    /// Add to the rows that are there; those of the file win.
    #[arg(long, conflicts_with = "replace")]
    pub merge: bool,
    /// Put the file in the place of the rows that are there.
    #[arg(long)]
    pub replace: bool,
    /// Import nothing: compare what is there with the file.
    #[arg(long, conflicts_with_all = ["merge", "replace", "resume"])]
    pub verify: bool,
    /// Give up the import of this file that was left: nothing of it stays, and the app answers again.
    #[arg(long, conflicts_with_all = ["merge", "replace", "resume", "verify", "tables", "yes"])]
    pub abort: bool,
    /// Do not ask before production is written to.
    #[arg(long)]
    pub yes: bool,
}

/// Which project.
#[derive(Debug, Args)]
pub struct ProjectArguments {
    /// A folder in or below the project [default: the working folder].
    #[arg(long, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// The folder of the schema and functions, below the project [default: lunora].
    #[arg(long, value_name = "FOLDER")]
    pub lunora_dir: Option<String>,
    /// Print JSON on standard output instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Options of `lunora codegen`.
#[derive(Debug, Args)]
pub struct CodegenArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Write nothing; fail when a generated file is not up to date. For continuous integration.
    #[arg(long)]
    pub check: bool,
}

/// Options of `lunora dev`.
#[derive(Debug, Args)]
pub struct DevArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// The port to listen on; fails when it is taken [default: Vite's own, or the first free one from 8787].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The address Vite listens on [default: loopback only].
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// The workerd program [default: LUNORA_WORKERD, the app's workerd package, then PATH].
    #[arg(long, value_name = "FILE")]
    pub workerd: Option<PathBuf>,
    /// Bundle the worker instead of loading one module for each file.
    #[arg(long)]
    pub bundle: bool,
    /// Let things go wrong on purpose, as this number decides: the same seed is the same run.
    #[arg(long, value_name = "SEED", value_parser = clap::value_parser!(u64).range(..=lunora_engine::LARGEST_SEED))]
    pub chaos: Option<u64>,
    /// Do not run Vite even where the app has a Vite config.
    #[arg(long)]
    pub no_vite: bool,
}

/// What the gates of a deployment are told.
#[derive(Debug, Args)]
pub struct GateArguments {
    /// Go on although stored data does not survive the change of the schema.
    #[arg(long)]
    pub allow_schema_drift: bool,
    /// Take the schema at hand for what is deployed from now on; drift does not stop this run.
    #[arg(long)]
    pub update_schema_baseline: bool,
    /// Change the jurisdiction without an export: leave the data in the old region for good.
    #[arg(long)]
    pub strand_data: bool,
    /// Where the deployed app answers; with LUNORA_ADMIN_TOKEN set it is asked where its data is.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// Options of `lunora prepare`.
#[derive(Debug, Args)]
pub struct PrepareArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// What the gates are told.
    #[command(flatten)]
    pub gates: GateArguments,
}

/// Options of `lunora deploy`.
#[derive(Debug, Args)]
pub struct DeployArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// What the gates are told.
    #[command(flatten)]
    pub gates: GateArguments,
    /// Build, and let wrangler check it without sending anything; the baseline stays as it is.
    #[arg(long)]
    pub dry_run: bool,
    /// The named environment of the wrangler configuration.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
}

/// Options of `lunora start`.
#[derive(Debug, Args)]
pub struct StartArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// The address to listen on; one that others reach has to be stated [default: 127.0.0.1].
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<std::net::IpAddr>,
    /// The port to listen on; fails when it is taken.
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    pub port: u16,
    /// Hosts that requests may name besides this machine's own, while it listens on loopback behind a proxy.
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// The folder of the data [default: .lunora/production in the project].
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Names of secrets to take from the environment, besides those in `.env` and those that begin with `LUNORA_`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub secrets: Vec<String>,
    /// How many seconds requests under way get to end when it is stopped.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub drain: u32,
    /// Start although stored data does not survive the change of the schema.
    #[arg(long)]
    pub allow_schema_drift: bool,
    /// Start in another jurisdiction without an export: the data stays in the old one's folder.
    #[arg(long)]
    pub strand_data: bool,
    /// The workerd program [default: LUNORA_WORKERD, the app's workerd package, then PATH].
    #[arg(long, value_name = "FILE")]
    pub workerd: Option<PathBuf>,
}

/// Options of `lunora residency`.
#[derive(Debug, Args)]
pub struct ResidencyArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// A state folder to look into [default: those of lunora dev and of lunora start].
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// The server whose crossings are asked for [default: those that run on this machine].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}
