//! The service that raises events in the worker: only another service can.

use super::count;
use super::workerd_capnp::{service, socket};
use super::wrapper::{MAIL_ENTRYPOINT, takes_mail};
use crate::worker_description::WorkerDescription;

/// Name of its socket; `--socket-fd` refers to it.
pub(crate) const EVENTS_SOCKET: &str = "events";

/// No name of a service of the app: those are the worker's and, after a colon, a region's.
pub(super) const EVENTS_SERVICE: &str = "lunora-events";

const SCRIPT: &str = include_str!("events.js");

pub(super) fn write_socket(mut target: socket::Builder<'_>) {
    target.set_name(EVENTS_SOCKET);
    target.reborrow().init_http();
    target.init_service().set_name(EVENTS_SERVICE);
}

pub(super) fn write_service(mut target: service::Builder<'_>, description: &WorkerDescription) {
    target.set_name(EVENTS_SERVICE);
    let mut worker = target.init_worker();
    let mut module = worker.reborrow().init_modules(1).get(0);
    module.set_name("events.js");
    module.set_es_module(SCRIPT);
    worker.set_compatibility_date(&description.compatibility_date[..]);
    let flags = ["service_binding_extra_handlers"];
    let mut list = worker.reborrow().init_compatibility_flags(count(flags.len()));
    list.set(0, flags[0]);
    let takes_mail = takes_mail(description);
    let mut bindings = worker.init_bindings(count(1 + usize::from(takes_mail)));
    let mut binding = bindings.reborrow().get(0);
    binding.set_name("WORKER");
    binding.init_service().set_name(&description.service_name[..]);
    if takes_mail {
        let mut binding = bindings.get(1);
        binding.set_name("MAIL");
        let mut service = binding.init_service();
        service.set_name(&description.service_name[..]);
        service.set_entrypoint(MAIL_ENTRYPOINT);
    }
}
