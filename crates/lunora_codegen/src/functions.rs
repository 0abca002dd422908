//! `functions.ts`: the registry.

use std::sync::Arc;

use lunora_ir::{Address, FanOutMerge, Function, FunctionKind, MergeDirection, Visibility};

use crate::GenerateOptions;
use crate::generated_file::HEADER;
use crate::module_names::ModuleNames;
use crate::typescript::push_string;

pub(crate) fn functions(functions: &[Arc<Function>], modules: &ModuleNames<'_>, options: &GenerateOptions) -> String {
    let mut out = String::with_capacity(256 + functions.len() * 192);
    push_head(&mut out, options);
    out.push('\n');
    for (_, module) in modules.iter() {
        out.push_str("const ");
        out.push_str(&module.alias);
        out.push_str(" = () => import(");
        push_string(&mut out, &module.specifier);
        out.push_str(");\n");
    }
    if !functions.is_empty() {
        out.push('\n');
    }
    out.push_str("export const functions: FunctionRegistry = {");
    for function in functions {
        out.push_str("\n  ");
        push_string(&mut out, &function.path);
        out.push_str(": { kind: ");
        push_kind(&mut out, function.kind);
        out.push_str(match function.visibility {
            Visibility::Public => ", visibility: \"public\", address: ",
            Visibility::Internal => ", visibility: \"internal\", address: ",
        });
        push_address(&mut out, &function.address);
        out.push_str(", module: ");
        out.push_str(&modules.of(&function.file).alias);
        out.push_str(", exportName: ");
        push_string(&mut out, &function.export);
        out.push_str(" },");
    }
    out.push_str(if functions.is_empty() { "};\n" } else { "\n};\n" });
    out
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
    });
}

/// Appends an address as an object literal. Left-out parts of a merge are left out.
pub(crate) fn push_address(out: &mut String, address: &Address) {
    match address {
        Address::Root => out.push_str("{ kind: \"root\" }"),
        Address::Worker => out.push_str("{ kind: \"worker\" }"),
        Address::Argument { argument, field } => {
            push_object(out, "argument", &[("argument", argument), ("field", field)]);
        }
        Address::Id { argument, table, field } => {
            push_object(out, "id", &[("argument", argument), ("table", table), ("field", field)]);
        }
        Address::FanOut { field, merge } => {
            out.push_str("{ kind: \"fanOut\", field: ");
            push_string(out, field);
            out.push_str(", merge: ");
            push_merge(out, merge);
            out.push_str(" }");
        }
    }
}

fn push_merge(out: &mut String, merge: &FanOutMerge) {
    match merge {
        FanOutMerge::Concat { by, direction } => {
            let mut fields = Vec::new();
            fields.extend(by.as_deref().map(|by| ("by", by)));
            fields.extend(direction.map(|direction| ("direction", direction_text(direction))));
            push_object(out, "concat", &fields);
        }
        FanOutMerge::TopK { by, k, direction } => {
            out.push_str("{ kind: \"topK\", by: ");
            push_string(out, by);
            out.push_str(", k: ");
            out.push_str(&k.to_string());
            out.push_str(", direction: ");
            push_string(out, direction_text(*direction));
            out.push_str(" }");
        }
        FanOutMerge::First => out.push_str("{ kind: \"first\" }"),
        FanOutMerge::Sum => out.push_str("{ kind: \"sum\" }"),
        FanOutMerge::Min => out.push_str("{ kind: \"min\" }"),
        FanOutMerge::Max => out.push_str("{ kind: \"max\" }"),
        FanOutMerge::GroupBy { by, value, operation } => {
            push_object(
                out,
                "groupBy",
                &[("by", by), ("value", value), ("operation", operation)],
            );
        }
    }
}

const fn direction_text(direction: MergeDirection) -> &'static str {
    match direction {
        MergeDirection::Ascending => "asc",
        MergeDirection::Descending => "desc",
    }
}

fn push_object<Value: AsRef<str>>(out: &mut String, kind: &str, fields: &[(&str, Value)]) {
    out.push_str("{ kind: ");
    push_string(out, kind);
    for (name, value) in fields {
        out.push_str(", ");
        out.push_str(name);
        out.push_str(": ");
        push_string(out, value.as_ref());
    }
    out.push_str(" }");
}
