//! `worker.ts`: the entry.

use lunora_ir::Application;

use crate::GenerateOptions;
use crate::generated_file::HEADER;
use crate::typescript::push_string;

pub(crate) fn worker(application: &Application, options: &GenerateOptions) -> String {
    let prefix = options.package_prefix.as_str();
    let has_schema = !application.schema_file.is_empty();
    let mut out = format!(
        "{HEADER}import {{ createShardObject, createShardRegistryObject }} from \"{prefix}/do\";\n\
         import {{ createWorker }} from \"{prefix}/runtime\";\n"
    );
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
    out.push_str(
        "export class ShardDO extends createShardObject(definition) {}\n\n\
         export class ShardRegistryDO extends createShardRegistryObject(definition) {}\n\n\
         export default createWorker(definition);\n",
    );
    out
}
