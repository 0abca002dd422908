//! Analyses by content hash, so that an edit parses one file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::analysis::{AnalyzeOptions, FileAnalysis, analyze};
use crate::emit::EmitOptions;
use crate::stack;

/// One source file as it is on disk.
#[derive(Debug, Clone)]
pub struct SourceText {
    /// Project-relative, with `/`: `lunora/messages.ts`.
    pub path: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

struct Entry {
    /// The text it was made from, kept to compare by pointer before hashing.
    text: Arc<str>,
    analysis: Arc<FileAnalysis>,
    /// How its JavaScript was made; `None` when none was asked for.
    emitted: Option<Emitted>,
}

struct Emitted {
    /// The last [`EmitOptions::resolution`] under which the answers were found to hold.
    resolution: AtomicU64,
    verbatim_module_syntax: bool,
    source_map: bool,
    jsx_import_source: String,
    /// What each import resolved to.
    resolved: Vec<Option<String>>,
}

/// Keeps the analysis of every live file. A file that was analysed before under the same text and
/// the same options is not parsed again.
#[derive(Default)]
pub struct ParseCache {
    entries: FxHashMap<Arc<str>, Entry>,
    last_parsed: usize,
}

impl ParseCache {
    /// Analyses the given files, which are all the files there are: what is not listed is forgotten.
    /// The result is in the order of `files`; an unchanged file yields the very same allocation.
    pub fn update(&mut self, files: &[SourceText], options: &AnalyzeOptions<'_>) -> Vec<Arc<FileAnalysis>> {
        let entries = &self.entries;
        let is_known = |file: &&SourceText| {
            entries
                .get(&file.path)
                .is_some_and(|entry| Arc::ptr_eq(&entry.text, &file.text) && is_current(entry, options))
        };
        let unknown: Vec<&SourceText> = files.iter().filter(|file| !is_known(file)).collect();
        let made: Vec<Entry> = match unknown.len() {
            0 => Vec::new(),
            _ => stack::on_pool(|| {
                unknown
                    .par_iter()
                    .filter_map(|file| renewed(entries.get(&file.path), file, options))
                    .collect()
            }),
        };
        self.last_parsed = made.len();
        for entry in made {
            self.entries.insert(entry.analysis.path.clone(), entry);
        }
        if self.entries.len() > files.len() {
            let live: rustc_hash::FxHashSet<&str> = files.iter().map(|file| &*file.path).collect();
            self.entries.retain(|path, _| live.contains(&**path));
        }
        files
            .iter()
            .filter_map(|file| self.entries.get(&file.path))
            .map(|entry| entry.analysis.clone())
            .collect()
    }

    /// How many files the last update parsed.
    #[must_use]
    pub fn last_parsed(&self) -> usize {
        self.last_parsed
    }
}

/// An entry for a text that is not the very same as before; `None` when it says the same all the same.
fn renewed(last: Option<&Entry>, file: &SourceText, options: &AnalyzeOptions<'_>) -> Option<Entry> {
    let hash = *blake3::hash(file.text.as_bytes()).as_bytes();
    if last.is_some_and(|last| last.analysis.hash == hash && is_current(last, options)) {
        return None;
    }
    let analysis = Arc::new(analyze(file.path.clone(), &file.text, hash, options));
    let emitted = options.emit.as_ref().map(|emit| emitted(&analysis, emit));
    Some(Entry {
        text: file.text.clone(),
        analysis,
        emitted,
    })
}

fn emitted(analysis: &FileAnalysis, options: &EmitOptions<'_>) -> Emitted {
    Emitted {
        resolution: AtomicU64::new(options.resolution),
        verbatim_module_syntax: options.verbatim_module_syntax,
        source_map: options.source_map,
        jsx_import_source: options.jsx_import_source.to_owned(),
        resolved: analysis
            .imports
            .iter()
            .map(|import| (options.resolve)(&analysis.path, &import.specifier))
            .collect(),
    }
}

/// Whether an entry answers the options: facts always do, JavaScript when every specifier still
/// resolves to what it did.
fn is_current(entry: &Entry, options: &AnalyzeOptions<'_>) -> bool {
    match (&options.emit, &entry.emitted) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(options), Some(before)) => {
            before.verbatim_module_syntax == options.verbatim_module_syntax
                && before.source_map == options.source_map
                && before.jsx_import_source == options.jsx_import_source
                && resolves_as_before(entry, before, options)
        }
    }
}

fn resolves_as_before(entry: &Entry, before: &Emitted, options: &EmitOptions<'_>) -> bool {
    if before.resolution.load(Ordering::Relaxed) == options.resolution {
        return true;
    }
    let holds = entry
        .analysis
        .imports
        .iter()
        .zip(&before.resolved)
        .all(|(import, resolved)| (options.resolve)(&entry.analysis.path, &import.specifier) == *resolved);
    if holds {
        before.resolution.store(options.resolution, Ordering::Relaxed);
    }
    holds
}
