//! What works and will hurt: advice on an app, from what static reading saw of it.
//!
//! Pure: facts in, findings out. What is meant can be said beside the place, and is then not told:
//! `// lunora-ignore <CODE>: reason`.

mod determinism;
mod ignore;
mod mail;
mod namespaces;

use lunora_diagnostics::Diagnostic;
use lunora_ir::{Application, Observations};

use ignore::Ignoring;

/// Everything that there is to say, in the order of files and places.
///
/// `source` gives the text of a file by its project-relative path; it is asked only where something was found.
#[must_use]
pub fn lint<'source>(
    application: &Application,
    observations: &Observations,
    source: impl Fn(&str) -> Option<&'source str>,
) -> Vec<Diagnostic> {
    let mut findings = determinism::check(application, observations);
    findings.extend(namespaces::check(application, observations));
    findings.extend(mail::check(application, observations));
    let mut findings: Vec<Diagnostic> = findings
        .into_iter()
        .filter_map(|finding| match ignore::look(&finding, &source) {
            Ignoring::No => Some(finding),
            Ignoring::WithoutReason => Some(ignore::asking_for_a_reason(finding)),
            Ignoring::Yes => None,
        })
        .collect();
    findings.sort_by(|left, right| place(left).cmp(&place(right)));
    findings
}

fn place(finding: &Diagnostic) -> (Option<(&str, u32)>, &str) {
    let place = finding
        .labels
        .first()
        .map(|label| (label.file.as_str(), label.span.start));
    (place, finding.code.as_str())
}
