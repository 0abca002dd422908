//! Modules of development around the app's entry.
//!
//! The entry that workerd sees imports the tap and then re-exports everything of the app's own, so that the tap is there
//! before any code of the app runs; beside it stands the entry point that takes simulated mail. No module of the app is
//! another one than in production.

use super::regions::Region;
use super::workerd_capnp::worker;
use super::{count, tap, write_module};
use crate::worker_description::{Module, WorkerDescription};

/// Folder of the wrapper's modules, which no module of an app is in.
const FOLDER: &str = "lunora-development";
/// Takes simulated mail.
const RECEIVE: &str = include_str!("receive.js");
/// The entry point that does, by its name among the exports.
pub(super) const MAIL_ENTRYPOINT: &str = "LunoraMail";

/// A string of JavaScript.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Simulated mail can come: somebody develops, and something raises events.
pub(super) const fn takes_mail(description: &WorkerDescription) -> bool {
    description.mail.is_some() && description.has_events
}

/// Modules before those of the app, the entry first; none where nobody develops.
pub(super) fn modules(region: &Region<'_>) -> Vec<Module> {
    let description = region.description;
    let app = description
        .modules
        .first()
        .map_or_else(String::new, |module| quoted(&format!("../{}", module.name)));
    let mut entry = format!("export * from {app};\nexport {{ default }} from {app};\n");
    let mut others = Vec::new();
    if let Some(tap) = &description.tap {
        entry.insert_str(0, "import \"./tap.js\";\n");
        let jurisdiction = region.jurisdiction.map_or_else(|| "null".to_owned(), quoted);
        others.push(Module::javascript(format!("{FOLDER}/tap.js"), tap.source.clone()));
        others.push(Module::javascript(
            format!("{FOLDER}/settings.js"),
            format!(
                "export const region = {jurisdiction};\nexport const askedRegions = {};\n",
                serde_json::Value::from(tap::asked_bindings(region))
            ),
        ));
    }
    if takes_mail(description) {
        entry.push_str(&format!(
            "import worker from {app};\nimport {{ receiver }} from \"./receive.js\";\n\
             export const {MAIL_ENTRYPOINT} = receiver(worker);\n"
        ));
        others.push(Module::javascript(format!("{FOLDER}/receive.js"), RECEIVE));
    }
    if others.is_empty() {
        return others;
    }
    others.insert(0, Module::javascript(format!("{FOLDER}/entry.js"), entry));
    others
}

/// Writes those modules at the front of `target`.
pub(super) fn write_modules(target: &mut capnp::struct_list::Builder<'_, worker::module::Owned>, modules: &[Module]) {
    for (position, module) in modules.iter().enumerate() {
        write_module(target.reborrow().get(count(position)), module);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::tap::tests::description;
    use crate::worker_description::{Mail, ModuleBody};

    fn texts(description: &WorkerDescription) -> Vec<Vec<Arc<str>>> {
        let text = |module: Module| match module.body {
            ModuleBody::EsModule(text) => text,
            _ => "".into(),
        };
        Region::all(description)
            .iter()
            .map(|region| modules(region).into_iter().map(text).collect())
            .collect()
    }

    #[test]
    fn the_wrapper_names_the_entry_and_the_region() {
        let texts = texts(&description());
        let app = r#""../lunora/a \"b\".js""#;
        assert_eq!(
            *texts[0][0],
            *format!("import \"./tap.js\";\nexport * from {app};\nexport {{ default }} from {app};\n")
        );
        let settings = |region: &str, asked: &str| {
            format!("export const region = {region};\nexport const askedRegions = {asked};\n")
        };
        assert_eq!(texts[0].len(), 3);
        assert_eq!(*texts[0][2], *settings("null", "[\"LUNORA_TAP_eu\"]"));
        assert_eq!(*texts[1][2], *settings("\"eu\"", "[]"));
    }

    #[test]
    fn what_takes_mail_is_there_where_mail_can_come() {
        let mut one = description();
        let mail = Mail {
            socket: "/run/tap.sock".into(),
            bindings: Vec::new(),
        };
        one.tap = None;
        assert!(texts(&one)[0].is_empty());
        one.mail = Some(mail);
        assert!(texts(&one)[0].is_empty());
        one.has_events = true;
        let with_mail = &texts(&one)[0];
        assert_eq!((with_mail.len(), &*with_mail[1]), (2, RECEIVE));
        assert!(
            with_mail[0].ends_with("export const LunoraMail = receiver(worker);\n"),
            "{}",
            with_mail[0]
        );
        one.mail = None;
        assert!(texts(&one)[0].is_empty());
    }
}
