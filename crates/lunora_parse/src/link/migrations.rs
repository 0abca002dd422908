//! The data migrations of one file.

use lunora_diagnostics::{Diagnostic, Span, codes};
use lunora_ir::Migration;

use super::evaluate::Evaluator;
use super::exported::Exported;
use super::modules::holds_functions;
use super::schema::SchemaModel;
use super::suggest::hint;
use super::value::MigrationValue;

/// Longest id, bytes: shards keep it, and people type it.
const ID_BYTES: usize = 100;

/// A migration, and where it is named.
#[derive(Debug, Clone)]
pub(super) struct LinkedMigration {
    pub(super) migration: Migration,
    /// The file of the id.
    file: String,
    span: Span,
}

fn is_plain(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= ID_BYTES && id.bytes().all(is_allowed) && !id.starts_with("__")
}

pub(super) fn link_migration(
    evaluator: &mut Evaluator<'_>,
    schema: &SchemaModel,
    exported: Exported<'_>,
    migration: &MigrationValue,
) -> Option<LinkedMigration> {
    let modules = evaluator.modules;
    if exported.origin != exported.file && holds_functions(&modules.directory, modules.path(exported.origin)) {
        // Exported once more; it is found where it is declared.
        return None;
    }
    let (id, place) = &migration.id;
    if !is_plain(id) {
        let message = format!("`{id}` cannot be the id of a migration");
        let help = "Write letters, digits, `-`, `_` and `.`, not beginning with `__`: `2027-01-15-add-title`.";
        evaluator.report(codes::BAD_ARGUMENT, *place, message, help);
        return None;
    }
    let (table, table_place) = &migration.table;
    if !schema.incomplete && !schema.tables.contains_key(&**table) {
        let message = format!("there is no table `{table}`");
        evaluator.report(
            codes::UNKNOWN_TABLE,
            *table_place,
            message,
            hint(table, &schema.names()),
        );
        return None;
    }
    Some(LinkedMigration {
        migration: Migration {
            id: id.to_string(),
            table: table.to_string(),
            file: modules.path(exported.file).to_owned(),
            export: exported.name.to_string(),
            has_down: migration.has_down,
        },
        file: modules.path(place.file).to_owned(),
        span: place.span,
    })
}

/// All migrations in the order in which they run. The second of two with the same id is reported and left out.
pub(super) fn in_order<'file>(
    linked: impl Iterator<Item = &'file LinkedMigration>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Migration> {
    let mut all: Vec<&LinkedMigration> = linked.collect();
    all.sort_by(|one, other| one.migration.id.cmp(&other.migration.id));
    let mut migrations: Vec<Migration> = Vec::with_capacity(all.len());
    let mut last: Option<&LinkedMigration> = None;
    for next in all {
        match last {
            Some(first) if first.migration.id == next.migration.id => {
                let message = format!("two migrations have the id `{}`", next.migration.id);
                diagnostics.push(
                    Diagnostic::error(codes::DUPLICATE_MIGRATION, message)
                        .at(&next.file, next.span)
                        .and_at(&first.file, first.span, "the other one")
                        .with_help(
                            "Give one of them another id; the one that was deployed already has to keep its own.",
                        ),
                );
            }
            _ => {
                migrations.push(next.migration.clone());
                last = Some(next);
            }
        }
    }
    migrations
}
