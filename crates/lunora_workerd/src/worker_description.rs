//! What the worker consists of, as plain data.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::stack_trace::StackRemapper;

/// One module of the worker. The body is shared, so describing the same module again copies nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Module {
    /// The name other modules import it by: a path below the bundle's root with `/`, for example
    /// `lunora/messages.js`. Stack traces carry it.
    pub name: Arc<str>,
    /// What it holds.
    pub body: ModuleBody,
}

impl Module {
    /// A JavaScript module.
    #[must_use]
    pub fn javascript(name: impl Into<Arc<str>>, source: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            body: ModuleBody::EsModule(source.into()),
        }
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Module({:?}, {}, {} bytes)",
            self.name,
            self.body.kind(),
            self.body.length()
        )
    }
}

/// The content of a module.
#[derive(Clone, PartialEq, Eq)]
pub enum ModuleBody {
    /// ECMAScript source.
    EsModule(Arc<str>),
    /// JSON text; the default export is its value.
    Json(Arc<str>),
    /// Text; the default export is the string.
    Text(Arc<str>),
    /// Bytes; the default export is an `ArrayBuffer`.
    Data(Arc<[u8]>),
    /// WebAssembly; the default export is a `WebAssembly.Module`.
    Wasm(Arc<[u8]>),
}

impl ModuleBody {
    /// The name of the kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EsModule(_) => "esModule",
            Self::Json(_) => "json",
            Self::Text(_) => "text",
            Self::Data(_) => "data",
            Self::Wasm(_) => "wasm",
        }
    }

    /// Size in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::EsModule(text) | Self::Json(text) | Self::Text(text) => text.len(),
            Self::Data(bytes) | Self::Wasm(bytes) => bytes.len(),
        }
    }
}

/// A Durable Object class and the name it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableObject {
    /// Name in `env`.
    pub binding: String,
    /// Name of the exported class.
    pub class_name: String,
    /// Names the folder of its data and seeds its object ids: changing it loses sight of the data.
    pub unique_key: String,
}

/// A value in `env`.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    /// Name in `env`.
    pub name: String,
    /// What it is.
    pub value: BindingValue,
}

impl fmt::Debug for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value: &dyn fmt::Debug = match &self.value {
            BindingValue::Text(text) => text,
            // A secret must not reach a log through a debug print.
            BindingValue::Secret(_) => &"<secret>",
            BindingValue::Json(text) => text,
        };
        write!(formatter, "Binding({} = {value:?})", self.name)
    }
}

/// The kinds of plain values.
#[derive(Clone, PartialEq, Eq)]
pub enum BindingValue {
    /// A string, written into the configuration.
    Text(String),
    /// A string, handed over by the environment of the process and never written into the configuration.
    Secret(String),
    /// JSON text; `env` holds the parsed value.
    Json(String),
}

/// A module that is imported before anything of the app, to tell what happens in it. Of development alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// JavaScript. It may import `region` (a string, or `null`) from `./settings.js`, and finds `env.LUNORA_TAP`.
    pub source: Arc<str>,
    /// The unix socket on which what it tells is heard, in HTTP. An absolute path.
    pub socket: PathBuf,
}

/// A `send_email` binding of the app's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailBinding {
    /// Name in `env`.
    pub name: String,
    /// `destination_address`: the only recipient.
    pub destination: Option<String>,
    /// `allowed_destination_addresses`
    pub allowed_destinations: Option<Vec<String>>,
    /// `allowed_sender_addresses`
    pub allowed_senders: Option<Vec<String>>,
}

/// Where mail goes while somebody develops: an inbox, and to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The unix socket of the inbox, which takes `POST /mail` in HTTP. An absolute path.
    pub socket: PathBuf,
    /// The app's bindings.
    pub bindings: Vec<EmailBinding>,
}

/// A D1 database as the app has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct D1Binding {
    /// Name in `env`.
    pub name: String,
    /// The database, as the server behind the socket calls it; several bindings may lead to one.
    pub database: String,
}

/// D1 on this machine: a server of its protocol. The app's services of every region reach the same databases, as nothing
/// pins D1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct D1 {
    /// The unix socket of the server. An absolute path.
    pub socket: PathBuf,
    /// The request header that names the database.
    pub header: String,
    /// The app's bindings.
    pub bindings: Vec<D1Binding>,
}

