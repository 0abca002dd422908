//! `mutators.ts` as clients import it: each mutator's `apply` and what that uses, and nothing else.
//!
//! What stays is found from what is needed, not by removing what is known to be of the server, so that nothing is
//! sent to a browser because it was not thought of.

mod parts;
mod prune;

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use swc_core::ecma::ast::Program;

use crate::analysis::safely;
use crate::emit::{EmitOptions, emit_edited};
use crate::position::Positions;
use crate::{stack, syntax};

/// Makes the module that clients import in the place of `mutators.ts`: for each exported mutator an object with its
/// `apply`, and of the rest of the file what those use. Specifiers stay as they are written. There is no source map: it
/// would carry the whole text, or lead bundlers to put it in.
///
/// # Errors
/// When the file does not parse, when the options of a mutator are not written in place (`NOT_STATIC`), or when
/// what `apply` uses belongs to the server (`CLIENT_REACHES_SERVER`).
pub fn client_module(path: &str, source: &str) -> Result<Arc<str>, Vec<Diagnostic>> {
    stack::on_pool(|| safely(path, source, || made(path, source)).map_err(|error| vec![error])?)
}

fn made(path: &str, source: &str) -> Result<Arc<str>, Vec<Diagnostic>> {
    let positions = Positions::new(source);
    let (module, diagnostics) = syntax::parse(path, positions);
    let Some(module) = module else {
        return Err(diagnostics);
    };
    let options = EmitOptions {
        resolve: &|_, _| None,
        resolution: 0,
        verbatim_module_syntax: false,
        jsx_import_source: "react",
        source_map: false,
    };
    let mut found = Vec::new();
    let edit = |program: &mut Program| {
        if let Program::Module(module) = program {
            found = prune::prune(module, path, positions);
        }
    };
    let javascript = emit_edited(path, Program::Module(module), positions, &options, edit);
    match (javascript, found.is_empty()) {
        (Ok(javascript), true) => Ok(javascript.code),
        (Err(error), true) => Err(vec![error]),
        (_, false) => Err(found),
    }
}
