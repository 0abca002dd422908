//! Functions as the tree that call sites walk: `api.admin.users.ban`.

use std::collections::BTreeMap;

use lunora_diagnostics::{Diagnostic, Span, codes};
use lunora_ir::{Function, Visibility};

use crate::module_names::module_path;

/// A folder or file, and what is below it. Sorted by name.
#[derive(Debug, Default)]
pub(crate) struct Branch<'a> {
    pub(crate) children: BTreeMap<&'a str, Node<'a>>,
}

/// What a name leads to.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    /// A folder, a file, or both.
    Branch(Branch<'a>),
    /// A function.
    Function(&'a Function),
}

/// The tree of the functions with one visibility. A file and a folder of the same name share a
/// branch.
///
/// # Errors
/// When an export has the name of a folder or file that is beside it.
pub(crate) fn function_tree<'a>(
    functions: &[&'a Function],
    visibility: Visibility,
) -> Result<Branch<'a>, Vec<Diagnostic>> {
    let mut root = Branch::default();
    let mut errors = Vec::new();
    for function in functions.iter().filter(|function| function.visibility == visibility) {
        if let Err(diagnostic) = root.insert(function) {
            errors.push(diagnostic);
        }
    }
    if errors.is_empty() { Ok(root) } else { Err(errors) }
}

/// Two functions with the same path: `messages.ts` beside `messages.mts`.
pub(crate) fn equal_paths(functions: &[&Function]) -> Vec<Diagnostic> {
    functions
        .windows(2)
        .filter(|pair| pair[0].path == pair[1].path)
        .map(|pair| collision(pair[1], pair[0]))
        .collect()
}

impl<'a> Branch<'a> {
    fn insert(&mut self, function: &'a Function) -> Result<(), Diagnostic> {
        let mut branch = self;
        for segment in module_path(function).split('/') {
            let node = branch
                .children
                .entry(segment)
                .or_insert_with(|| Node::Branch(Self::default()));
            match node {
                Node::Branch(below) => branch = below,
                Node::Function(other) => return Err(collision(function, other)),
            }
        }
        match branch.children.get(function.export.as_str()) {
            None => {
                branch.children.insert(&function.export, Node::Function(function));
                Ok(())
            }
            Some(Node::Function(other)) => Err(collision(function, other)),
            Some(Node::Branch(below)) => Err(collision(function, below.any_function().unwrap_or(function))),
        }
    }

    fn any_function(&self) -> Option<&'a Function> {
        self.children.values().find_map(|node| match node {
            Node::Function(function) => Some(*function),
            Node::Branch(below) => below.any_function(),
        })
    }
}

fn collision(function: &Function, other: &Function) -> Diagnostic {
    let start = Span { start: 0, end: 0 };
    Diagnostic::error(
        codes::FUNCTION_PATH_COLLISION,
        format!(
            "`{}` of `{}` and `{}` of `{}` would have the same place in the generated `api`",
            function.export, function.file, other.export, other.file
        ),
    )
    .at(&function.file, start)
    .and_at(&other.file, start, "the other one")
    .with_help("Rename one of the two exports, or move one of the files")
}
