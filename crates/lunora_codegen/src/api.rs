//! `api.ts`: typed references.
//!
//! The trees have explicit types, written as interfaces. A checker resolves the members of an
//! interface one by one, so an action that calls `api.messages.list` and whose result is inferred
//! does not depend on its own type, as it would if `api` were inferred as a whole.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Address, Function, Shape, ShapeRefresh, Visibility};

use crate::GenerateOptions;
use crate::address_text::push_address;
use crate::function_tree::{Branch, Node, by_module, function_trees};
use crate::functions::push_kind;
use crate::generated_file::HEADER;
use crate::module_names::ModuleNames;
use crate::typescript::{is_identifier, push_indent, push_key, push_literal_key, push_string};

pub(crate) const PUBLIC_COMMENT: &str = "Functions that clients can call.";
pub(crate) const INTERNAL_COMMENT: &str = "Functions that only other functions can call.";

pub(crate) fn api(
    functions: &[Arc<Function>],
    shapes: &[Arc<Shape>],
    options: &GenerateOptions,
) -> Result<String, Vec<Diagnostic>> {
    let (public, internal) = function_trees(functions, shapes)?;
    let modules = ModuleNames::new(functions, shapes, options);
    let has_shapes = !shapes.is_empty();
    Ok(print(functions, has_shapes, &public, &internal, &modules, options))
}

/// A part of a large app's references, by the paths of their modules: `Api["admin/users"]`.
pub(crate) fn part_of_api(functions: &[Arc<Function>], modules: &ModuleNames<'_>, options: &GenerateOptions) -> String {
    let [public, internal] =
        [Visibility::Public, Visibility::Internal].map(|visibility| by_module(functions, visibility));
    print(functions, false, &public, &internal, modules, options)
}

fn print(
    functions: &[Arc<Function>],
    has_shapes: bool,
    public: &Branch<'_>,
    internal: &Branch<'_>,
    modules: &ModuleNames<'_>,
    options: &GenerateOptions,
) -> String {
    let mut out = String::with_capacity(512 + functions.len() * 320);
    out.push_str(HEADER);
    push_imports(&mut out, functions, has_shapes, modules, options);
    push_tree(&mut out, public, modules, PUBLIC_COMMENT, "Api", "api");
    push_tree(&mut out, internal, modules, INTERNAL_COMMENT, "InternalApi", "internal");
    out
}

/// A name that is imported and not used is an error under `noUnusedLocals`.
fn push_imports(
    out: &mut String,
    functions: &[Arc<Function>],
    has_shapes: bool,
    modules: &ModuleNames<'_>,
    options: &GenerateOptions,
) {
    let is_fan_out = |function: &Arc<Function>| matches!(function.address, Address::FanOut { .. });
    push_reference_imports(
        out,
        ReferenceKinds {
            fan_out: functions.iter().any(is_fan_out),
            plain: functions.iter().any(|function| !is_fan_out(function)),
            shape: has_shapes,
        },
        options,
    );
    for (_, module) in modules.iter() {
        push_module_import(out, &module.alias, &module.specifier);
    }
}

/// Which kinds of reference a file has.
#[derive(Clone, Copy)]
pub(crate) struct ReferenceKinds {
    pub(crate) fan_out: bool,
    pub(crate) plain: bool,
    pub(crate) shape: bool,
}

/// Imports what makes references, and their types.
pub(crate) fn push_reference_imports(out: &mut String, kinds: ReferenceKinds, options: &GenerateOptions) {
    let ReferenceKinds { fan_out, plain, shape } = kinds;
    let makers = [(fan_out || plain, "functionReference"), (shape, "shapeReference")];
    let types = [
        (fan_out, "FanOutReferenceOf"),
        (plain, "ReferenceOf"),
        (shape, "ShapeReferenceOf"),
    ];
    for (keyword, names, package) in [
        ("import { ", &makers[..], "protocol"),
        ("import type { ", &types, "server"),
    ] {
        let mut before = keyword;
        for (_, name) in names.iter().filter(|(is_used, _)| *is_used) {
            out.push_str(before);
            out.push_str(name);
            before = ", ";
        }
        if before != keyword {
            for part in [" } from \"", options.package_prefix.as_str(), "/", package, "\";\n"] {
                out.push_str(part);
            }
        }
    }
}

