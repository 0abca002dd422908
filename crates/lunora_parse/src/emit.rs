//! JavaScript: types stripped, JSX compiled, specifiers rewritten, with a source map beside it.

use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, Span, codes};
use serde::Serialize;
use sourcemap::SourceMapBuilder;
use swc_core::common::comments::SingleThreadedComments;
use swc_core::common::{BytePos, FileName, GLOBALS, Globals, LineCol, Mark, SourceMap, sync::Lrc};
use swc_core::ecma::ast::{self, Pass, Program};
use swc_core::ecma::codegen::text_writer::JsWriter;
use swc_core::ecma::codegen::{Config, Emitter, Node};
use swc_core::ecma::transforms::base::{
    fixer::fixer,
    helpers::{HELPERS, Helpers},
    hygiene::hygiene,
    resolver,
};
use swc_core::ecma::transforms::react::{Options as ReactOptions, Runtime, react};
use swc_core::ecma::transforms::typescript::{Config as TypeScriptConfig, typescript};
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::position::Positions;

/// How to make JavaScript.
#[derive(Clone, Copy)]
pub struct EmitOptions<'a> {
    /// The name to put in place of a specifier, given the importing file and the specifier as
    /// written; `None` leaves it.
    pub resolve: &'a (dyn Fn(&str, &str) -> Option<String> + Sync),
    /// Another number whenever `resolve` may answer differently than before; while it stays the same,
    /// files that were emitted are not asked about again.
    pub resolution: u64,
    /// TypeScript's option of the same name: keep every import that is not marked `type`.
    pub verbatim_module_syntax: bool,
    /// Where `.tsx` files import the JSX runtime from: `react`.
    pub jsx_import_source: &'a str,
    /// Make a source map.
    pub source_map: bool,
}

/// The JavaScript of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JavaScript {
    /// An ES module; no comments, no reference to the source map.
    pub code: Arc<str>,
    /// Source map v3 as JSON, with the source's path and text inside.
    pub source_map: Option<Arc<str>>,
}

/// Makes JavaScript of a syntax tree.
pub(crate) fn emit(
    path: &str,
    program: Program,
    positions: Positions<'_>,
    options: &EmitOptions<'_>,
) -> Result<JavaScript, Diagnostic> {
    emit_edited(path, program, positions, options, |_| {})
}

/// The same of a tree that is edited once its names are resolved: equal names in different scopes differ then.
pub(crate) fn emit_edited(
    path: &str,
    program: Program,
    positions: Positions<'_>,
    options: &EmitOptions<'_>,
    edit: impl FnOnce(&mut Program),
) -> Result<JavaScript, Diagnostic> {
    GLOBALS.set(&Globals::new(), || {
        HELPERS.set(&Helpers::new(true), || {
            emit_inside(path, program, positions, options, edit)
        })
    })
}

fn emit_inside(
    path: &str,
    mut program: Program,
    positions: Positions<'_>,
    options: &EmitOptions<'_>,
    edit: impl FnOnce(&mut Program),
) -> Result<JavaScript, Diagnostic> {
    let map = Lrc::new(SourceMap::default());
    map.new_source_file(
        Lrc::new(FileName::Custom(path.to_owned())),
        positions.parsed().to_owned(),
    );
    let unresolved = Mark::new();
    let top_level = Mark::new();
    let jsx = path.ends_with("x");
    let typed = !matches!(path.rsplit_once('.'), Some((_, "js" | "mjs" | "cjs" | "jsx")));
    // Names the passes invent can only clash with the user's where something is generated.
    let generates = jsx || Generating::inside(&program);

    resolver(unresolved, top_level, typed).process(&mut program);
    edit(&mut program);
    if typed {
        let config = TypeScriptConfig {
            verbatim_module_syntax: options.verbatim_module_syntax,
            native_class_properties: true,
            ..TypeScriptConfig::default()
        };
        typescript(config, unresolved, top_level).process(&mut program);
    }
    if jsx {
        let react_options = ReactOptions {
            runtime: Some(Runtime::Automatic),
            import_source: Some(options.jsx_import_source.into()),
            development: Some(false),
            ..ReactOptions::default()
        };
        react(
            map.clone(),
            None::<SingleThreadedComments>,
            react_options,
            top_level,
            unresolved,
        )
        .process(&mut program);
    }
    program.visit_mut_with(&mut Specifiers {
        path,
        resolve: options.resolve,
    });
    if generates {
        hygiene().process(&mut program);
    }
    fixer(None).process(&mut program);

    let mut code = Vec::with_capacity(positions.parsed().len());
    let mut mappings = Vec::new();
    let writer = JsWriter::new(
        map.clone(),
        "\n",
        &mut code,
        options.source_map.then_some(&mut mappings),
    );
    let mut emitter = Emitter {
        cfg: Config::default(),
        cm: map,
        comments: None,
        wr: writer,
    };
    let failed = |reason: String| {
        Diagnostic::error(
            codes::PARSER_FAILED,
            format!("no JavaScript could be made of {path}: {reason}"),
        )
        .at(path, Span::default())
        .with_help("Undo the last change to the file; the construct it holds is one the compiler cannot handle.")
    };
    program
        .emit_with(&mut emitter)
        .map_err(|error| failed(error.to_string()))?;
    drop(emitter);
    let code = String::from_utf8(code).map_err(|error| failed(error.to_string()))?;
    let source_map = match options.source_map {
        true => Some(source_map(path, positions, &mappings).map_err(|error| failed(error.to_string()))?),
        false => None,
    };
    Ok(JavaScript {
        code: code.into(),
        source_map: source_map.map(Into::into),
    })
}