/// What a function does to the world, which decides whether a lost call may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// Reads only.
    Query,
    /// Writes in a transaction that records the mutation id.
    Mutation,
    /// May have effects outside; never sent twice.
    Action,
}

/// Everything workerd needs to know about the application.
///
/// One service with one disk is made of it, and one more of both for each declared jurisdiction.
#[derive(Clone)]
pub struct WorkerDescription {
    /// Name of the service, which workerd puts before its start-up messages.
    pub service_name: String,
    /// All modules, the entry first.
    pub modules: Vec<Module>,
    /// `YYYY-MM-DD`; clamped to what the binary accepts.
    pub compatibility_date: String,
    /// Compatibility flags, without `new_module_registry`.
    pub compatibility_flags: Vec<String>,
    /// Classes that the entry module exports.
    pub durable_objects: Vec<DurableObject>,
    /// Where the app declares its objects to be, the one that its schema is pinned to first; usually one or none.
    pub jurisdictions: Vec<String>,
    /// Values in `env`.
    pub bindings: Vec<Binding>,
    /// Observes the app from inside; `None` wherever nobody develops.
    pub tap: Option<Tap>,
    /// Takes the app's mail; `None` wherever nobody develops.
    pub mail: Option<Mail>,
    /// The app's D1 databases; `None` when it has none.
    pub d1: Option<D1>,
    /// The worker has a `scheduled()` that [`EventsSocket`](crate::EventsSocket) raises. Implies
    /// [`experimental`](Self::experimental).
    pub has_events: bool,
    /// Compile a module when it is first imported. Implies [`experimental`](Self::experimental).
    pub new_module_registry: bool,
    /// Start workerd with `--experimental`.
    pub experimental: bool,
    /// Report uncaught exceptions with their stack traces, wherever in the worker they escape. Starts workerd
    /// with `--verbose`.
    pub stack_traces: bool,
    /// Kinds of the application's functions by wire path, for the proxy's decision about retries.
    pub functions: Arc<BTreeMap<String, FunctionKind>>,
    /// Finds source positions for stack frames of these modules.
    pub stack_remapper: Option<Arc<dyn StackRemapper>>,
}

impl WorkerDescription {
    /// A description with an entry module and the defaults of development.
    #[must_use]
    pub fn new(entry: Module, compatibility_date: impl Into<String>) -> Self {
        Self {
            service_name: "main".to_owned(),
            modules: vec![entry],
            compatibility_date: compatibility_date.into(),
            compatibility_flags: Vec::new(),
            durable_objects: Vec::new(),
            jurisdictions: Vec::new(),
            bindings: Vec::new(),
            tap: None,
            mail: None,
            d1: None,
            has_events: false,
            new_module_registry: true,
            experimental: true,
            stack_traces: true,
            functions: Arc::default(),
            stack_remapper: None,
        }
    }

    /// Whether a process started from `self` and one started from `other` would behave the same.
    /// Function kinds and the stack remapper live on our side and do not count.
    #[must_use]
    pub fn runs_like(&self, other: &Self) -> bool {
        self.service_name == other.service_name
            && self.compatibility_date == other.compatibility_date
            && self.compatibility_flags == other.compatibility_flags
            && self.durable_objects == other.durable_objects
            && self.jurisdictions == other.jurisdictions
            && self.bindings == other.bindings
            && same_tap(self.tap.as_ref(), other.tap.as_ref())
            && self.mail == other.mail
            && self.d1 == other.d1
            && self.has_events == other.has_events
            && self.new_module_registry == other.new_module_registry
            && self.experimental == other.experimental
            && self.stack_traces == other.stack_traces
            && self.modules.len() == other.modules.len()
            && self
                .modules
                .iter()
                .zip(&other.modules)
                .all(|(one, two)| same_module(one, two))
    }
}

