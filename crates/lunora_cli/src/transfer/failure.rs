//! Errors of a transfer, for people and as JSON.

use lunora_client::ClientError;
use lunora_diagnostics::{CODE_TABLE, Code, Diagnostic, codes};
use lunora_transfer::TransferError;
use owo_colors::OwoColorize as _;
use serde_json::{Value as Json, json};

/// Wrong usage, and what nobody has agreed to.
const USAGE: u8 = 2;

/// 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

/// Why a command did not do what it was asked for.
pub(crate) struct Failure {
    code: String,
    message: String,
    help: Option<String>,
    exit_code: u8,
}

impl Failure {
    /// In what the user wrote.
    pub(crate) fn usage(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            message: message.into(),
            help: None,
            exit_code: USAGE,
        }
    }

    /// Nothing is wrong with what the user wrote.
    pub(crate) fn failed(code: Code, message: impl Into<String>) -> Self {
        Self {
            exit_code: 1,
            ..Self::usage(code, message)
        }
    }

    pub(crate) fn internal(message: String) -> Self {
        Self {
            exit_code: 1,
            ..Self::usage(codes::INTERNAL, message)
        }
    }

    /// What the server answered that is no answer.
    pub(crate) fn answer(why: impl Into<String>) -> Self {
        ClientError::Answer(why.into()).into()
    }

    /// An interrupted command ends with the code that shells give to one which the signal ended.
    pub(crate) fn interrupted(code: Code, message: impl Into<String>) -> Self {
        Self {
            exit_code: INTERRUPTED,
            ..Self::usage(code, message)
        }
    }

    pub(crate) fn is_code(&self, code: &str) -> bool {
        self.code == code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says how to go on after what may pass.
    #[must_use]
    pub(crate) fn resumable(self, command: &str, can_resume: bool) -> Self {
        let passes = [codes::NETWORK_FAILED.as_str(), codes::DISK_FULL.as_str()];
        if can_resume && passes.contains(&self.code.as_str()) {
            return self.with_help(format!(
                "Nothing is lost: the same `{command}` with `--resume` goes on where this one ended."
            ));
        }
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// What unblocks it: the case's own word, else that of the table of codes.
    fn help(&self) -> Option<String> {
        let of_code = || CODE_TABLE.iter().find(|entry| entry.code.as_str() == self.code);
        self.help
            .clone()
            .or_else(|| of_code().map(|entry| entry.help.to_owned()))
    }

    pub(crate) fn text(&self, color: bool) -> String {
        let head = format!("error[{}]", self.code);
        let head = if color { head.red().to_string() } else { head };
        let help = self.help().map_or_else(String::new, |help| format!("  help: {help}\n"));
        format!("{head}: {}\n{help}", self.message)
    }

    pub(crate) fn json(&self) -> Json {
        json!({ "error": { "code": self.code, "message": self.message, "help": self.help() } })
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let message = match &error {
            // The code stands in front already.
            TransferError::Server(ClientError::Refused(body)) => body.message.clone(),
            other => other.to_string(),
        };
        Self {
            code: error.code().to_owned(),
            message,
            help: error.help(),
            exit_code: 1,
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            help: diagnostic.help,
            ..Self::usage(diagnostic.code, diagnostic.message)
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        TransferError::from(error).into()
    }
}
