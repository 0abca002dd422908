//! Objects that are reached behind our back: only one function of the runtime knows which jurisdiction they are in,
//! which name a shard has and who may ask it.

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{Application, Observations};

pub(super) fn check(application: &Application, observations: &Observations) -> Vec<Diagnostic> {
    let classes = application.object_classes();
    observations
        .environment
        .iter()
        .filter(|access| classes.iter().any(|class| class.binding == access.name))
        .map(|access| {
            let binding = &access.name;
            // Reaching around the declaration breaks the promise that it is.
            let finding = match &application.jurisdiction {
                Some(jurisdiction) => Diagnostic::error(
                    codes::NAMESPACE_BYPASSED,
                    format!(
                        "`env.{binding}` is Lunora's own: objects reached through it are outside `{jurisdiction}`, to which the schema pins the app"
                    ),
                ),
                None => Diagnostic::warning(
                    codes::NAMESPACE_BYPASSED,
                    format!(
                        "`env.{binding}` is Lunora's own: an object reached through it is asked past addresses, authorization and jurisdiction"
                    ),
                ),
            };
            finding.at(&access.file, access.span).with_help(
                "Call a function of the app instead: `ctx.runQuery` and `ctx.runMutation` in an action, a client anywhere else. Bind objects of your own under another name.",
            )
        })
        .collect()
}
