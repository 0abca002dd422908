//! `mutators.ts` for clients, as the bundler of the app's pages asks for it.

use lunora_diagnostics::{Diagnostic, SourceFiles};
use serde::{Deserialize, Serialize};

use crate::codegen::CodegenFailure;

/// Which module, and its text as the bundler has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientModuleOptions {
    /// Project-relative, with `/`.
    pub path: String,
    /// The whole text.
    pub source: String,
    /// Whether rendered texts carry ANSI colours.
    #[serde(default)]
    pub color: bool,
}

/// What clients get in its place.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientModule {
    /// An ES module of JavaScript.
    pub code: String,
}

/// Leaves of `mutators.ts` what clients run.
///
/// # Errors
/// Those of [`lunora_parse::client_module`].
pub fn client_module(options: &ClientModuleOptions) -> Result<ClientModule, Box<CodegenFailure>> {
    match lunora_parse::client_module(&options.path, &options.source) {
        Ok(code) => Ok(ClientModule { code: code.to_string() }),
        Err(diagnostics) => Err(Box::new(failure(diagnostics, options))),
    }
}

fn failure(diagnostics: Vec<Diagnostic>, options: &ClientModuleOptions) -> CodegenFailure {
    let mut sources = SourceFiles::default();
    sources.insert(&*options.path, &*options.source);
    CodegenFailure { diagnostics, sources }
}
