//! The configuration message that workerd reads from its standard input.
//!
//! `workerd_capnp.rs` is generated from the `workerd.capnp` of the npm package; DESIGN.md says how.

#[allow(warnings, clippy::all, clippy::pedantic, unsafe_code, missing_docs)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
#[rustfmt::skip]
mod workerd_capnp;

mod d1;
mod events;
mod mail;
mod regions;
mod tap;
mod wrapper;

use std::ffi::OsString;
use std::path::Path;

use capnp::message::{Builder, HeapAllocator};
use lunora_diagnostics::Diagnostic;

use crate::storage_folders::StorageFolders;
use crate::worker_description::{BindingValue, Module, ModuleBody, WorkerDescription};
use regions::Region;
use workerd_capnp::{config, worker};

/// Name of the public socket; `--socket-fd` refers to it.
pub(crate) const PUBLIC_SOCKET: &str = "http";

pub(crate) use events::EVENTS_SOCKET;
pub use regions::unpinned_key;
pub(crate) use regions::{region_key, service_names};

/// The environment variable that carries the secret of the binding at `position`.
fn secret_variable(position: usize) -> String {
    format!("LUNORA_SECRET_{position}")
}

/// The binary message for `--binary -`. The Durable Objects' data lies in `storage`, whose folders must exist.
pub(crate) fn encode(description: &WorkerDescription, storage: &StorageFolders) -> Vec<u8> {
    capnp::serialize::write_message_to_words(&build(description, storage))
}

/// The environment that carries the secrets of `description`.
pub(crate) fn secret_environment(description: &WorkerDescription) -> Vec<(OsString, OsString)> {
    description
        .bindings
        .iter()
        .enumerate()
        .filter_map(|(position, binding)| match &binding.value {
            BindingValue::Secret(text) => Some((secret_variable(position).into(), text.into())),
            BindingValue::Text(_) | BindingValue::Json(_) => None,
        })
        .collect()
}

/// The configuration as text, for people. Paths are shown as placeholders; secrets do not occur in it.
///
/// # Errors
/// `INTERNAL` when the message cannot be printed.
pub fn print_config(description: &WorkerDescription) -> Result<String, Diagnostic> {
    let message = build(description, &StorageFolders::below(Path::new("<state>")));
    let root = message.get_root_as_reader::<config::Reader<'_>>().map_err(|error| {
        Diagnostic::error(
            lunora_diagnostics::codes::INTERNAL,
            format!("The configuration cannot be printed: {error}."),
        )
    })?;
    Ok(format!("{root:#?}\n"))
}

/// Cap'n Proto counts list items in 32 bits; a list that long does not fit into memory beside its items.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn build(description: &WorkerDescription, storage: &StorageFolders) -> Builder<HeapAllocator> {
    let regions: Vec<Region<'_>> = Region::all(description);
    // One segment of about the final size: growing would copy the modules.
    let bodies: usize = description
        .modules
        .iter()
        .map(|module| module.body.length() + module.name.len() + 64)
        .sum();
    let tapped = description.tap.as_ref().map_or(0, |tap| tap.source.len());
    let words = count((bodies + tapped) * regions.len() / 8 + 4096);
    let mut message = Builder::new(HeapAllocator::new().first_segment_words(words));
    let mut config = message.init_root::<config::Builder<'_>>();
    config.set_structured_logging(true);

    let events = usize::from(description.has_events);
    let mut sockets = config.reborrow().init_sockets(count(1 + events));
    if description.has_events {
        events::write_socket(sockets.reborrow().get(1));
    }
    let mut socket = sockets.get(0);
    socket.set_name(PUBLIC_SOCKET);
    socket.reborrow().init_http();
    socket.init_service().set_name(&description.service_name[..]);

    let facade = usize::from(!description.jurisdictions.is_empty());
    let mut extensions = config
        .reborrow()
        .init_extensions(count(facade + usize::from(description.mail.is_some())));
    if facade > 0 {
        regions::write_extension(extensions.reborrow().get(0));
    }
    if description.mail.is_some() {
        mail::write_extension(extensions.get(count(facade)));
    }
    let own = 2 * regions.len();
    let tap = usize::from(description.tap.is_some());
    let mail = mail::service_count(description);
    let mut services = config.init_services(count(own + events + tap + mail + d1::service_count(description)));
    mail::write_services(&mut services, own + events + tap, description);
    d1::write_services(&mut services, own + events + tap + mail, description);
    if description.has_events {
        events::write_service(services.reborrow().get(count(own)), description);
    }
    if let Some(tap) = &description.tap {
        tap::write_service(services.reborrow().get(count(own + events)), &tap.socket);
    }
    for (position, region) in regions.iter().enumerate() {
        let mut service = services.reborrow().get(count(2 * position));
        service.set_name(&region.service()[..]);
        write_worker(service.init_worker(), region);

        let mut disk = services.reborrow().get(count(2 * position + 1));
        disk.set_name(&region.storage_service()[..]);
        let mut directory = disk.init_disk();
        directory.set_path(&storage.of(region.jurisdiction).to_string_lossy()[..]);
        directory.set_writable(true);
    }
    message
}

