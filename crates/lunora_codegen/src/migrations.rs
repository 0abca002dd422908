//! `migrations.ts`: the registry of data migrations, of an app that has any.

use lunora_ir::Migration;

use crate::GenerateOptions;
use crate::generated_file::HEADER;
use crate::typescript::{push_literal_key, push_string};

/// In the order of their ids, which is the order in which they run. Nothing is imported before it runs.
pub(crate) fn migrations(migrations: &[Migration], options: &GenerateOptions) -> String {
    let mut all: Vec<&Migration> = migrations.iter().collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    let mut out = String::with_capacity(256 + all.len() * 160);
    out.push_str(HEADER);
    out.push_str("import type { MigrationRegistry } from \"");
    out.push_str(options.package_prefix.as_str());
    out.push_str("/server\";\n\nexport const migrations: MigrationRegistry = {");
    for migration in all {
        out.push_str("\n  ");
        push_literal_key(&mut out, &migration.id);
        out.push_str(": { table: ");
        push_string(&mut out, &migration.table);
        out.push_str(if migration.has_down {
            ", hasDown: true, module: () => import("
        } else {
            ", hasDown: false, module: () => import("
        });
        push_string(&mut out, &options.specifier(&migration.file));
        out.push_str("), exportName: ");
        push_string(&mut out, &migration.export);
        out.push_str(" },");
    }
    out.push_str("\n};\n");
    out
}
