//! Whose rows, and whether they may be touched.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use lunora_client::AdminAddress;
use lunora_diagnostics::codes;

use super::failure::Failure;
use crate::arguments::TargetArguments;
use crate::run::CommandOptions;

const TOKEN: &str = "LUNORA_ADMIN_TOKEN";

/// A server and what lets us in.
pub(crate) struct Target {
    pub address: AdminAddress,
    pub token: String,
}

impl Target {
    /// From the options, the environment, and the development server that runs.
    pub(crate) fn find(
        options: &CommandOptions,
        arguments: &TargetArguments,
        root: Option<&Path>,
    ) -> Result<Self, Failure> {
        let url = match &arguments.url {
            Some(url) => url.clone(),
            None => root
                .and_then(|root| lunora_engine::running_url(&root.join(".lunora").join("state")))
                .ok_or_else(|| {
                    Failure::usage(
                        codes::TRANSFER_TARGET_UNKNOWN,
                        "`--url` is missing, and no development server of this project runs",
                    )
                })?,
        };
        let address = AdminAddress::parse(&url)?;
        if !address.is_local() && !arguments.prod {
            return Err(Failure::usage(
                codes::TRANSFER_NOT_CONFIRMED,
                format!("`{address}` is not on this machine"),
            )
            .with_help("Say `--prod` when it is the app that you mean."));
        }
        let token = match &arguments.token_file {
            Some(file) => {
                let file = options.working_directory.join(file);
                std::fs::read_to_string(&file).map_err(|error| {
                    Failure::usage(
                        codes::FILE_READ_FAILED,
                        format!("`{}` cannot be read: {error}", file.display()),
                    )
                })?
            }
            None => std::env::var(TOKEN).unwrap_or_default(),
        };
        let token = token.trim().to_owned();
        if token.is_empty() {
            return Err(Failure::usage(codes::TRANSFER_TOKEN_MISSING, "there is no admin token"));
        }
        Ok(Self { address, token })
    }
}

/// Says what an answer without admin routes means.
pub(crate) fn explained(failure: Failure) -> Failure {
    if failure.is_code("NOT_FOUND") {
        return failure.with_help(format!(
            "The server has no admin routes: set `{TOKEN}` (16 characters or more) in its environment."
        ));
    }
    failure
}

/// How often a terminal is looked at that does not block.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// A line from the terminal. Node has made it one that does not block, for every process that has it.
fn read_answer() -> std::io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut input = std::io::stdin().lock();
    loop {
        match input.read_until(b'\n', &mut answer) {
            Ok(_) => return Ok(answer),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(LOOK_PAUSE),
            Err(error) => return Err(error),
        }
    }
}

/// Asks whether to go on. Where nobody can be asked the answer is no.
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    let refused = |message: &str| Failure::usage(codes::TRANSFER_NOT_CONFIRMED, message);
    let mut output = std::io::stderr();
    if !std::io::stdin().is_terminal() || !output.is_terminal() {
        return Err(refused(
            "production would be written to, and there is no terminal to ask at",
        ));
    }
    let unwritable = |error: std::io::Error| Failure::internal(error.to_string());
    write!(output, "{question}\nGo on? Type `yes`: ").map_err(unwritable)?;
    output.flush().map_err(unwritable)?;
    if read_answer().map_err(unwritable)?.trim_ascii() == b"yes" {
        return Ok(());
    }
    Err(refused("the answer was not `yes`; nothing was done"))
}
