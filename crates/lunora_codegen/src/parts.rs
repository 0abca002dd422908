//! How the references and the registry of a large app are divided over files, so that an edit writes one of them.

use std::sync::Arc;

use lunora_ir::Function;

/// Apps with at most this many files of functions have one `api.ts` and one `functions.ts`.
const UNDIVIDED_FILES: usize = 128;

/// About how many files of functions a part has.
const FILES_IN_PART: usize = 32;

/// A part of the functions.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// What tells its files from those of another one.
    pub(crate) suffix: String,
    /// Sorted as they were given. All functions of one file are in one part.
    pub(crate) functions: Vec<Arc<Function>>,
}

/// Divides functions, sorted by path, of an app that is large; `None` for others.
///
/// Which part a file belongs to follows from its name and from how many files there are, roughly, so that
/// a file that comes or goes moves no other one until there are twice or half as many.
pub(crate) fn divide(functions: &[Arc<Function>]) -> Option<Vec<Part>> {
    let files: Vec<&[Arc<Function>]> = functions.chunk_by(|one, next| one.file == next.file).collect();
    if files.len() <= UNDIVIDED_FILES {
        return None;
    }
    let count = (files.len() / FILES_IN_PART).next_power_of_two();
    let mut parts: Vec<Part> = (0..count)
        .map(|number| Part {
            suffix: format!("{number:02}"),
            functions: Vec::with_capacity(2 * functions.len() / count),
        })
        .collect();
    for file in files {
        let number = number_of(&file[0].file, count);
        parts[number].functions.extend_from_slice(file);
    }
    parts.retain(|part| !part.functions.is_empty());
    Some(parts)
}

/// FNV-1a, since the same name has to give the same number on every machine and in every release.
fn number_of(file: &str, count: usize) -> usize {
    let hash = file.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The low bits of FNV depend on the low bits of the input alone.
    usize::try_from((hash >> 32) % count as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lunora_ir::{Address, Function, FunctionKind, Visibility};

    use super::{FILES_IN_PART, UNDIVIDED_FILES, divide};

    fn functions(files: usize) -> Vec<Arc<Function>> {
        (0..2 * files)
            .map(|index| {
                Arc::new(Function {
                    path: format!("file{:05}:f{index}", index / 2),
                    file: format!("lunora/file{:05}.ts", index / 2),
                    export: format!("f{index}"),
                    kind: FunctionKind::Query,
                    visibility: Visibility::Public,
                    input: indexmap::IndexMap::new(),
                    output: None,
                    address: Address::Root,
                    tables: Vec::new(),
                })
            })
            .collect()
    }

    #[test]
    fn small_apps_are_not_divided() {
        assert!(divide(&functions(UNDIVIDED_FILES)).is_none());
        assert!(divide(&functions(UNDIVIDED_FILES + 1)).is_some());
    }

    #[test]
    fn parts_are_even_and_whole() {
        let parts = divide(&functions(1000)).unwrap_or_default();
        assert_eq!(parts.len(), 32);
        assert_eq!(parts.iter().map(|part| part.functions.len()).sum::<usize>(), 2000);
        for part in &parts {
            let files = part.functions.chunk_by(|one, next| one.file == next.file);
            assert!(files.clone().all(|file| file.len() == 2));
            assert!((FILES_IN_PART / 2..FILES_IN_PART * 2).contains(&files.count()));
            assert!(part.functions.is_sorted_by_key(|function| function.path.clone()));
        }
    }

    #[test]
    fn a_file_that_goes_moves_no_other() {
        let all = functions(1000);
        let fewer = [&all[..600], &all[602..]].concat();
        let changed = divide(&all)
            .unwrap_or_default()
            .iter()
            .zip(&divide(&fewer).unwrap_or_default())
            .filter(|(before, after)| before.functions.len() != after.functions.len())
            .count();
        assert_eq!(changed, 1);
    }
}