pub(crate) fn push_module_import(out: &mut String, alias: &str, specifier: &str) {
    out.push_str("import type * as ");
    out.push_str(alias);
    out.push_str(" from ");
    push_string(out, specifier);
    out.push_str(";\n");
}

fn push_tree(
    out: &mut String,
    tree: &Branch<'_>,
    modules: &ModuleNames<'_>,
    comment: &str,
    interface: &str,
    constant: &str,
) {
    for part in ["\n/** ", comment, " */\nexport interface ", interface, " {"] {
        out.push_str(part);
    }
    push_types(out, tree, modules, 1);
    for part in ["}\n\nexport const ", constant, ": ", interface, " = {"] {
        out.push_str(part);
    }
    push_values(out, tree, 1);
    out.push_str("};\n");
}

fn push_types(out: &mut String, branch: &Branch<'_>, modules: &ModuleNames<'_>, level: usize) {
    for (name, node) in &branch.children {
        out.push('\n');
        push_indent(out, level);
        out.push_str("readonly ");
        push_key(out, name);
        out.push_str(": ");
        match node {
            Node::Branch(below) => {
                out.push('{');
                push_types(out, below, modules, level + 1);
                out.push_str("};");
            }
            Node::Function(function) => {
                out.push_str(match function.address {
                    Address::FanOut { .. } => "FanOutReferenceOf<",
                    _ => "ReferenceOf<",
                });
                push_type_of(out, &modules.of(&function.file).alias, &function.export);
                out.push_str(">;");
            }
            Node::Shape(shape) => push_shape_type(out, shape, &modules.of(&shape.file).alias),
        }
    }
    end_level(out, branch, level);
}

fn push_values(out: &mut String, branch: &Branch<'_>, level: usize) {
    for (name, node) in &branch.children {
        out.push('\n');
        push_indent(out, level);
        push_literal_key(out, name);
        out.push_str(": ");
        match node {
            Node::Branch(below) => {
                out.push('{');
                push_values(out, below, level + 1);
                out.push_str("},");
            }
            Node::Function(function) => {
                out.push_str("functionReference(");
                push_string(out, &function.path);
                out.push_str(", ");
                push_kind(out, function.kind);
                out.push_str(", ");
                push_address(out, &function.address);
                out.push_str("),");
            }
            Node::Shape(shape) => push_shape_value(out, shape),
        }
    }
    end_level(out, branch, level);
}

fn end_level(out: &mut String, branch: &Branch<'_>, level: usize) {
    if !branch.children.is_empty() {
        out.push('\n');
        push_indent(out, level - 1);
    }
}

/// The type of a shape's reference, after its name. Nothing is said of what nearly all of them are: poked.
pub(crate) fn push_shape_type(out: &mut String, shape: &Shape, alias: &str) {
    out.push_str("ShapeReferenceOf<");
    push_type_of(out, alias, &shape.name);
    out.push_str(match shape.refresh {
        ShapeRefresh::Poke => ">;",
        ShapeRefresh::Poll => ", \"poll\">;",
    });
}

/// A shape's reference, after its name.
pub(crate) fn push_shape_value(out: &mut String, shape: &Shape) {
    out.push_str("shapeReference(");
    push_string(out, &shape.name);
    out.push_str(", ");
    push_string(out, &shape.table);
    out.push_str(", ");
    push_address(out, &shape.address);
    out.push_str(match shape.refresh {
        ShapeRefresh::Poke => "),",
        ShapeRefresh::Poll => ", \"poll\"),",
    });
}

pub(crate) fn push_type_of(out: &mut String, alias: &str, export: &str) {
    if is_identifier(export) {
        for part in ["typeof ", alias, ".", export] {
            out.push_str(part);
        }
    } else {
        out.push_str("(typeof ");
        out.push_str(alias);
        out.push_str(")[");
        push_string(out, export);
        out.push(']');
    }
}
