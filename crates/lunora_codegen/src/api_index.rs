//! `api.ts` of a large app: what its parts add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use lunora_ir::{Function, Shape, Visibility};

use crate::GenerateOptions;
use crate::api::{
    INTERNAL_COMMENT, PUBLIC_COMMENT, ReferenceKinds, push_module_import, push_reference_imports, push_shape_type,
    push_shape_value,
};
use crate::generated_file::HEADER;
use crate::module_names::{SHAPES, module_path};
use crate::parts::Part;
use crate::typescript::{push_indent, push_key, push_literal_key, push_string};

/// What a tree of references is called by in generated code.
struct Tree {
    visibility: Visibility,
    interface: &'static str,
    constant: &'static str,
    comment: &'static str,
}

const TREES: [Tree; 2] = [
    Tree {
        visibility: Visibility::Public,
        interface: "Api",
        constant: "api",
        comment: PUBLIC_COMMENT,
    },
    Tree {
        visibility: Visibility::Internal,
        interface: "InternalApi",
        constant: "internal",
        comment: INTERNAL_COMMENT,
    },
];

/// A folder, a file, or both.
#[derive(Default)]
struct Place<'a> {
    below: BTreeMap<&'a str, Self>,
    /// The suffix of the file's part, and the file's path.
    file: Option<(&'a str, &'a str)>,
    /// Shapes, which are in no part.
    shapes: &'a [Arc<Shape>],
}

/// What shapes' types are taken from; the imports of parts end in digits.
const SHAPE_MODULE: &str = "shapes";

impl<'a> Place<'a> {
    fn root(parts: &'a [Part], visibility: Visibility) -> Self {
        let mut root = Self::default();
        for part in parts {
            for (path, _) in modules(&part.functions).filter(|(_, seen)| *seen == visibility) {
                let mut place = &mut root;
                for segment in path.split('/') {
                    place = place.below.entry(segment).or_default();
                }
                place.file = Some((&part.suffix, path));
            }
        }
        root
    }

    /// Whether it has more than the references of its file.
    fn has_own(&self) -> bool {
        !self.below.is_empty() || !self.shapes.is_empty()
    }
}

/// All that the index depends on: the paths of the modules of a part, once for each visibility that
/// functions of theirs have.
pub(crate) fn modules(functions: &[Arc<Function>]) -> impl Iterator<Item = (&str, Visibility)> {
    functions
        .chunk_by(|one, next| one.file == next.file)
        .flat_map(|module| {
            let path = module_path(&module[0]);
            let has = |visibility| module.iter().any(|function| function.visibility == visibility);
            TREES
                .iter()
                .map(|tree| tree.visibility)
                .filter(move |visibility| has(*visibility))
                .map(move |visibility| (path, visibility))
        })
}

pub(crate) fn api_index(parts: &[Part], shapes: &[Arc<Shape>], options: &GenerateOptions) -> String {
    let mut out = String::with_capacity(256 + parts.len() * 4096);
    out.push_str(HEADER);
    if let Some(shape) = shapes.first() {
        let kinds = ReferenceKinds {
            fan_out: false,
            plain: false,
            shape: true,
        };
        push_reference_imports(&mut out, kinds, options);
        push_module_import(&mut out, SHAPE_MODULE, &options.specifier(&shape.file));
    }
    for part in parts {
        push_import(&mut out, part);
    }
    for tree in &TREES {
        let mut root = Place::root(parts, tree.visibility);
        if tree.visibility == Visibility::Public && !shapes.is_empty() {
            root.below.entry(SHAPES).or_default().shapes = shapes;
        }
        for text in ["\n/** ", tree.comment, " */\nexport interface ", tree.interface, " {"] {
            out.push_str(text);
        }
        push_types(&mut out, &root, tree, 1);
        for text in ["}\n\nexport const ", tree.constant, ": ", tree.interface, " = {"] {
            out.push_str(text);
        }
        push_values(&mut out, &root, tree, 1);
        out.push_str("};\n");
    }
    out
}

/// Only what is used: a name that is imported and not used is an error under `noUnusedLocals`.
fn push_import(out: &mut String, part: &Part) {
    let suffix = &part.suffix;
    let mut comma = "import { ";
    for tree in &TREES {
        if modules(&part.functions).any(|(_, visibility)| visibility == tree.visibility) {
            for (type_only, name) in [("", tree.constant), ("type ", tree.interface)] {
                for text in [comma, type_only, name, " as ", name, suffix] {
                    out.push_str(text);
                }
                comma = ", ";
            }
        }
    }
    for text in [" } from \"./api-", suffix, ".js\";\n"] {
        out.push_str(text);
    }
}

fn push_types(out: &mut String, place: &Place<'_>, tree: &Tree, level: usize) {
    for (name, below) in &place.below {
        out.push('\n');
        push_indent(out, level);
        out.push_str("readonly ");
        push_key(out, name);
        out.push_str(": ");
        if let Some(file) = below.file {
            push_file(out, tree.interface, file);
            out.push_str(if below.has_own() { " & " } else { "" });
        }
        if below.has_own() {
            out.push('{');
            push_types(out, below, tree, level + 1);
            out.push('}');
        }
        out.push(';');
    }
    for shape in place.shapes {
        out.push('\n');
        push_indent(out, level);
        out.push_str("readonly ");
        push_key(out, &shape.name);
        out.push_str(": ");
        push_shape_type(out, shape, SHAPE_MODULE);
    }
    end_level(out, place, level);
}

fn push_values(out: &mut String, place: &Place<'_>, tree: &Tree, level: usize) {
    for (name, below) in &place.below {
        out.push('\n');
        push_indent(out, level);
        push_literal_key(out, name);
        out.push_str(": ");
        match below.file {
            Some(file) if !below.has_own() => push_file(out, tree.constant, file),
            file => {
                out.push('{');
                if let Some(file) = file {
                    out.push('\n');
                    push_indent(out, level + 1);
                    out.push_str("...");
                    push_file(out, tree.constant, file);
                    out.push(',');
                }
                push_values(out, below, tree, level + 1);
                out.push('}');
            }
        }
        out.push(',');
    }
    for shape in place.shapes {
        out.push('\n');
        push_indent(out, level);
        push_literal_key(out, &shape.name);
        out.push_str(": ");
        push_shape_value(out, shape);
    }
    end_level(out, place, level);
}

/// The references of a file, as its part has them.
fn push_file(out: &mut String, name: &str, (suffix, path): (&str, &str)) {
    for text in [name, suffix, "["] {
        out.push_str(text);
    }
    push_string(out, path);
    out.push(']');
}

fn end_level(out: &mut String, place: &Place<'_>, level: usize) {
    if place.has_own() {
        out.push('\n');
        push_indent(out, level - 1);
    }
}
