//! The names by which generated files call the modules of an app.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use lunora_ir::{Function, Shape};

use crate::GenerateOptions;
use crate::typescript::is_reserved;

/// Names that the generated files use themselves.
const TAKEN: [&str; 11] = [
    "Api",
    "FanOutReferenceOf",
    "FunctionRegistry",
    "InternalApi",
    "ReferenceOf",
    "ShapeReferenceOf",
    "api",
    "functionReference",
    "functions",
    "internal",
    "shapeReference",
];

/// A module that holds functions or shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    /// The name that generated files call it by.
    pub(crate) alias: String,
    /// How they import it.
    pub(crate) specifier: String,
}

/// The modules that hold functions or shapes, by file.
#[derive(Debug, Default)]
pub(crate) struct ModuleNames<'a> {
    by_file: FxHashMap<&'a str, Module>,
    /// Files in the order of their first function.
    order: Vec<&'a str>,
}

impl<'a> ModuleNames<'a> {
    /// `functions` are sorted by path; shapes are for the files that name them.
    pub(crate) fn new(functions: &'a [Arc<Function>], shapes: &'a [Arc<Shape>], options: &GenerateOptions) -> Self {
        let mut names = Self::default();
        let mut used: FxHashSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
        let of_functions = functions
            .iter()
            .map(|function| (function.file.as_str(), module_path(function)));
        let of_shapes = shapes.iter().map(|shape| (shape.file.as_str(), SHAPES));
        for (file, path) in of_functions.chain(of_shapes) {
            if names.by_file.contains_key(file) {
                continue;
            }
            let alias = unused(identifier(path), &mut used);
            let specifier = options.specifier(file);
            names.by_file.insert(file, Module { alias, specifier });
            names.order.push(file);
        }
        names
    }

    /// The module of the file of a function or shape that it was made for.
    pub(crate) fn of(&self, file: &str) -> &Module {
        &self.by_file[file]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &Module)> {
        self.order.iter().map(|file| (*file, &self.by_file[file]))
    }
}

/// The module that shapes are in, and what they are below in `api`.
pub(crate) const SHAPES: &str = "shapes";

/// The path of a function's file below the app's folder, without extension.
pub(crate) fn module_path(function: &Function) -> &str {
    function
        .path
        .strip_suffix(function.export.as_str())
        .and_then(|path| path.strip_suffix(':'))
        .unwrap_or(&function.path)
}

pub(crate) fn identifier(path: &str) -> String {
    let mut name: String = path
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || character == '$' {
                character
            } else {
                '_'
            }
        })
        .collect();
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if is_reserved(&name) {
        name.push('_');
    }
    name
}

pub(crate) fn unused(name: String, used: &mut FxHashSet<String>) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !used.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::{identifier, unused};

    #[test]
    fn names_are_legal_and_differ() {
        let mut used = ["api".to_owned()].into_iter().collect();
        for (path, expected) in [
            ("messages", "messages"),
            ("admin/users", "admin_users"),
            ("admin_users", "admin_users_2"),
            ("admin-users", "admin_users_3"),
            ("admin_users_2", "admin_users_2_2"),
            ("class", "class_"),
            ("2fa", "_2fa"),
            ("api", "api_2"),
            ("日本", "__"),
        ] {
            assert_eq!(unused(identifier(path), &mut used), expected, "{path}");
        }
    }
}