fn write_worker(mut worker: worker::Builder<'_>, region: &Region<'_>) {
    let description = region.description;
    let wrapper = wrapper::modules(region);
    let before = wrapper.len();
    let mut modules = worker
        .reborrow()
        .init_modules(count(before + description.modules.len()));
    wrapper::write_modules(&mut modules, &wrapper);
    for (position, module) in description.modules.iter().enumerate() {
        write_module(modules.reborrow().get(count(before + position)), module);
    }

    worker.set_compatibility_date(&description.compatibility_date[..]);
    let registry = description.new_module_registry.then_some("new_module_registry");
    let flags: Vec<&str> = tap::flags(description).into_iter().chain(registry).collect();
    let mut list = worker.reborrow().init_compatibility_flags(count(flags.len()));
    for (position, flag) in flags.into_iter().enumerate() {
        list.set(count(position), flag);
    }

    write_bindings(worker.reborrow(), region);

    let mut namespaces = worker
        .reborrow()
        .init_durable_object_namespaces(count(description.durable_objects.len()));
    for (position, object) in description.durable_objects.iter().enumerate() {
        let mut namespace = namespaces.reborrow().get(count(position));
        namespace.set_class_name(&object.class_name[..]);
        namespace.set_unique_key(&region.unique_key(object)[..]);
        namespace.set_enable_sql(true);
    }
    worker
        .reborrow()
        .init_durable_object_storage()
        .set_local_disk(&region.storage_service()[..]);
}

fn write_module(mut target: worker::module::Builder<'_>, module: &Module) {
    target.set_name(&module.name[..]);
    match &module.body {
        ModuleBody::EsModule(text) => target.set_es_module(&text[..]),
        ModuleBody::Json(text) => target.set_json(&text[..]),
        ModuleBody::Text(text) => target.set_text(&text[..]),
        ModuleBody::Data(bytes) => target.set_data(bytes),
        ModuleBody::Wasm(bytes) => target.set_wasm(bytes),
    }
}

fn write_bindings(worker: worker::Builder<'_>, region: &Region<'_>) {
    let description = region.description;
    let objects = description.durable_objects.len();
    let own = objects + description.bindings.len();
    let tap = tap::binding_count(region);
    let mail = mail::binding_count(description);
    let mut list = worker.init_bindings(count(own + tap + mail + d1::binding_count(description)));
    tap::write_bindings(&mut list, own, region);
    mail::write_bindings(&mut list, own + tap, region);
    d1::write_bindings(&mut list, own + tap + mail, description);
    for (position, object) in description.durable_objects.iter().enumerate() {
        let mut target = list.reborrow().get(count(position));
        target.set_name(&object.binding[..]);
        region.write_namespace(target, object);
    }
    for (position, binding) in description.bindings.iter().enumerate() {
        let mut target = list.reborrow().get(count(objects + position));
        target.set_name(&binding.name[..]);
        match &binding.value {
            BindingValue::Text(text) => target.set_text(&text[..]),
            BindingValue::Json(text) => target.set_json(&text[..]),
            BindingValue::Secret(_) => target.set_from_environment(&secret_variable(position)[..]),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::workerd_capnp::service;
    use super::*;
    use crate::worker_description::{Binding, DurableObject};

    fn description() -> WorkerDescription {
        let mut one = WorkerDescription::new(
            Module::javascript("worker.js", "export default { } // \"\n\u{1F600}"),
            "2026-11-01",
        );
        one.modules.push(Module {
            name: "a.bin".into(),
            body: ModuleBody::Data(vec![0, 255].into()),
        });
        one.durable_objects.push(DurableObject {
            binding: "SHARD".into(),
            class_name: "ShardDO".into(),
            unique_key: "app-ShardDO".into(),
        });
        one.bindings.push(Binding {
            name: "PLAIN".into(),
            value: BindingValue::Text("text".into()),
        });
        one.bindings.push(Binding {
            name: "TOKEN".into(),
            value: BindingValue::Secret("hunter2".into()),
        });
        one
    }

    #[test]
    fn a_secret_travels_by_environment_only() {
        let one = description();
        let bytes = encode(&one, &StorageFolders::below(Path::new("/state")));
        assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
        assert!(bytes.windows(15).any(|window| window == b"LUNORA_SECRET_1"));
        assert_eq!(secret_environment(&one), [("LUNORA_SECRET_1".into(), "hunter2".into())]);
    }

    #[test]
    fn the_message_reads_back() {
        let one = description();
        let bytes = encode(&one, &StorageFolders::below(Path::new("/state")));
        let message = capnp::serialize::read_message(&bytes[..], capnp::message::ReaderOptions::new()).unwrap();
        let config = message.get_root::<config::Reader<'_>>().unwrap();
        assert_eq!(config.get_services().unwrap().len(), 2);
        let service::Worker(Ok(worker)) = config.get_services().unwrap().get(0).which().unwrap() else {
            panic!("the first service is the worker")
        };
        let worker::Modules(Ok(modules)) = worker.which().unwrap() else {
            panic!("modules")
        };
        let worker::module::EsModule(Ok(text)) = modules.get(0).which().unwrap() else {
            panic!("es module")
        };
        assert_eq!(text.to_str().unwrap(), "export default { } // \"\n\u{1F600}");
        let worker::module::Data(Ok(bytes)) = modules.get(1).which().unwrap() else {
            panic!("data")
        };
        assert_eq!(bytes, [0, 255]);
        let flags = worker.get_compatibility_flags().unwrap();
        assert_eq!(
            flags.get(flags.len() - 1).unwrap().to_str().unwrap(),
            "new_module_registry"
        );
    }

    #[test]
    fn the_printed_form_names_what_matters() {
        let text = print_config(&description()).unwrap();
        for part in [
            "worker.js",
            "app-ShardDO",
            "2026-11-01",
            "new_module_registry",
            "LUNORA_SECRET_1",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("hunter2"));
    }
}
