//! What workerd is given to run: modules, objects, bindings.

use std::collections::BTreeMap;
use std::sync::Arc;

use lunora_config::D1Database;
use lunora_ir::{Application, FunctionKind};
use lunora_workerd::{
    Binding, BindingValue, DurableObject, EmailBinding, FunctionKind as WireKind, Module, ModuleBody, WorkerDescription,
};

use crate::dependencies::DependencyModule;
use crate::module_graph::ModuleGraph;
use crate::remap::SourceMaps;

/// Compiles a module only when it is first imported, so that a reload costs what is reached.
const LAZY_MODULES: &str = "new_module_registry";

/// What the app's own configuration adds.
#[derive(Debug, Clone, Default)]
pub struct WorkerSettings {
    /// `compatibility_date`
    pub compatibility_date: String,
    /// `compatibility_flags`
    pub compatibility_flags: Vec<String>,
    /// `vars`, as JSON values.
    pub variables: BTreeMap<String, serde_json::Value>,
    /// Development secrets.
    pub secrets: BTreeMap<String, String>,
    /// `d1_databases`
    pub databases: Vec<D1Database>,
    /// `send_email`, whose bindings development has; see [`Mail`](lunora_workerd::Mail).
    pub email_bindings: Vec<EmailBinding>,
}

fn kinds(application: &Application) -> BTreeMap<String, WireKind> {
    application
        .functions
        .iter()
        .map(|function| {
            let kind = match function.kind {
                // A call of a stream is refused, which may happen twice.
                FunctionKind::Query | FunctionKind::Stream => WireKind::Query,
                FunctionKind::Mutation => WireKind::Mutation,
                FunctionKind::Action => WireKind::Action,
            };
            (function.path.clone(), kind)
        })
        .collect()
}

fn bindings(settings: &WorkerSettings) -> Vec<Binding> {
    let variables = settings
        .variables
        .iter()
        .filter(|(name, _)| !settings.secrets.contains_key(*name))
        .map(|(name, value)| Binding {
            name: name.clone(),
            value: match value {
                serde_json::Value::String(text) => BindingValue::Text(text.clone()),
                other => BindingValue::Json(other.to_string()),
            },
        });
    let secrets = settings.secrets.iter().map(|(name, value)| Binding {
        name: name.clone(),
        value: BindingValue::Secret(value.clone()),
    });
    variables.chain(secrets).collect()
}

fn describe(entry: Module, application: &Application, settings: &WorkerSettings) -> WorkerDescription {
    let mut description = WorkerDescription::new(entry, settings.compatibility_date.clone());
    description
        .compatibility_flags
        .clone_from(&settings.compatibility_flags);
    description.durable_objects = application
        .object_classes()
        .iter()
        .map(|class| DurableObject {
            binding: class.binding.to_owned(),
            class_name: class.class_name.to_owned(),
            unique_key: class.class_name.to_owned(),
        })
        .collect();
    description.jurisdictions = application.jurisdiction.iter().cloned().collect();
    description.has_events = !application.crons.is_empty() || application.takes_mail;
    description.bindings = bindings(settings);
    description.functions = Arc::new(kinds(application));
    description.stack_traces = true;
    description
}

/// One module for each source file, compiled when first imported.
#[must_use]
pub fn from_modules(
    graph: &ModuleGraph,
    dependencies: &[DependencyModule],
    application: &Application,
    settings: &WorkerSettings,
) -> Option<WorkerDescription> {
    let mut modules = graph.modules.iter().map(|module| Module {
        name: module.name.clone(),
        body: if module.is_json {
            ModuleBody::Json(module.body.clone())
        } else {
            ModuleBody::EsModule(module.body.clone())
        },
    });
    let mut description = describe(modules.next()?, application, settings);
    description.modules.extend(modules);
    description.modules.extend(dependencies.iter().map(|module| Module {
        name: module.name.as_str().into(),
        body: ModuleBody::EsModule(module.body.clone()),
    }));
    description.new_module_registry = true;
    description.experimental = true;
    if !description.compatibility_flags.iter().any(|flag| flag == LAZY_MODULES) {
        description.compatibility_flags.push(LAZY_MODULES.to_owned());
    }
    description.stack_remapper = Some(Arc::new(SourceMaps::of(&graph.modules)));
    Some(description)
}

/// One bundle.
#[must_use]
pub fn from_bundle(
    name: &str,
    body: Arc<str>,
    remapper: SourceMaps,
    application: &Application,
    settings: &WorkerSettings,
) -> WorkerDescription {
    let entry = Module {
        name: name.into(),
        body: ModuleBody::EsModule(body),
    };
    let mut description = describe(entry, application, settings);
    description.stack_remapper = Some(Arc::new(remapper));
    description
}
