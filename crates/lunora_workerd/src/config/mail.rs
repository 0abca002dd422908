//! Mail of development: `send_email` bindings, the inbox of the capture transport, and `cloudflare:email`.

use serde_json::json;

use super::count;
use super::regions::Region;
use super::workerd_capnp::{extension, service, worker};
use crate::worker_description::{EmailBinding, Mail, WorkerDescription};

/// No names of services of the app: those are the worker's and, after a colon, a region's.
const SEND_SERVICE: &str = "lunora-mail";
const INBOX_SERVICE: &str = "lunora-mail-inbox";
/// Name in `env` of what the capture transport speaks to.
const BINDING: &str = "__lunora_mail";
const ENTRYPOINT: &str = "SendEmail";
const SCRIPT: &str = include_str!("mail.js");
/// What workerd looks for behind `cloudflare:email`.
const EMAIL_MODULE: &str = "cloudflare-internal:email";
const EMAIL: &str = include_str!("email.js");

/// How many services there are of it.
pub(super) const fn service_count(description: &WorkerDescription) -> usize {
    if description.mail.is_some() { 2 } else { 0 }
}

/// How many bindings each service of the app gets.
pub(super) fn binding_count(description: &WorkerDescription) -> usize {
    description.mail.as_ref().map_or(0, |mail| 1 + mail.bindings.len())
}

/// The two services, from `first` on.
pub(super) fn write_services(
    services: &mut capnp::struct_list::Builder<'_, service::Owned>,
    first: usize,
    description: &WorkerDescription,
) {
    let Some(mail) = &description.mail else { return };
    let mut inbox = services.reborrow().get(count(first));
    inbox.set_name(INBOX_SERVICE);
    let mut external = inbox.init_external();
    external.set_address(&format!("unix:{}", mail.socket.to_string_lossy())[..]);
    external.init_http();

    let mut sender = services.reborrow().get(count(first + 1));
    sender.set_name(SEND_SERVICE);
    let mut worker = sender.init_worker();
    let mut module = worker.reborrow().init_modules(1).get(0);
    module.set_name("mail.js");
    module.set_es_module(SCRIPT);
    worker.set_compatibility_date(&description.compatibility_date[..]);
    let mut binding = worker.init_bindings(1).get(0);
    binding.set_name("INBOX");
    binding.init_service().set_name(INBOX_SERVICE);
}

fn properties(binding: &EmailBinding, jurisdiction: Option<&str>) -> String {
    json!({
        "region": jurisdiction,
        "destination": binding.destination,
        "allowedDestinations": binding.allowed_destinations,
        "allowedSenders": binding.allowed_senders,
    })
    .to_string()
}

/// The bindings of one service of the app, from `first` on. What an object of a region sends stays in the region.
pub(super) fn write_bindings(
    list: &mut capnp::struct_list::Builder<'_, worker::binding::Owned>,
    first: usize,
    region: &Region<'_>,
) {
    let Some(Mail { bindings, .. }) = &region.description.mail else {
        return;
    };
    let mut inbox = list.reborrow().get(count(first));
    inbox.set_name(BINDING);
    inbox.init_service().set_name(INBOX_SERVICE);
    // A pinned app pins its worker too: what it sends is the pinned region's, whichever service sends it.
    let pinned = region.description.jurisdictions.first().map(String::as_str);
    for (position, binding) in bindings.iter().enumerate() {
        let mut target = list.reborrow().get(count(first + 1 + position));
        target.set_name(&binding.name[..]);
        let mut service = target.init_service();
        service.set_name(SEND_SERVICE);
        service.set_entrypoint(ENTRYPOINT);
        service
            .init_props()
            .set_json(&properties(binding, region.jurisdiction.or(pinned))[..]);
    }
}

/// The module behind `cloudflare:email`.
pub(super) fn write_extension(target: extension::Builder<'_>) {
    let mut module = target.init_modules(1).get(0);
    module.set_name(EMAIL_MODULE);
    module.set_internal(true);
    module.set_es_module(EMAIL);
}
