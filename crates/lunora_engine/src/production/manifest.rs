//! What a build says of the worker beside it.

use std::collections::BTreeSet;
use std::path::Path;

use lunora_config::{FileAction, file_diagnostic};
use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::Application;
use lunora_ir::drift::Snapshot;
use serde::{Deserialize, Serialize};

const TOOLCHAIN: &str = env!("CARGO_PKG_VERSION");

/// Written by the bundler beside the worker, so that serving it needs no source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BuildManifest {
    /// The version that built it: a manifest is read by the very same one.
    toolchain: String,
    pub(crate) schema: Snapshot,
    pub(crate) application: Application,
    /// The folder of the client, below the project, when there is one.
    pub(crate) client: Option<String>,
}

impl BuildManifest {
    pub(crate) fn of(application: &Application, regions: &BTreeSet<String>, client: Option<String>) -> Self {
        Self {
            toolchain: TOOLCHAIN.to_owned(),
            schema: Snapshot::of(application, regions),
            application: application.clone(),
            client,
        }
    }

    pub(crate) fn to_text(&self) -> Result<String, Diagnostic> {
        serde_json::to_string(self).map_err(|error| {
            Diagnostic::error(
                codes::INTERNAL,
                format!("the build's manifest could not be written: {error}"),
            )
            .with_help("This is a defect of Lunora.")
        })
    }

    pub(crate) fn read(file: &Path) -> Result<Self, Diagnostic> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(missing(file, "is not there"));
            }
            Err(error) => return Err(file_diagnostic(FileAction::Read, file, &error)),
        };
        let version: Result<Version, _> = serde_json::from_str(&text);
        match version {
            Ok(version) if version.toolchain == TOOLCHAIN => {}
            Ok(version) => {
                let what = format!("is of Lunora {}, and this is {TOOLCHAIN}", version.toolchain);
                return Err(missing(file, &what));
            }
            Err(error) => return Err(missing(file, &format!("cannot be understood ({error})"))),
        }
        serde_json::from_str(&text).map_err(|error| missing(file, &format!("cannot be understood ({error})")))
    }
}

/// The part that every version can read.
#[derive(Deserialize)]
struct Version {
    toolchain: String,
}

pub(crate) fn missing(file: &Path, what: &str) -> Diagnostic {
    Diagnostic::error(
        codes::BUILD_MISSING,
        format!("`{}` {what}, so there is no build to serve", file.display()),
    )
    .with_help("Build the app first: npx vite build.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use lunora_testing::TempProject;

    use super::*;
    use crate::pipeline::{Output, Pipeline};
    use crate::settings::discover;

    const SCHEMA: &str = "import { defineSchema, defineTable, v } from \"lunorash/server\";
export const schema = defineSchema({
  rooms: defineTable({ name: v.string().unique(), kind: v.union(v.literal(\"a\"), v.literal(2), v.literal(3n), v.null()) }),
  notes: defineTable({ roomId: v.id(\"rooms\"), at: v.optional(v.timestamp()), deletedAt: v.optional(v.number()), more: v.record(v.string(), v.array(v.any())) })
    .shardBy(\"roomId\").index(\"byTime\", [\"at\"]).ttl(\"at\", { after: 1.5 }).softDelete(),
}).jurisdiction(\"eu\").rls(\"required\");
";

    const NOTES: &str = "import { query, v } from \"./_generated/server\";
export const all = query.output(v.object({ count: v.number() })).fanOut({ kind: \"sum\" }).query(async ({ ctx }) => (await ctx.db.query(\"notes\").collect()).length);
";

    #[test]
    fn what_is_written_is_what_is_read() {
        let project = TempProject::new([
            ("package.json", "{}"),
            ("lunora/schema.ts", SCHEMA),
            ("lunora/notes.ts", NOTES),
        ]);
        let found = discover(project.root(), None).unwrap();
        let (application, ..) = Pipeline::open(found, Output::Codegen, &[]).unwrap().rehearse().unwrap();
        assert_eq!((application.tables.len(), application.functions.len()), (2, 1));
        let manifest = BuildManifest::of(&application, &BTreeSet::new(), Some("dist/client".to_owned()));
        let text = manifest.to_text().unwrap();
        let file = project.path("lunora.json");
        std::fs::write(&file, &text).unwrap();
        assert_eq!(BuildManifest::read(&file).unwrap(), manifest);

        let refused = |text: &str| {
            std::fs::write(&file, text).unwrap();
            BuildManifest::read(&file).unwrap_err()
        };
        let other = refused(&text.replace(TOOLCHAIN, "9.9.9"));
        assert!(other.message.contains("of Lunora 9.9.9"), "{}", other.message);
        for text in ["", "{}", "[]", &text[..text.len() - 1]] {
            assert_eq!(refused(text).code, codes::BUILD_MISSING);
        }
    }
}
