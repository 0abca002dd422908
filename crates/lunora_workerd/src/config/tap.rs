//! What the tap of development needs beside its module: a flag, the socket it speaks to, and the taps of other regions.

use std::path::Path;

use super::count;
use super::regions::Region;
use super::workerd_capnp::{service, worker};
use crate::worker_description::WorkerDescription;

/// Name in `env` of what the tap speaks to.
const BINDING: &str = "LUNORA_TAP";
/// No name of a service of the app: those are the worker's and, after a colon, a region's.
pub(super) const SERVICE: &str = "lunora-tap";
/// The tap needs `AsyncLocalStorage`, which says what call a log line belongs to.
const FLAG: &str = "nodejs_als";
/// Refuses it.
const COUNTER_FLAG: &str = "no_nodejs_als";

/// The flags with what the tap needs.
pub(super) fn flags(description: &WorkerDescription) -> Vec<&str> {
    let own = description.compatibility_flags.iter().map(String::as_str);
    if description.tap.is_none() {
        return own.collect();
    }
    own.filter(|flag| *flag != FLAG && *flag != COUNTER_FLAG)
        .chain([FLAG])
        .collect()
}

/// Name in `env` of the worker of a region, whose tap is asked for the rest as this one is.
fn region_binding(region: &Region<'_>) -> Option<String> {
    region.jurisdiction.map(|name| format!("{BINDING}_{name}"))
}

/// The regions whose taps are asked through the one of `region`: requests come to the worker that nothing pins, and an
/// object of a region must not reach another one.
fn asked_through<'description>(region: &Region<'description>) -> Vec<Region<'description>> {
    if region.jurisdiction.is_some() {
        return Vec::new();
    }
    let all = Region::all(region.description).into_iter();
    all.filter(|other| other.jurisdiction.is_some()).collect()
}

/// Names in `env` of the workers that are asked through this one.
pub(super) fn asked_bindings(region: &Region<'_>) -> Vec<String> {
    asked_through(region).iter().filter_map(region_binding).collect()
}

/// How many bindings there are of it.
pub(super) fn binding_count(region: &Region<'_>) -> usize {
    let is_tapped = region.description.tap.is_some();
    if is_tapped { 1 + asked_through(region).len() } else { 0 }
}

/// `env.LUNORA_TAP` and what is asked through it, from `first` on.
pub(super) fn write_bindings(
    list: &mut capnp::struct_list::Builder<'_, worker::binding::Owned>,
    first: usize,
    region: &Region<'_>,
) {
    if region.description.tap.is_none() {
        return;
    }
    let mut own = list.reborrow().get(count(first));
    own.set_name(BINDING);
    own.init_service().set_name(SERVICE);
    let asked = asked_through(region);
    for (position, (name, other)) in asked_bindings(region).iter().zip(&asked).enumerate() {
        let mut target = list.reborrow().get(count(first + 1 + position));
        target.set_name(&name[..]);
        target.init_service().set_name(&other.service()[..]);
    }
}

/// The socket as a service.
pub(super) fn write_service(mut target: service::Builder<'_>, socket: &Path) {
    target.set_name(SERVICE);
    let mut external = target.init_external();
    external.set_address(&format!("unix:{}", socket.to_string_lossy())[..]);
    external.init_http();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use crate::worker_description::{Module, Tap};

    /// A worker with a tap and a region.
    pub(in crate::config) fn description() -> WorkerDescription {
        let mut one = WorkerDescription::new(
            Module::javascript("lunora/a \"b\".js", "export default {}"),
            "2026-04-01",
        );
        one.jurisdictions = vec!["eu".to_owned()];
        one.tap = Some(Tap {
            source: "globalThis.tapped = true;".into(),
            socket: "/run/tap.sock".into(),
        });
        one
    }

    #[test]
    fn the_flag_is_there_once_and_for_the_tap_alone() {
        let mut one = description();
        assert_eq!(flags(&one), ["nodejs_als"]);
        one.compatibility_flags = vec!["no_nodejs_als".into(), "nodejs_als".into(), "nodejs_compat".into()];
        assert_eq!(flags(&one), ["nodejs_compat", "nodejs_als"]);
        one.tap = None;
        assert_eq!(flags(&one).len(), 3);
    }

    #[test]
    fn without_a_tap_nothing_of_it_is_in_the_message() {
        let storage = crate::storage_folders::StorageFolders::below(Path::new("/state"));
        let mut one = description();
        let has = |description: &WorkerDescription| {
            let bytes = super::super::encode(description, &storage);
            [
                "LUNORA_TAP",
                "lunora-tap",
                "lunora-development/",
                "tapped",
                "nodejs_als",
                "/run/tap.sock",
            ]
            .map(|text| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
        };
        assert_eq!(has(&one), [true; 6]);
        one.tap = None;
        assert_eq!(has(&one), [false; 6]);
    }
}
