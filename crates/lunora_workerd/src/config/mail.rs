//! Mail of development: `send_email` bindings, the inbox of the capture transport, and `cloudflare:email`.

use serde_json::json;

use super::count;
use super::regions::Region;
use super::workerd_capnp::{extension, service, worker};
use crate::worker_description::{EmailBinding, Mail, WorkerDescription};

/// No name of a service of the app: those are the worker's and, after a colon, a region's.
const INBOX_SERVICE: &str = "lunora-mail-inbox";
/// Name in `env` of what the capture transport speaks to.
const BINDING: &str = "__lunora_mail";
/// The internal module behind `send_email` bindings.
const SEND_MODULE: &str = "lunora-development:send-email";
const SCRIPT: &str = include_str!("mail.js");
/// What workerd looks for behind `cloudflare:email`.
const EMAIL_MODULE: &str = "cloudflare-internal:email";
const EMAIL: &str = include_str!("email.js");

/// How many services there are of it.
pub(super) const fn service_count(description: &WorkerDescription) -> usize {
    if description.mail.is_some() { 1 } else { 0 }
}

/// How many bindings each service of the app gets.
pub(super) fn binding_count(description: &WorkerDescription) -> usize {
    description.mail.as_ref().map_or(0, |mail| 1 + mail.bindings.len())
}

/// The inbox, at `first`.
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
}

/// What the platform would check, and whose mail it is.
fn rules(binding: &EmailBinding, jurisdiction: Option<&str>) -> String {
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
        let mut wrapped = target.init_wrapped();
        wrapped.set_module_name(SEND_MODULE);
        let mut inner = wrapped.init_inner_bindings(2);
        let mut inbox = inner.reborrow().get(0);
        inbox.set_name("inbox");
        inbox.init_service().set_name(INBOX_SERVICE);
        let mut checked = inner.get(1);
        checked.set_name("rules");
        checked.set_json(&rules(binding, region.jurisdiction.or(pinned))[..]);
    }
}

/// The modules behind `cloudflare:email` and behind the bindings.
pub(super) fn write_extension(target: extension::Builder<'_>) {
    let mut modules = target.init_modules(2);
    for (position, (name, source)) in [(EMAIL_MODULE, EMAIL), (SEND_MODULE, SCRIPT)].into_iter().enumerate() {
        let mut module = modules.reborrow().get(count(position));
        module.set_name(name);
        module.set_internal(true);
        module.set_es_module(source);
    }
}
