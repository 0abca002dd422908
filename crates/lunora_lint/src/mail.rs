//! Mail of a pinned app that lies somewhere else: its entry points are not pinned with the schema, since nothing
//! generated stands between them and the app.

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{Application, Observations, StatedJurisdiction};

pub(super) fn check(application: &Application, observations: &Observations) -> Vec<Diagnostic> {
    let Some(declared) = &application.jurisdiction else {
        return Vec::new();
    };
    observations
        .mail
        .iter()
        .filter_map(|call| {
            let what = match call.name {
                "createMailerFromEnv" => "the mails that development captures lie",
                _ => "what it writes lies",
            };
            let name = call.name;
            let message = match &call.jurisdiction {
                StatedJurisdiction::Missing => format!(
                    "`{name}` names no jurisdiction, and the schema pins the app to `{declared}`: {what} outside it"
                ),
                StatedJurisdiction::Named(other) if other != declared => {
                    format!("`{name}` names `{other}`, and the schema pins the app to `{declared}`: {what} outside it")
                }
                StatedJurisdiction::Named(_) | StatedJurisdiction::Unseen => return None,
            };
            let written = match name {
                "createMailerFromEnv" => format!("createMailerFromEnv(env, {{ jurisdiction: \"{declared}\" }})"),
                _ => format!("dispatchToLunoraFunction({{ …, jurisdiction: \"{declared}\" }})"),
            };
            Some(
                Diagnostic::warning(codes::MAIL_OUTSIDE_JURISDICTION, message)
                    .at(&call.file, call.span)
                    .with_help(format!("Write `{written}`.")),
            )
        })
        .collect()
}
