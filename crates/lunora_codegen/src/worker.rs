//! `worker.ts`: the entry.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lunora_ir::drift::Snapshot;
use lunora_ir::{Application, ObjectClass};

use crate::GenerateOptions;
use crate::generated_file::HEADER;
use crate::typescript::push_string;

pub(crate) fn worker(application: &Application, options: &GenerateOptions) -> String {
    let prefix = options.package_prefix.as_str();
    let has_schema = !application.schema_file.is_empty();
    let classes = application.object_classes();
    let mut out = HEADER.to_owned();
    push_factories(&mut out, &classes, application, prefix);
    let has_presence = !application.presence.is_empty();
    // Always there, since production is what one exports from; off while the environment has no admin token.
    let mut routes = vec!["adminRoutes"];
    if has_presence {
        routes.push("presenceRoutes");
    }
    let mut names = [&routes[..], &["createWorker"]].concat();
    if application.has_fan_out() {
        names.push("fanOut");
    }
    names.sort_unstable();
    let _ = writeln!(out, "import {{ {} }} from \"{prefix}/runtime\";", names.join(", "));
    if has_schema {
        let is_default = application.schema_export == "default";
        out.push_str(if is_default {
            "import schema from "
        } else {
            "import { schema } from "
        });
        push_string(&mut out, &options.specifier(&application.schema_file));
        out.push_str(";\n");
    } else {
        out.push_str(&format!("import {{ defineSchema }} from \"{prefix}/server\";\n"));
    }
    if application.has_app_module {
        out.push_str("import app from \"../app.js\";\n");
    }
    let has_crons = !application.crons.is_empty();
    if has_crons {
        out.push_str("import crons from \"../crons.js\";\n");
    }
    out.push_str("import { functions } from \"./functions.js\";\n");
    let has_shapes = !application.shapes.is_empty();
    if has_shapes {
        out.push_str("import { shapes } from \"./shapes.js\";\n");
    }
    if has_presence {
        out.push_str("import { presence } from \"./rooms.js\";\n");
    }
    let has_migrations = !application.migrations.is_empty();
    if has_migrations {
        out.push_str("import { migrations } from \"./migrations.js\";\n");
    }
    out.push('\n');
    if !has_schema {
        out.push_str("const schema = defineSchema({});\n");
    }
    if !application.has_app_module {
        out.push_str("const app = {};\n");
    }
    let mut parts = vec!["schema", "functions"];
    if has_shapes {
        parts.extend(["shapes", "shaping"]);
    }
    if has_presence {
        parts.push("presence");
    }
    if application.has_streams() {
        parts.push("streams");
    }
    if application.has_fan_out() {
        parts.push("fanOut");
    }
    if has_migrations {
        parts.push("migrations");
    }
    if application.has_global_tables() {
        parts.push("globals");
    }
    if application.uses_scheduler() {
        parts.push("scheduling");
    }
    parts.extend(["app", "admin"]);
    // Where databases are says nothing of columns and tiers.
    let version = Snapshot::of(application, &BTreeSet::new()).schema_version();
    let _ = writeln!(
        out,
        "const definition = {{ {}, schemaVersion: \"{version}\" }};\n",
        parts.join(", ")
    );
    for ObjectClass {
        class_name, factory, ..
    } in &classes
    {
        let _ = writeln!(out, "export class {class_name} extends {factory}(definition) {{}}\n");
    }
    let routes = match &routes[..] {
        [only] => format!("{only}()"),
        several => format!("[...{}()]", several.join("(), ...")),
    };
    if has_crons {
        let _ = writeln!(
            out,
            "const worker = createWorker(definition, {{ routes: {routes} }});\n\nexport default {{ ...worker, scheduled: createCronHandler(definition, crons) }};"
        );
    } else {
        let _ = writeln!(out, "export default createWorker(definition, {{ routes: {routes} }});");
    }
    out
}

/// One import for each package that factories come from, and what answers admins inside objects.
fn push_factories(out: &mut String, classes: &[ObjectClass], application: &Application, prefix: &str) {
    let mut packages: Vec<&str> = Vec::new();
    for class in classes {
        if !packages.contains(&class.package) {
            packages.push(class.package);
        }
    }
    for package in packages {
        let mut factories: Vec<&str> = classes
            .iter()
            .filter(|class| class.package == package)
            .map(|class| class.factory)
            .collect();
        if package == "do" {
            factories.push("admin");
            if !application.shapes.is_empty() {
                factories.push("shaping");
            }
            if application.has_streams() {
                factories.push("streams");
            }
            if application.has_global_tables() {
                factories.push("globals");
            }
        }
        if package == "scheduler" {
            factories.push("scheduling");
            if !application.crons.is_empty() {
                factories.push("createCronHandler");
            }
        }
        factories.sort_unstable();
        let _ = writeln!(
            out,
            "import {{ {} }} from \"{prefix}/{package}\";",
            factories.join(", ")
        );
    }
}
