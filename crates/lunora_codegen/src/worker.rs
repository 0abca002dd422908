//! `worker.ts`: the entry.

use std::fmt::Write as _;

use lunora_ir::{Application, ObjectClass};

use crate::GenerateOptions;
use crate::generated_file::HEADER;
use crate::typescript::push_string;

pub(crate) fn worker(application: &Application, options: &GenerateOptions) -> String {
    let prefix = options.package_prefix.as_str();
    let has_schema = !application.schema_file.is_empty();
    let classes = application.object_classes();
    let mut out = HEADER.to_owned();
    push_factories(&mut out, &classes, prefix);
    let _ = writeln!(out, "import {{ createWorker }} from \"{prefix}/runtime\";");
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
    out.push_str("import { functions } from \"./functions.js\";\n");
    let has_shapes = !application.shapes.is_empty();
    if has_shapes {
        out.push_str("import { shapes } from \"./shapes.js\";\n");
    }
    out.push('\n');
    if !has_schema {
        out.push_str("const schema = defineSchema({});\n");
    }
    if !application.has_app_module {
        out.push_str("const app = {};\n");
    }
    out.push_str(if has_shapes {
        "const definition = { schema, functions, shapes, app };\n\n"
    } else {
        "const definition = { schema, functions, app };\n\n"
    });
    for ObjectClass {
        class_name, factory, ..
    } in &classes
    {
        let _ = writeln!(out, "export class {class_name} extends {factory}(definition) {{}}\n");
    }
    out.push_str("export default createWorker(definition);\n");
    out
}

/// One import for each package that factories come from.
fn push_factories(out: &mut String, classes: &[ObjectClass], prefix: &str) {
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
        factories.sort_unstable();
        let _ = writeln!(
            out,
            "import {{ {} }} from \"{prefix}/{package}\";",
            factories.join(", ")
        );
    }
}
