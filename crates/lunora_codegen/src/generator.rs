//! Generating again and again, as files are edited.

use lunora_diagnostics::Diagnostic;
use lunora_ir::Application;

use crate::generation::Generation;
use crate::{GenerateOptions, GeneratedFile};

/// Generates again and again. The files are those of [`generate`]; a file whose part of the model did
/// not change is the same allocation as before, so that a writer sees at a glance that it is done.
#[derive(Debug, Default)]
pub struct Generator {
    last: Option<Generation>,
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
        let generation = match &self.last {
            Some(last) if last.options == *options => last.next(application, scope)?,
            _ => Generation::new(application, options)?,
        };
        let files = generation.files();
        self.last = Some(generation);
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use indexmap::IndexMap;
    use lunora_ir::{Address, Application, Function, FunctionKind, Migration, ShardMode, Table, Validator, Visibility};

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

    fn regenerated(before: &[GeneratedFile], after: &[GeneratedFile]) -> Vec<String> {
        before
            .iter()
            .zip(after)
            .filter(|(before, after)| !Arc::ptr_eq(&before.contents, &after.contents))
            .map(|(before, _)| before.path.to_string())
            .collect()
    }

    #[test]
    fn only_what_depends_on_a_change_is_made_again_and_it_is_what_generate_makes() {
        type Edit = fn(&mut Application);
        const CALLS: &[&str] = &["api.ts", "functions.ts", "openapi.json"];
        let edits: [(Edit, &[&str]); 13] = [
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
            (|application| application.schedules = true, &["worker.ts"]),
            (|application| application.rls_required = true, &[]),
            (
                |application| application.migrations[0].has_down = true,
                &["migrations.ts"],
            ),
            (|application| application.tables.swap_indices(0, 1), &["dataModel.ts"]),
            (|application| application.tables[0] = Arc::new(table()), &[]),
        ];
        for (position, (edit, expected)) in edits.into_iter().enumerate() {
            let tables = ["a", "b"].map(|name| (name.to_owned(), Arc::new(table())));
            let mut application = Application {
                functions: vec![Arc::new(function("f")), Arc::new(function("g"))],
                tables: tables.into_iter().collect(),
                migrations: vec![Migration {
                    id: "1".into(),
                    table: "a".into(),
                    file: "lunora/migrations.ts".into(),
                    export: "one".into(),
                    has_down: false,
                }],
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
