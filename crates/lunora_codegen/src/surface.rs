//! What can be called and subscribed to, as files: references (`api.ts`) and registries (`functions.ts`,
//! `shapes.ts`), those of functions divided in a large app.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Function, Shape};
use rayon::prelude::*;

use crate::api::{api, part_of_api};
use crate::api_index::{api_index, modules};
use crate::function_tree::check_places;
use crate::functions::{functions, functions_index};
use crate::module_names::ModuleNames;
use crate::parts::{Part, divide};
use crate::shapes::shapes as shape_registry;
use crate::{GenerateOptions, GeneratedFile};

const API: &str = "api.ts";
const FUNCTIONS: &str = "functions.ts";
const SHAPES: &str = "shapes.ts";

/// The files, and what they were made from.
#[derive(Debug, Clone)]
pub(crate) struct Surface {
    api: GeneratedFile,
    registry: GeneratedFile,
    /// Empty in an app that is not divided.
    parts: Vec<PrintedPart>,
    /// What the registry of shapes was made from.
    shapes: Vec<Arc<Shape>>,
    /// Of an app that has shapes.
    shape_registry: Option<GeneratedFile>,
}

#[derive(Debug, Clone)]
struct PrintedPart {
    part: Part,
    api: GeneratedFile,
    registry: GeneratedFile,
}

impl Surface {
    /// Makes the files; what the last one has right is taken from it. `functions` are sorted by path, `shapes` by
    /// name.
    ///
    /// # Errors
    /// When two of functions, shapes and folders would have the same place in `api`.
    pub(crate) fn new(
        functions: &[Arc<Function>],
        shapes: &[Arc<Shape>],
        options: &GenerateOptions,
        last: Option<&Self>,
    ) -> Result<Self, Vec<Diagnostic>> {
        check_places(functions, shapes)?;
        let surface = match divide(functions) {
            None => Self::whole(functions, shapes, options, last)?,
            Some(parts) => Self::divided(parts, shapes, options, last),
        };
        let known = last.and_then(|last| last.shape_registry.as_ref());
        Ok(Self {
            shapes: shapes.to_vec(),
            shape_registry: (!shapes.is_empty())
                .then(|| GeneratedFile::renewed(SHAPES, shape_registry(shapes, options), known)),
            ..surface
        })
    }

    fn whole(
        all: &[Arc<Function>],
        shapes: &[Arc<Shape>],
        options: &GenerateOptions,
        last: Option<&Self>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let names = ModuleNames::new(all, &[], options);
        Ok(Self {
            api: GeneratedFile::renewed(API, api(all, shapes, options)?, last.map(|last| &last.api)),
            registry: GeneratedFile::renewed(
                FUNCTIONS,
                functions(all, &names, options),
                last.map(|last| &last.registry),
            ),
            parts: Vec::new(),
            shapes: Vec::new(),
            shape_registry: None,
        })
    }

    fn divided(parts: Vec<Part>, shapes: &[Arc<Shape>], options: &GenerateOptions, last: Option<&Self>) -> Self {
        let is_same = |last: &&Self| same_modules(&last.parts, &parts) && last.shapes == shapes;
        if let Some(last) = last.filter(is_same) {
            let pairs = last.parts.iter().zip(parts);
            return Self {
                parts: pairs.map(|(known, part)| known.renewed(part, options)).collect(),
                ..last.clone()
            };
        }
        let index = api_index(&parts, shapes, options);
        let registry = functions_index(parts.iter().map(|part| &*part.suffix), options);
        let parts = parts.into_par_iter().map(|part| {
            let known = last.and_then(|last| last.parts.iter().find(|known| known.part.suffix == part.suffix));
            match known {
                Some(known) => known.renewed(part, options),
                None => PrintedPart::new(part, options),
            }
        });
        Self {
            parts: parts.collect(),
            api: GeneratedFile::renewed(API, index, last.map(|last| &last.api)),
            registry: GeneratedFile::renewed(FUNCTIONS, registry, last.map(|last| &last.registry)),
            shapes: Vec::new(),
            shape_registry: None,
        }
    }

    /// All files, references before the registries.
    pub(crate) fn files(&self) -> impl Iterator<Item = &GeneratedFile> {
        let apis = self.parts.iter().map(|part| &part.api);
        let registries = self.parts.iter().map(|part| &part.registry);
        std::iter::once(&self.api)
            .chain(apis)
            .chain(std::iter::once(&self.registry))
            .chain(registries)
            .chain(&self.shape_registry)
    }
}

impl PrintedPart {
    fn new(part: Part, options: &GenerateOptions) -> Self {
        let names = ModuleNames::new(&part.functions, &[], options);
        let api = part_of_api(&part.functions, &names, options);
        let registry = functions(&part.functions, &names, options);
        Self {
            api: GeneratedFile::new(format!("api-{}.ts", part.suffix), api),
            registry: GeneratedFile::new(format!("functions-{}.ts", part.suffix), registry),
            part,
        }
    }

    /// The same part of another generation.
    fn renewed(&self, part: Part, options: &GenerateOptions) -> Self {
        let known = &self.part.functions;
        let is_same = known.len() == part.functions.len()
            && known
                .iter()
                .zip(&part.functions)
                .all(|(known, now)| same_in_surface(known, now));
        if is_same {
            return Self { part, ..self.clone() };
        }
        let printed = Self::new(part, options);
        Self {
            api: printed.api.or_same(&self.api),
            registry: printed.registry.or_same(&self.registry),
            part: printed.part,
        }
    }
}

/// Whether two lists of functions say the same to whoever calls them, apart from what they take and give.
pub(crate) fn same_in_surface(last: &Arc<Function>, now: &Arc<Function>) -> bool {
    // Functions of files that were not edited are the very same.
    Arc::ptr_eq(last, now)
        || (last.path == now.path
            && last.file == now.file
            && last.export == now.export
            && last.kind == now.kind
            && last.visibility == now.visibility
            && last.address == now.address)
}

/// Whether `api.ts` and `functions.ts` of a large app are as they were.
fn same_modules(last: &[PrintedPart], now: &[Part]) -> bool {
    last.len() == now.len()
        && last.iter().zip(now).all(|(last, now)| {
            last.part.suffix == now.suffix && modules(&last.part.functions).eq(modules(&now.functions))
        })
}
