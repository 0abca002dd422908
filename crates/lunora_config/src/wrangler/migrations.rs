//! What the migrations of a configuration add up to, and the next one.

use indexmap::IndexMap;
use jsonc_parser::ast::{Array, Object};
use jsonc_parser::common::{Range, Ranged as _};
use lunora_diagnostics::Diagnostic;

use super::document::Document;

/// What became of a class.
#[derive(Debug, Clone, PartialEq)]
enum ClassState {
    /// Created with SQLite, or transferred from elsewhere.
    Live,
    /// Created without SQLite, which cannot be changed any more.
    WithoutSqlite(Range),
    /// Its objects live on under another name.
    RenamedTo(String, Range),
}

/// The classes of a Worker after all of its migrations, and the tags these have.
#[derive(Debug, Default)]
pub(super) struct MigrationHistory {
    classes: IndexMap<String, ClassState>,
    tags: Vec<String>,
}

impl MigrationHistory {
    /// Plays the migrations in order.
    pub(super) fn read(
        document: &Document<'_>,
        migrations: Option<&Array<'_>>,
        path: &str,
    ) -> Result<Self, Diagnostic> {
        let mut history = Self::default();
        for (position, element) in migrations.iter().flat_map(|list| list.elements.iter().enumerate()) {
            let path = format!("{path}[{position}]");
            history.play(document, document.object(element, &path)?, &path)?;
        }
        Ok(history)
    }

    fn play(&mut self, document: &Document<'_>, migration: &Object<'_>, path: &str) -> Result<(), Diagnostic> {
        self.tags
            .push(document.required_string(migration, path, "tag")?.value.to_string());
        for (name, _) in names(document, migration, path, "new_sqlite_classes")? {
            self.classes.insert(name, ClassState::Live);
        }
        for (name, range) in names(document, migration, path, "new_classes")? {
            self.classes.insert(name, ClassState::WithoutSqlite(range));
        }
        for (from, to, range) in moves(document, migration, path, "renamed_classes")? {
            let state = match self.classes.shift_remove(&from) {
                // The storage goes along with the name.
                Some(state @ ClassState::WithoutSqlite(_)) => state,
                _ => ClassState::Live,
            };
            self.classes.insert(from, ClassState::RenamedTo(to.clone(), range));
            self.classes.insert(to, state);
        }
        for (_, to, _) in moves(document, migration, path, "transferred_classes")? {
            self.classes.insert(to, ClassState::Live);
        }
        for (name, _) in names(document, migration, path, "deleted_classes")? {
            self.classes.shift_remove(&name);
        }
        Ok(())
    }

    /// Whether a class has to be created. A class that was deleted is created anew.
    ///
    /// # Errors
    /// When creating it would hide rows or is impossible: it was renamed, or has no SQLite.
    pub(super) fn needs(&self, document: &Document<'_>, class: &str) -> Result<bool, Diagnostic> {
        match self.classes.get(class) {
            None => Ok(true),
            Some(ClassState::Live) => Ok(false),
            Some(ClassState::WithoutSqlite(range)) => Err(document.conflict(
                *range,
                format!("the class `{class}` is created by `new_classes`, without the SQLite storage it needs"),
                format!("If this was never deployed, write `new_sqlite_classes` instead; else delete the class in a new migration (its data goes with it) and remove `{class}` from nothing else"),
            )),
            Some(ClassState::RenamedTo(to, range)) => Err(document.conflict(
                *range,
                format!("the class `{class}` was renamed to `{to}`, so a new `{class}` would start empty while the data stays in `{to}`"),
                format!("Rename `{to}` back to `{class}` in a new migration to keep the data, or list `{class}` under `new_sqlite_classes` of a new one to start empty"),
            )),
        }
    }

    /// A tag that no migration has: the next of `v1`, `v2`, …
    pub(super) fn next_tag(&self) -> String {
        let highest = self
            .tags
            .iter()
            .filter_map(|tag| tag.strip_prefix('v')?.parse::<u32>().ok())
            .max()
            .unwrap_or(0);
        let mut number = u64::from(highest) + 1;
        loop {
            let tag = format!("v{number}");
            if !self.tags.contains(&tag) {
                return tag;
            }
            number += 1;
        }
    }
}

fn names(
    document: &Document<'_>,
    migration: &Object<'_>,
    path: &str,
    key: &str,
) -> Result<Vec<(String, Range)>, Diagnostic> {
    let path = format!("{path}.{key}");
    let Some(list) = document.array_property(migration, &path, key)? else {
        return Ok(Vec::new());
    };
    let name = |element| {
        document
            .string(element, format!("{path}[…]"))
            .map(|name| (name.value.to_string(), name.range))
    };
    list.elements.iter().map(name).collect()
}

fn moves(
    document: &Document<'_>,
    migration: &Object<'_>,
    path: &str,
    key: &str,
) -> Result<Vec<(String, String, Range)>, Diagnostic> {
    let path = format!("{path}.{key}");
    let Some(list) = document.array_property(migration, &path, key)? else {
        return Ok(Vec::new());
    };
    let step = |element| {
        let step = document.object(element, format!("{path}[…]"))?;
        let end = |name| {
            document
                .required_string(step, format!("{path}[…]"), name)
                .map(|end| end.value.to_string())
        };
        Ok((end("from")?, end("to")?, step.range()))
    };
    list.elements.iter().map(step).collect()
}
