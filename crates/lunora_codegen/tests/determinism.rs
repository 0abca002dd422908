//! The same model gives the same bytes; other models give legal text.

#![allow(clippy::unwrap_used)]

mod sample;

use std::sync::Arc;

use lunora_codegen::{GenerateOptions, GeneratedFile, PackagePrefix, generate};
use lunora_diagnostics::codes;
use lunora_ir::{Address, Application, Function, FunctionKind};
use lunora_testing::Random;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest};

fn options() -> GenerateOptions {
    GenerateOptions {
        package_prefix: PackagePrefix::Scoped,
        directory: "lunora".to_owned(),
        title: String::new(),
    }
}

fn with(functions: impl IntoIterator<Item = Function>) -> Application {
    Application {
        functions: functions.into_iter().map(Arc::new).collect(),
        ..Application::default()
    }
}

fn plain(file: &str, export: &str) -> Function {
    sample::function(file, export, FunctionKind::Query, [], Address::Root)
}

fn text<'f>(files: &'f [GeneratedFile], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap().contents
}

/// A seed that `LUNORA_SEED` can set, so that proptest's cases repeat.
fn config(name: &str) -> ProptestConfig {
    let seed = Random::from_environment(name, 11).next_u64();
    ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn shuffled_functions() -> impl Strategy<Value = Vec<Arc<Function>>> {
    Just(sample::rich().functions).prop_shuffle()
}

proptest! {
    #![proptest_config(config("determinism"))]

    #[test]
    fn the_order_of_functions_does_not_show(functions in shuffled_functions()) {
        let expected = generate(&sample::rich(), &options()).unwrap();
        let application = Application { functions, ..sample::rich() };
        prop_assert_eq!(generate(&application, &options()).unwrap(), expected);
    }

    #[test]
    fn any_set_of_files_has_a_module_name_each(names in prop::collection::hash_set("[a-zA-Z0-9_$. -]{1,6}", 1..20), dots in any::<bool>()) {
        let functions: Vec<_> = names
            .iter()
            .map(|name| plain(&format!("lunora/{}{name}.ts", if dots { "x/" } else { "" }), "f"))
            .collect();
        let files = generate(&with(functions), &options()).unwrap();
        let mut aliases: Vec<_> = text(&files, "api.ts")
            .lines()
            .filter_map(|line| line.strip_prefix("import type * as ")?.split(" from ").next())
            .collect();
        let count = aliases.len();
        prop_assert_eq!(count, names.len());
        aliases.sort_unstable();
        aliases.dedup();
        prop_assert_eq!(aliases.len(), count);
    }
}

#[test]
fn a_file_and_a_folder_share_a_name() {
    let files = generate(
        &with([plain("lunora/a.ts", "x"), plain("lunora/a/b.ts", "y")]),
        &options(),
    )
    .unwrap();
    assert!(text(&files, "api.ts").contains("  a: {\n    b: {\n      y: functionReference(\"a/b:y\""));
}

#[test]
fn places_that_are_taken_are_refused() {
    for (one, other) in [
        (plain("lunora/a.ts", "b"), plain("lunora/a/b.ts", "y")),
        (plain("lunora/a.ts", "b"), plain("lunora/a/b/c.ts", "y")),
        (plain("lunora/a.ts", "b"), plain("lunora/a.mts", "b")),
        (plain("lunora/a.ts", "b"), plain("lunora/a.mts", "c")),
    ] {
        for functions in [[one.clone(), other.clone()], [other, one]] {
            let errors = generate(&with(functions), &options()).unwrap_err();
            assert_eq!(errors.len(), 1);
            assert_eq!(errors[0].code, codes::FUNCTION_PATH_COLLISION);
            assert_eq!(errors[0].labels.len(), 2);
            assert!(errors[0].help.is_some());
        }
    }
}
