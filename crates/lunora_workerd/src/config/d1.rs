//! D1: a service for each database, told apart by a header, and workerd's own client of them in `env`.

use super::count;
use super::workerd_capnp::{service, worker};
use crate::worker_description::{D1, WorkerDescription};

/// What workerd has behind D1 bindings.
const CLIENT_MODULE: &str = "cloudflare-internal:d1-api";
/// What the client speaks to, by the name it asks for.
const INNER_BINDING: &str = "fetcher";

/// No name of a service of the app: those are the worker's and, after a colon, a region's.
fn service_name(database: &str) -> String {
    format!("lunora-d1-{database}")
}

/// Each database once, in the order of the bindings.
fn databases(d1: &D1) -> Vec<&str> {
    let mut databases: Vec<&str> = Vec::new();
    for binding in &d1.bindings {
        if !databases.contains(&binding.database.as_str()) {
            databases.push(&binding.database);
        }
    }
    databases
}

/// How many services there are of it.
pub(super) fn service_count(description: &WorkerDescription) -> usize {
    description.d1.as_ref().map_or(0, |d1| databases(d1).len())
}

/// How many bindings each service of the app gets.
pub(super) fn binding_count(description: &WorkerDescription) -> usize {
    description.d1.as_ref().map_or(0, |d1| d1.bindings.len())
}

/// The databases, from `first` on.
pub(super) fn write_services(
    services: &mut capnp::struct_list::Builder<'_, service::Owned>,
    first: usize,
    description: &WorkerDescription,
) {
    let Some(d1) = &description.d1 else { return };
    for (position, database) in databases(d1).into_iter().enumerate() {
        let mut target = services.reborrow().get(count(first + position));
        target.set_name(&service_name(database)[..]);
        let mut external = target.init_external();
        external.set_address(&format!("unix:{}", d1.socket.to_string_lossy())[..]);
        let mut header = external.init_http().init_inject_request_headers(1).get(0);
        header.set_name(&d1.header[..]);
        header.set_value(database);
    }
}

/// The bindings of one service of the app, from `first` on. Every region has the same ones.
pub(super) fn write_bindings(
    list: &mut capnp::struct_list::Builder<'_, worker::binding::Owned>,
    first: usize,
    description: &WorkerDescription,
) {
    let Some(d1) = &description.d1 else { return };
    for (position, binding) in d1.bindings.iter().enumerate() {
        let mut target = list.reborrow().get(count(first + position));
        target.set_name(&binding.name[..]);
        let mut client = target.init_wrapped();
        client.set_module_name(CLIENT_MODULE);
        let mut inner = client.init_inner_bindings(1).get(0);
        inner.set_name(INNER_BINDING);
        inner.init_service().set_name(&service_name(&binding.database)[..]);
    }
}
