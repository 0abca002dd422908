//! Generating again and again, as files are edited.

use std::sync::Arc;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Application, Function};

use crate::data_model::data_model;
use crate::generate::{API, CallSurface, DATA_MODEL, FUNCTIONS, OPENAPI, WORKER, generate};
use crate::openapi::{openapi, push_components};
use crate::worker::worker;
use crate::{GenerateOptions, GeneratedFile};

/// Generates again and again. The files are those of [`generate`]; a file whose part of the model did
/// not change is the same allocation as before, so that a writer sees at a glance that it is done.
#[derive(Debug, Default)]
pub struct Generator {
    last: Option<Generation>,
}

#[derive(Debug)]
struct Generation {
    application: Application,
    options: GenerateOptions,
    files: Vec<GeneratedFile>,
    /// `openapi.json` is that of an earlier application.
    description_is_old: bool,
}

/// How much of the files is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// What editors and workers wait for. The description of the API, which is by far the largest file and
    /// which nobody waits for, may stay that of an earlier generation until the next run with [`Scope::All`].
    Modules,
}

impl Generator {
    /// Generates all files of an application.
    ///
    /// # Errors
    /// Those of [`generate`]. What was remembered of the last good generation is kept.
    pub fn generate(
        &mut self,
        application: &Application,
        options: &GenerateOptions,
        scope: Scope,
    ) -> Result<Vec<GeneratedFile>, Vec<Diagnostic>> {
        let mut description_is_old = false;
        let files = match self.last.take_if(|last| last.options != *options) {
            None => match &self.last {
                Some(last) => {
                    let (files, old) = last.regenerate(application, scope)?;
                    description_is_old = old;
                    files
                }
                None => generate(application, options)?,
            },
            Some(other_options) => match generate(application, options) {
                Ok(files) => files,
                Err(errors) => {
                    self.last = Some(other_options);
                    return Err(errors);
                }
            },
        };
        self.last = Some(Generation {
            application: application.clone(),
            options: options.clone(),
            files: files.clone(),
            description_is_old,
        });
        Ok(files)
    }
}

impl Generation {
    /// The files, and whether the description among them is old.
    fn regenerate(
        &self,
        application: &Application,
        scope: Scope,
    ) -> Result<(Vec<GeneratedFile>, bool), Vec<Diagnostic>> {
        let last = &self.application;
        let functions = changed_parts(&last.functions, &application.functions);
        let tables_changed = !are_same_tables(last, application);
        let entry_changed = last.has_app_module != application.has_app_module
            || last.schema_export != application.schema_export
            || last.schema_file != application.schema_file;
        let description_is_due = functions.any() || self.description_is_old;
        if !description_is_due && !tables_changed && !entry_changed {
            return Ok((self.files.clone(), false));
        }
        let options = &self.options;
        let surface = CallSurface::new(application, options)?;
        let mut files = Vec::with_capacity(self.files.len());
        for last in &self.files {
            let contents = match last.path {
                DATA_MODEL if tables_changed => data_model(&application.tables),
                API if functions.surface => surface.api(options)?,
                FUNCTIONS if functions.surface => surface.functions(options),
                OPENAPI if description_is_due && scope == Scope::All => openapi(&surface.sorted, options),
                WORKER if entry_changed => worker(application, options),
                _ => {
                    files.push(last.clone());
                    continue;
                }
            };
            files.push(if contents == *last.contents {
                last.clone()
            } else {
                GeneratedFile {
                    path: last.path,
                    contents: Arc::from(contents),
                }
            });
        }
        Ok((files, description_is_due && scope == Scope::Modules))
    }
}

/// Order counts, which equality of maps does not see.
fn are_same_tables(last: &Application, now: &Application) -> bool {
    let pairs = last.tables.iter().zip(&now.tables);
    last.tables.len() == now.tables.len()
        && pairs
            .into_iter()
            .all(|((last_name, last), (name, now))| last_name == name && Arc::ptr_eq(last, now))
}

/// What changed between two lists of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FunctionChanges {
    /// Which there are, where they are, who may call them, where they run.
    surface: bool,
    /// What they take or give.
    shapes: bool,
}

impl FunctionChanges {
    const fn any(self) -> bool {
        self.surface || self.shapes
    }
}

fn changed_parts(last: &[Arc<Function>], now: &[Arc<Function>]) -> FunctionChanges {
    let mut changes = FunctionChanges {
        surface: last.len() != now.len(),
        shapes: false,
    };
    for (last, now) in last.iter().zip(now) {
        if changes.surface {
            break;
        }
        // Functions of files that were not edited are the very same.
        if Arc::ptr_eq(last, now) {
            continue;
        }
        changes.surface |= last.path != now.path
            || last.file != now.file
            || last.export != now.export
            || last.kind != now.kind
            || last.visibility != now.visibility
            || last.address != now.address;
        changes.shapes |= components(last) != components(now);
    }
    changes
}

