//! `shapes.ts`: the registry of shapes, of an app that has any.

use std::sync::Arc;

use lunora_ir::Shape;

use crate::GenerateOptions;
use crate::address_text::push_address;
use crate::generated_file::HEADER;
use crate::typescript::{push_literal_key, push_string};

/// `shapes` are sorted by name. All of them are in one file, whose twins have been refused.
pub(crate) fn shapes(shapes: &[Arc<Shape>], options: &GenerateOptions) -> String {
    let mut out = String::with_capacity(256 + shapes.len() * 160);
    out.push_str(HEADER);
    out.push_str("import type { ShapeRegistry } from \"");
    out.push_str(options.package_prefix.as_str());
    out.push_str("/server\";\n\nconst module = () => import(");
    let file = shapes.first().map_or("", |shape| &shape.file);
    push_string(&mut out, &options.specifier(file));
    out.push_str(");\n\nexport const shapes: ShapeRegistry = {");
    for shape in shapes {
        out.push_str("\n  ");
        push_literal_key(&mut out, &shape.name);
        out.push_str(": { table: ");
        push_string(&mut out, &shape.table);
        out.push_str(", address: ");
        push_address(&mut out, &shape.address);
        out.push_str(", module, exportName: ");
        push_string(&mut out, &shape.name);
        out.push_str(" },");
    }
    out.push_str("\n};\n");
    out
}
