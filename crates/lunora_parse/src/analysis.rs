//! One file: facts, imports and JavaScript from a single parse.

use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, Span, codes};
use swc_core::ecma::ast::Program;

use crate::emit::{EmitOptions, JavaScript, emit};
use crate::facts::{FileFacts, collect};
use crate::failure::{caught, parser_failed};
use crate::imports::{ModuleImport, list};
use crate::position::Positions;
use crate::{nesting, stack, syntax};

/// Larger files are refused: nobody writes them by hand, and their offsets and memory are not worth
/// planning for.
pub const MAX_SOURCE_BYTES: usize = 8 << 20;

/// What to make of a file besides its facts.
#[derive(Clone, Copy, Default)]
pub struct AnalyzeOptions<'a> {
    /// Make JavaScript too.
    pub emit: Option<EmitOptions<'a>>,
}

/// Everything known of one version of one file.
#[derive(Debug)]
pub struct FileAnalysis {
    /// Project-relative, with `/`.
    pub path: Arc<str>,
    /// BLAKE3 of the text.
    pub hash: [u8; 32],
    /// What the file says; empty when it does not parse.
    pub facts: Arc<FileFacts>,
    /// The modules it asks for when it runs.
    pub imports: Vec<ModuleImport>,
    /// Set when asked for and the file parses.
    pub javascript: Option<JavaScript>,
    /// What is wrong with the file on its own.
    pub diagnostics: Vec<Diagnostic>,
}

impl FileAnalysis {
    /// Whether the file is syntactically whole, so that its facts can be relied on.
    #[must_use]
    pub fn parses(&self) -> bool {
        self.diagnostics.is_empty()
    }
}

/// Analyses one file. Never panics: whatever goes wrong is a diagnostic.
#[must_use]
pub fn analyze_file(path: &str, source: &str, options: &AnalyzeOptions<'_>) -> FileAnalysis {
    let hash = *blake3::hash(source.as_bytes()).as_bytes();
    stack::on_pool(|| analyze(path.into(), source, hash, options))
}

/// The same, on the current thread, which must be one of the pool's.
pub(crate) fn analyze(path: Arc<str>, source: &str, hash: [u8; 32], options: &AnalyzeOptions<'_>) -> FileAnalysis {
    safely(&path, source, || parse_and_emit(&path, source, hash, options))
        .unwrap_or_else(|diagnostic| refused(path.clone(), hash, diagnostic))
}

/// Runs what parses a text, on a stack that is deep enough for it; a text that is too much for that, and one on which
/// the parser or a pass gives up, is a finding. The current thread must be one of the pool's.
pub(crate) fn safely<T: Send>(path: &str, source: &str, work: impl Fn() -> T + Sync) -> Result<T, Diagnostic> {
    if source.len() > MAX_SOURCE_BYTES {
        let message = format!(
            "{path} has {} bytes; a source file has at most {MAX_SOURCE_BYTES}",
            source.len()
        );
        return Err(Diagnostic::error(codes::SOURCE_TOO_LARGE, message)
            .at(path, Span::default())
            .with_help("Move large data out of the source, into a table or an asset."));
    }
    let nesting = nesting::estimate(source);
    if nesting.depth > nesting::DEEPEST {
        let offset = u32::try_from(nesting.offset).unwrap_or(u32::MAX);
        let span = Span {
            start: offset,
            end: offset,
        };
        let message = format!("{path} nests expressions or statements too deep to be read");
        return Err(Diagnostic::error(codes::NESTING_TOO_DEEP, message)
            .at(path, span)
            .with_help("Split the expression at the marked place into constants."));
    }
    let outcome = if nesting.depth > nesting::SHALLOW {
        stack::on_deep_stack(|| caught(&work))
            .unwrap_or_else(|| Err("no memory for a thread with a stack of 1 GiB".to_owned()))
    } else {
        caught(&work)
    };
    outcome.map_err(|reason| parser_failed(path, source, &reason))
}

fn refused(path: Arc<str>, hash: [u8; 32], diagnostic: Diagnostic) -> FileAnalysis {
    FileAnalysis {
        path,
        hash,
        facts: Arc::default(),
        imports: Vec::new(),
        javascript: None,
        diagnostics: vec![diagnostic],
    }
}

fn parse_and_emit(path: &Arc<str>, source: &str, hash: [u8; 32], options: &AnalyzeOptions<'_>) -> FileAnalysis {
    let positions = Positions::new(source);
    let (module, mut diagnostics) = syntax::parse(path, positions);
    let Some(module) = module else {
        return FileAnalysis {
            path: path.clone(),
            hash,
            facts: Arc::default(),
            imports: Vec::new(),
            javascript: None,
            diagnostics,
        };
    };
    let facts = Arc::new(collect(&module, positions));
    let imports = list(&module, positions);
    let javascript =
        options.emit.as_ref().and_then(
            |options| match emit(path, Program::Module(module), positions, options) {
                Ok(javascript) => Some(javascript),
                Err(diagnostic) => {
                    diagnostics.push(diagnostic);
                    None
                }
            },
        );
    FileAnalysis {
        path: path.clone(),
        hash,
        facts,
        imports,
        javascript,
        diagnostics,
    }
}
