//! `functions.ts`: the registry.

use std::sync::Arc;

use lunora_ir::{Function, FunctionKind, Visibility};

use crate::GenerateOptions;
use crate::address_text::push_address_json;
use crate::generated_file::HEADER;
use crate::module_names::ModuleNames;
use crate::typescript::{push_single_quoted, push_string};

/// A line for each file: how it is loaded, and what it exports as JSON in a text. A text is skipped by JavaScript's
/// parser, where an object would be built for each function at every start; it is read when a function of its file is
/// first called. Between 5,000 functions as objects and as texts lie 25 ms of every start.
pub(crate) fn functions(functions: &[Arc<Function>], modules: &ModuleNames<'_>, options: &GenerateOptions) -> String {
    let mut out = String::with_capacity(256 + functions.len() * 96);
    push_head(&mut out, options);
    out.push_str("\nexport const functions: FunctionRegistry = {");
    for file in functions.chunk_by(|one, next| one.file == next.file) {
        let first = &file[0];
        out.push_str("\n  ");
        push_string(&mut out, file_of(&first.path));
        out.push_str(": [() => import(");
        push_string(&mut out, &modules.of(&first.file).specifier);
        out.push_str("), ");
        push_single_quoted(&mut out, &exports_json(file));
        out.push_str("],");
    }
    out.push_str(if functions.is_empty() { "};\n" } else { "\n};\n" });
    out
}

/// `messages` of `messages:list`.
fn file_of(path: &str) -> &str {
    path.rsplit_once(':').map_or(path, |(file, _)| file)
}

/// `{"list":["query","public",{"kind":"root"}], …}`
fn exports_json(file: &[Arc<Function>]) -> String {
    let mut json = String::from("{");
    for function in file {
        if json.len() > 1 {
            json.push(',');
        }
        push_string(&mut json, &function.export);
        json.push_str(":[");
        push_kind(&mut json, function.kind);
        json.push_str(match function.visibility {
            Visibility::Public => ",\"public\",",
            Visibility::Internal => ",\"internal\",",
        });
        push_address_json(&mut json, &function.address);
        json.push(']');
    }
    json.push('}');
    json
}

/// `functions.ts` of a large app: the registries of its parts.
pub(crate) fn functions_index<'a>(
    suffixes: impl Iterator<Item = &'a str> + Clone,
    options: &GenerateOptions,
) -> String {
    let mut out = String::new();
    push_head(&mut out, options);
    for suffix in suffixes.clone() {
        for text in [
            "import { functions as functions",
            suffix,
            " } from \"./functions-",
            suffix,
            ".js\";\n",
        ] {
            out.push_str(text);
        }
    }
    out.push_str("\nexport const functions: FunctionRegistry = {");
    for suffix in suffixes {
        out.push_str("\n  ...functions");
        out.push_str(suffix);
        out.push(',');
    }
    out.push_str("\n};\n");
    out
}

fn push_head(out: &mut String, options: &GenerateOptions) {
    out.push_str(HEADER);
    out.push_str("import type { FunctionRegistry } from \"");
    out.push_str(options.package_prefix.as_str());
    out.push_str("/server\";\n");
}

pub(crate) fn push_kind(out: &mut String, kind: FunctionKind) {
    out.push_str(match kind {
        FunctionKind::Query => "\"query\"",
        FunctionKind::Mutation => "\"mutation\"",
        FunctionKind::Action => "\"action\"",
        FunctionKind::Stream => "\"stream\"",
    });
}