/// Whether the tree holds syntax that is more than types and has to be generated.
#[derive(Default)]
struct Generating(bool);

impl Generating {
    fn inside(program: &Program) -> bool {
        let mut found = Self::default();
        program.visit_with(&mut found);
        found.0
    }
}

impl Visit for Generating {
    fn visit_ts_enum_decl(&mut self, _: &ast::TsEnumDecl) {
        self.0 = true;
    }
    fn visit_ts_module_decl(&mut self, _: &ast::TsModuleDecl) {
        self.0 = true;
    }
    fn visit_ts_import_equals_decl(&mut self, _: &ast::TsImportEqualsDecl) {
        self.0 = true;
    }
    fn visit_ts_param_prop(&mut self, _: &ast::TsParamProp) {
        self.0 = true;
    }
    fn visit_ts_type(&mut self, _: &ast::TsType) {}
}

/// Puts resolved names in place of the specifiers that are left after stripping.
struct Specifiers<'a> {
    path: &'a str,
    resolve: &'a (dyn Fn(&str, &str) -> Option<String> + Sync),
}

impl Specifiers<'_> {
    fn rewrite(&self, source: &mut ast::Str) {
        if let Some(resolved) = (self.resolve)(self.path, &source.value.to_atom_lossy()) {
            source.value = resolved.into();
            source.raw = None;
        }
    }
}

impl VisitMut for Specifiers<'_> {
    fn visit_mut_import_decl(&mut self, import: &mut ast::ImportDecl) {
        self.rewrite(&mut import.src);
    }
    fn visit_mut_named_export(&mut self, export: &mut ast::NamedExport) {
        if let Some(source) = &mut export.src {
            self.rewrite(source);
        }
    }
    fn visit_mut_export_all(&mut self, export: &mut ast::ExportAll) {
        self.rewrite(&mut export.src);
    }
    fn visit_mut_call_expr(&mut self, call: &mut ast::CallExpr) {
        if let (ast::Callee::Import(_), Some(argument)) = (&call.callee, call.args.first_mut())
            && let ast::Expr::Lit(ast::Lit::Str(source)) = &mut *argument.expr
        {
            self.rewrite(source);
        }
        call.visit_mut_children_with(self);
    }
}

fn source_map(
    path: &str,
    positions: Positions<'_>,
    mappings: &[(BytePos, LineCol)],
) -> Result<String, sourcemap::Error> {
    let text = positions.parsed();
    let lines = LineStarts::new(text);
    let mut builder = SourceMapBuilder::new(None);
    let source = builder.add_source(path);
    builder.set_source_contents(source, Some(text));
    for (position, generated) in mappings {
        if position.is_dummy() || position.is_reserved_for_comments() {
            continue;
        }
        let offset = position.0.saturating_sub(positions.first().0) as usize;
        if let Some((line, column)) = lines.locate(text, offset) {
            builder.add_raw(generated.line, generated.col, line, column, Some(source), None, false);
        }
    }
    let mut json = Vec::new();
    builder.into_sourcemap().to_writer(&mut json)?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}

/// Where lines begin, for columns in UTF-16 units.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at + 1),
        );
        Self(starts)
    }

    fn locate(&self, text: &str, offset: usize) -> Option<(u32, u32)> {
        let line = self.0.partition_point(|start| *start <= offset).checked_sub(1)?;
        let before = text.get(*self.0.get(line)?..offset)?;
        let column = if before.is_ascii() {
            before.len()
        } else {
            before.encode_utf16().count()
        };
        Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
    }
}