impl fmt::Debug for WorkerDescription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WorkerDescription")
            .field("service_name", &self.service_name)
            .field("modules", &self.modules)
            .field("compatibility_date", &self.compatibility_date)
            .field("compatibility_flags", &self.compatibility_flags)
            .field("durable_objects", &self.durable_objects)
            .field("jurisdictions", &self.jurisdictions)
            .field("bindings", &self.bindings)
            .field("tap", &self.tap.as_ref().map(|tap| &tap.socket))
            .field("mail", &self.mail)
            .field("d1", &self.d1)
            .field("has_events", &self.has_events)
            .field("new_module_registry", &self.new_module_registry)
            .field("experimental", &self.experimental)
            .field("stack_traces", &self.stack_traces)
            .finish_non_exhaustive()
    }
}

fn same_tap(one: Option<&Tap>, two: Option<&Tap>) -> bool {
    match (one, two) {
        (Some(a), Some(b)) => a.socket == b.socket && (Arc::ptr_eq(&a.source, &b.source) || a.source == b.source),
        (None, None) => true,
        _ => false,
    }
}

/// Pointer equality first: after one edit all bodies but one are the very same allocation.
fn same_module(one: &Module, two: &Module) -> bool {
    let same_body = match (&one.body, &two.body) {
        (ModuleBody::EsModule(a), ModuleBody::EsModule(b))
        | (ModuleBody::Json(a), ModuleBody::Json(b))
        | (ModuleBody::Text(a), ModuleBody::Text(b)) => Arc::ptr_eq(a, b) || a == b,
        (ModuleBody::Data(a), ModuleBody::Data(b)) | (ModuleBody::Wasm(a), ModuleBody::Wasm(b)) => {
            Arc::ptr_eq(a, b) || a == b
        }
        _ => false,
    };
    same_body && one.name == two.name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> WorkerDescription {
        WorkerDescription::new(Module::javascript("worker.js", "export default {}"), "2026-11-01")
    }

    #[test]
    fn equal_text_in_another_allocation_runs_alike() {
        assert!(description().runs_like(&description()));
    }

    #[test]
    fn what_only_we_look_at_does_not_count() {
        let mut other = description();
        other.functions = Arc::new(BTreeMap::from([("a:b".to_owned(), FunctionKind::Query)]));
        assert!(description().runs_like(&other));
    }

    #[test]
    fn every_part_that_workerd_sees_counts() {
        let changes: Vec<fn(&mut WorkerDescription)> = vec![
            |one| one.service_name.push('x'),
            |one| one.compatibility_date = "2026-10-01".to_owned(),
            |one| one.compatibility_flags.push("nodejs_als".to_owned()),
            |one| one.stack_traces = false,
            |one| one.jurisdictions.push("eu".to_owned()),
            |one| one.experimental = false,
            |one| one.has_events = true,
            |one| {
                one.tap = Some(Tap {
                    source: "".into(),
                    socket: "/tap".into(),
                });
            },
            |one| {
                one.mail = Some(Mail {
                    socket: "/mail".into(),
                    bindings: Vec::new(),
                });
            },
            |one| {
                one.d1 = Some(D1 {
                    socket: "/d1".into(),
                    header: "x".to_owned(),
                    bindings: Vec::new(),
                });
            },
            |one| one.new_module_registry = false,
            |one| one.modules[0] = Module::javascript("worker.js", "export default { }"),
            |one| one.modules[0].name = "other.js".into(),
            |one| one.modules[0].body = ModuleBody::Text("export default {}".into()),
            |one| one.modules.push(Module::javascript("b.js", "")),
            |one| {
                one.bindings.push(Binding {
                    name: "A".to_owned(),
                    value: BindingValue::Text("a".to_owned()),
                });
            },
            |one| {
                one.durable_objects.push(DurableObject {
                    binding: "A".to_owned(),
                    class_name: "A".to_owned(),
                    unique_key: "a".to_owned(),
                });
            },
        ];
        for (position, change) in changes.into_iter().enumerate() {
            let mut other = description();
            change(&mut other);
            assert!(!description().runs_like(&other), "change {position}");
        }
    }

    #[test]
    fn a_debug_print_shows_no_secret() {
        let mut one = description();
        one.bindings.push(Binding {
            name: "TOKEN".to_owned(),
            value: BindingValue::Secret("hunter2".to_owned()),
        });
        let text = format!("{one:?}");
        assert!(text.contains("TOKEN") && !text.contains("hunter2"), "{text}");
    }
}
