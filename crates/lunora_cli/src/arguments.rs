//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The type-safe real-time backend on Durable Objects.
#[derive(Debug, Parser)]
#[command(
    name = "lunora",
    version,
    about,
    after_help = "Run `lunora <command> --help` for the options of a command.\nExit codes: 0 done, 1 failed, 2 wrong usage or errors in the app's sources."
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
    /// Do not run Vite even where the app has a Vite config.
    #[arg(long)]
    pub no_vite: bool,
}
