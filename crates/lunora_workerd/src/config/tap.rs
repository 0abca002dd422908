//! The tap of development: modules around the app's entry, and the socket they speak to.
//!
//! The entry that workerd sees imports the tap and then re-exports everything of the app's own, so that the tap is there
//! before any code of the app runs, and no module of the app is another one than in production.

use std::path::Path;

use super::regions::Region;
use super::workerd_capnp::{service, worker};
use super::{count, write_module};
use crate::worker_description::{Module, Tap, WorkerDescription};

/// Folder of the wrapper's modules, which no module of an app is in.
const FOLDER: &str = "lunora-development";
/// Name in `env` of what the tap speaks to.
const BINDING: &str = "LUNORA_TAP";
/// No name of a service of the app: those are the worker's and, after a colon, a region's.
pub(super) const SERVICE: &str = "lunora-tap";
/// The tap needs `AsyncLocalStorage`, which says what call a log line belongs to.
const FLAG: &str = "nodejs_als";
/// Refuses it.
const COUNTER_FLAG: &str = "no_nodejs_als";

/// A string of JavaScript.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Modules before those of the app, the entry first.
pub(super) fn modules(tap: &Tap, region: &Region<'_>) -> [Module; 3] {
    let entry = region
        .description
        .modules
        .first()
        .map_or_else(String::new, |module| quoted(&format!("../{}", module.name)));
    let jurisdiction = region.jurisdiction.map_or_else(|| "null".to_owned(), quoted);
    [
        Module::javascript(
            format!("{FOLDER}/entry.js"),
            format!("import \"./tap.js\";\nexport * from {entry};\nexport {{ default }} from {entry};\n"),
        ),
        Module::javascript(format!("{FOLDER}/tap.js"), tap.source.clone()),
        Module::javascript(
            format!("{FOLDER}/settings.js"),
            format!("export const region = {jurisdiction};\n"),
        ),
    ]
}

/// Writes those modules at the front of `target`; answers how many there are.
pub(super) fn write_modules(
    target: &mut capnp::struct_list::Builder<'_, worker::module::Owned>,
    region: &Region<'_>,
) -> usize {
    let Some(tap) = &region.description.tap else { return 0 };
    let modules = modules(tap, region);
    for (position, module) in modules.iter().enumerate() {
        write_module(target.reborrow().get(count(position)), module);
    }
    modules.len()
}

/// Modules, bindings and services that the tap adds, at most.
pub(super) fn module_count(description: &WorkerDescription) -> usize {
    if description.tap.is_some() { 3 } else { 0 }
}

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

/// `env.LUNORA_TAP`.
pub(super) fn write_binding(mut target: worker::binding::Builder<'_>) {
    target.set_name(BINDING);
    target.init_service().set_name(SERVICE);
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
mod tests {
    use super::*;
    use crate::worker_description::ModuleBody;

    fn description() -> WorkerDescription {
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
    fn the_wrapper_names_the_entry_and_the_region() {
        let one = description();
        let texts: Vec<Vec<String>> = Region::all(&one)
            .iter()
            .map(|region| {
                modules(one.tap.as_ref().unwrap(), region)
                    .into_iter()
                    .filter_map(|module| match module.body {
                        ModuleBody::EsModule(text) => Some(text.to_string()),
                        _ => None,
                    })
                    .collect()
            })
            .collect();
        assert!(
            texts[0][0].contains(r#"export * from "../lunora/a \"b\".js";"#),
            "{}",
            texts[0][0]
        );
        assert_eq!(texts[0][2], "export const region = null;\n");
        assert_eq!(texts[1][2], "export const region = \"eu\";\n");
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