fn components(function: &Function) -> String {
    let mut text = String::new();
    push_components(&mut text, function);
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use indexmap::IndexMap;
    use lunora_ir::{Address, Application, Function, FunctionKind, ShardMode, Table, Validator, Visibility};

    use super::{Generator, Scope};
    use crate::{GenerateOptions, GeneratedFile, PackagePrefix, generate};

    fn function(export: &str) -> Function {
        Function {
            path: format!("a:{export}"),
            file: "lunora/a.ts".into(),
            export: export.into(),
            kind: FunctionKind::Query,
            visibility: Visibility::Public,
            input: two_fields(true),
            output: None,
            address: Address::Root,
            tables: Vec::new(),
        }
    }

    /// Equal as maps, whatever the order within.
    fn two_fields(x_first: bool) -> IndexMap<String, Validator> {
        let mut fields = vec![("x".to_owned(), Validator::String), ("y".to_owned(), Validator::Null)];
        if !x_first {
            fields.reverse();
        }
        let inner = Validator::Object {
            fields: fields.into_iter().collect(),
        };
        IndexMap::from([("inner".to_owned(), inner)])
    }

    fn table() -> Table {
        Table {
            columns: IndexMap::new(),
            shard_mode: ShardMode::Root,
            indexes: IndexMap::new(),
            relations: IndexMap::new(),
            triggers: IndexMap::new(),
            soft_delete: None,
            time_to_live: None,
            is_public: false,
            file: String::new(),
        }
    }

    fn options() -> GenerateOptions {
        GenerateOptions {
            package_prefix: PackagePrefix::Umbrella,
            directory: "lunora".into(),
            title: "t".into(),
        }
    }

    /// Another allocation for the second function, edited.
    fn set(application: &mut Application, edit: fn(&mut Function)) {
        let mut edited = function("g");
        edit(&mut edited);
        application.functions[1] = Arc::new(edited);
    }

    fn regenerated(before: &[GeneratedFile], after: &[GeneratedFile]) -> Vec<&'static str> {
        before
            .iter()
            .zip(after)
            .filter(|(before, after)| !Arc::ptr_eq(&before.contents, &after.contents))
            .map(|(before, _)| before.path)
            .collect()
    }

    #[test]
    fn only_what_depends_on_a_change_is_made_again_and_it_is_what_generate_makes() {
        type Edit = fn(&mut Application);
        const CALLS: &[&str] = &["api.ts", "functions.ts", "openapi.json"];
        let edits: [(Edit, &[&str]); 11] = [
            (|_| {}, &[]),
            (|application| set(application, |_| {}), &[]),
            (
                |application| set(application, |function| function.tables.push("t".into())),
                &[],
            ),
            (
                |application| set(application, |function| function.output = Some(Validator::Null)),
                &["openapi.json"],
            ),
            (
                |application| set(application, |function| function.input = two_fields(false)),
                &["openapi.json"],
            ),
            (
                |application| set(application, |function| function.kind = FunctionKind::Mutation),
                CALLS,
            ),
            (|application| application.functions.truncate(1), CALLS),
            (|application| application.has_app_module = true, &["worker.ts"]),
            (|application| application.rls_required = true, &[]),
            (|application| application.tables.swap_indices(0, 1), &["dataModel.ts"]),
            (|application| application.tables[0] = Arc::new(table()), &[]),
        ];
        for (position, (edit, expected)) in edits.into_iter().enumerate() {
            let tables = ["a", "b"].map(|name| (name.to_owned(), Arc::new(table())));
            let mut application = Application {
                functions: vec![Arc::new(function("f")), Arc::new(function("g"))],
                tables: tables.into_iter().collect(),
                ..Application::default()
            };
            let mut generator = Generator::default();
            let before = generator.generate(&application, &options(), Scope::All).unwrap();
            edit(&mut application);
            let after = generator.generate(&application, &options(), Scope::All).unwrap();
            assert_eq!(regenerated(&before, &after), expected, "edit {position}");
            assert_eq!(after, generate(&application, &options()).unwrap(), "edit {position}");
            let other = GenerateOptions {
                package_prefix: PackagePrefix::Scoped,
                ..options()
            };
            assert_eq!(
                generator.generate(&application, &other, Scope::All).unwrap(),
                generate(&application, &other).unwrap()
            );
        }
    }

    #[test]
    fn the_description_can_wait_and_is_not_forgotten() {
        let mut application = Application {
            functions: vec![Arc::new(function("f"))],
            ..Application::default()
        };
        let mut generator = Generator::default();
        let first = generator.generate(&application, &options(), Scope::Modules).unwrap();
        assert_eq!(
            first,
            generate(&application, &options()).unwrap(),
            "there is nothing to keep yet"
        );
        application.functions.push(Arc::new(function("g")));
        let modules = generator.generate(&application, &options(), Scope::Modules).unwrap();
        assert_eq!(regenerated(&first, &modules), ["api.ts", "functions.ts"]);
        let again = generator.generate(&application, &options(), Scope::Modules).unwrap();
        assert!(regenerated(&modules, &again).is_empty());
        let all = generator.generate(&application, &options(), Scope::All).unwrap();
        assert_eq!(all, generate(&application, &options()).unwrap());
        let unchanged = generator.generate(&application, &options(), Scope::All).unwrap();
        assert!(regenerated(&all, &unchanged).is_empty());
    }

    #[test]
    fn a_collision_does_not_forget_the_last_good_files() {
        let good = Application {
            functions: vec![Arc::new(function("f"))],
            ..Application::default()
        };
        let twice = Application {
            functions: vec![Arc::new(function("f")), Arc::new(function("f"))],
            ..Application::default()
        };
        let mut generator = Generator::default();
        let before = generator.generate(&good, &options(), Scope::All).unwrap();
        assert!(generator.generate(&twice, &options(), Scope::All).is_err());
        let after = generator.generate(&good, &options(), Scope::All).unwrap();
        assert!(regenerated(&before, &after).is_empty());
    }
}
