//! Functions as the tree that call sites walk: `api.admin.users.ban`.

use std::collections::BTreeMap;
use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, Span, codes};
use lunora_ir::{Function, Shape, Visibility};
use rustc_hash::FxHashSet;

use crate::module_names::{SHAPES, module_path};

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
    /// A shape.
    Shape(&'a Shape),
}

/// The trees of public and internal functions; shapes are in the public one.
///
/// # Errors
/// Those of both trees.
pub(crate) fn function_trees<'a>(
    functions: &'a [Arc<Function>],
    shapes: &'a [Arc<Shape>],
) -> Result<(Branch<'a>, Branch<'a>), Vec<Diagnostic>> {
    let public = function_tree(functions, shapes, Visibility::Public);
    let internal = function_tree(functions, &[], Visibility::Internal);
    match (public, internal) {
        (Ok(public), Ok(internal)) => Ok((public, internal)),
        (public, internal) => {
            let errors = [public.err(), internal.err()];
            Err(errors.into_iter().flatten().flatten().collect())
        }
    }
}

/// The functions with one visibility, below the paths of their modules.
pub(crate) fn by_module<'a>(functions: &'a [Arc<Function>], visibility: Visibility) -> Branch<'a> {
    let mut root = Branch::default();
    for function in functions.iter().filter(|function| function.visibility == visibility) {
        let module = root.children.entry(module_path(function));
        if let Node::Branch(module) = module.or_insert_with(|| Node::Branch(Branch::default())) {
            module.children.insert(&function.export, Node::Function(function));
        }
    }
    root
}

/// The tree of the functions with one visibility. A file and a folder of the same name share a
/// branch.
///
/// # Errors
/// When an export has the name of a folder or file that is beside it.
fn function_tree<'a>(
    functions: &'a [Arc<Function>],
    shapes: &'a [Arc<Shape>],
    visibility: Visibility,
) -> Result<Branch<'a>, Vec<Diagnostic>> {
    let mut root = Branch::default();
    let mut errors = Vec::new();
    for function in functions.iter().filter(|function| function.visibility == visibility) {
        if let Err(diagnostic) = root.insert(function) {
            errors.push(diagnostic);
        }
    }
    for shape in shapes {
        if let Err(diagnostic) = root.insert_shape(shape) {
            errors.push(diagnostic);
        }
    }
    if errors.is_empty() { Ok(root) } else { Err(errors) }
}

/// Every pair of functions that would have the same place, without making the trees of those that do not.
///
/// # Errors
/// Those of [`function_trees`], or when two files have the same path. `functions` are sorted by theirs.
pub(crate) fn check_places(functions: &[Arc<Function>], shapes: &[Arc<Shape>]) -> Result<(), Vec<Diagnostic>> {
    let errors = equal_files(functions);
    if !errors.is_empty() {
        return Err(errors);
    }
    if !shapes.is_empty() || may_collide(functions) {
        function_trees(functions, shapes)?;
    }
    Ok(())
}

/// Whether an export has the name of a folder or file that is beside it, whatever the visibility.
fn may_collide(functions: &[Arc<Function>]) -> bool {
    let modules = || functions.chunk_by(|one, next| one.file == next.file);
    let mut folders: FxHashSet<&str> = FxHashSet::default();
    for module in modules() {
        let mut path = module_path(&module[0]);
        while let Some((folder, _)) = path.rsplit_once('/') {
            if !folders.insert(folder) {
                break;
            }
            path = folder;
        }
    }
    let files_that_are_folders = || modules().filter(|module| folders.contains(module_path(&module[0])));
    if files_that_are_folders().next().is_none() {
        return false;
    }
    let files: FxHashSet<&str> = modules().map(|module| module_path(&module[0])).collect();
    files_that_are_folders().flatten().any(|function| {
        let place = format!("{}/{}", module_path(function), function.export);
        files.contains(place.as_str()) || folders.contains(place.as_str())
    })
}

/// Files with the same path, once for each path: `messages.ts` beside `messages.mts`.
fn equal_files(functions: &[Arc<Function>]) -> Vec<Diagnostic> {
    functions
        .chunk_by(|one, next| module_path(one) == module_path(next))
        .filter_map(|module| {
            let first = &module[0];
            let other = module.iter().find(|function| function.file != first.file)?;
            Some(same_path(&other.file, &first.file))
        })
        .collect()
}

fn same_path(file: &str, other: &str) -> Diagnostic {
    let start = Span { start: 0, end: 0 };
    Diagnostic::error(
        codes::FUNCTION_PATH_COLLISION,
        format!("the functions of `{file}` and of `{other}` would have the same place in the generated `api`"),
    )
    .at(file, start)
    .and_at(other, start, "the other one")
    .with_help("Rename one of the two files, or put their functions into one")
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
                Node::Function(other) => return Err(collision(Owner::of(function), Owner::of(other))),
                Node::Shape(other) => return Err(collision(Owner::of(function), Owner::of_shape(other))),
            }
        }
        branch.insert_leaf(Owner::of(function), Node::Function(function))
    }

    /// Shapes come after functions, so that all folders are there.
    fn insert_shape(&mut self, shape: &'a Shape) -> Result<(), Diagnostic> {
        let node = self
            .children
            .entry(SHAPES)
            .or_insert_with(|| Node::Branch(Self::default()));
        let owner = Owner::of_shape(shape);
        match node {
            Node::Branch(below) => below.insert_leaf(owner, Node::Shape(shape)),
            Node::Function(other) => Err(collision(owner, Owner::of(other))),
            Node::Shape(other) => Err(collision(owner, Owner::of_shape(other))),
        }
    }

    fn insert_leaf(&mut self, owner: Owner<'a>, leaf: Node<'a>) -> Result<(), Diagnostic> {
        let other = match self.children.get(owner.export) {
            None => {
                self.children.insert(owner.export, leaf);
                return Ok(());
            }
            Some(Node::Function(other)) => Owner::of(other),
            Some(Node::Shape(other)) => Owner::of_shape(other),
            Some(Node::Branch(below)) => below.any_function().map_or(owner, Owner::of),
        };
        Err(collision(owner, other))
    }

    fn any_function(&self) -> Option<&'a Function> {
        self.children.values().find_map(|node| match node {
            Node::Function(function) => Some(*function),
            Node::Shape(_) => None,
            Node::Branch(below) => below.any_function(),
        })
    }
}

/// Who asks for a place.
#[derive(Clone, Copy)]
struct Owner<'a> {
    export: &'a str,
    file: &'a str,
}

impl<'a> Owner<'a> {
    fn of(function: &'a Function) -> Self {
        Self {
            export: &function.export,
            file: &function.file,
        }
    }

    fn of_shape(shape: &'a Shape) -> Self {
        Self {
            export: &shape.name,
            file: &shape.file,
        }
    }
}

fn collision(function: Owner<'_>, other: Owner<'_>) -> Diagnostic {
    let start = Span { start: 0, end: 0 };
    Diagnostic::error(
        codes::FUNCTION_PATH_COLLISION,
        format!(
            "`{}` of `{}` and `{}` of `{}` would have the same place in the generated `api`",
            function.export, function.file, other.export, other.file
        ),
    )
    .at(function.file, start)
    .and_at(other.file, start, "the other one")
    .with_help("Rename one of the two exports, or move one of the files")
}
