//! The app's sources, its configuration and its token.

use lunora_config::{Project, load_development_variables};
use lunora_diagnostics::Diagnostic;
use lunora_engine::{CodegenFailure, CodegenOptions, ReleaseOptions};

use super::check::{Check, State};

/// Shorter tokens are refused: the admin routes are not there.
const TOKEN_CHARACTERS: usize = 16;

const TOKEN: &str = "LUNORA_ADMIN_TOKEN";

/// The first finding, and how many there are.
fn first(name: &'static str, state: State, findings: &[Diagnostic]) -> Option<Check> {
    let mut check = Check::of_diagnostic(name, state, findings.first()?);
    if findings.len() > 1 {
        check.detail = format!("{} (and {} more)", check.detail, findings.len() - 1);
    }
    Some(check)
}

fn generated(project: &Project) -> Option<Check> {
    if !project.generated_dir().is_dir() {
        let detail = format!("`{}/_generated` is not there yet", project.directory);
        return Some(Check::warning(
            "generated",
            detail,
            "Run `lunora codegen`, or a development server.",
        ));
    }
    let asked = lunora_engine::codegen(&CodegenOptions {
        root: project.root.as_std_path().to_path_buf(),
        lunora_directory: Some(project.directory.clone()),
        color: false,
        check: true,
    });
    match asked {
        Ok(_) => Some(Check::ok("generated", "up to date")),
        Err(failure) => {
            let is_stale = |finding: &Diagnostic| finding.code == lunora_diagnostics::codes::GENERATED_STALE;
            // What is wrong with the sources is told with them.
            let stale: Vec<Diagnostic> = failure.diagnostics.into_iter().filter(is_stale).collect();
            first("generated", State::Warning, &stale)
        }
    }
}

fn wrangler(asked: &Result<lunora_engine::ReleaseReport, Box<CodegenFailure>>) -> Vec<Check> {
    let report = match asked {
        Ok(report) => report,
        Err(failure) => {
            return first("sources", State::Error, &failure.diagnostics)
                .into_iter()
                .collect();
        }
    };
    let gate = |name: &str| report.gates.iter().find(|gate| gate.name == name);
    let detail = |name: &str| gate(name).map_or_else(String::new, |gate| gate.detail.clone());
    let mut checks = vec![Check::ok("sources", detail("sources"))];
    checks.push(if report.wrangler_changes.is_empty() {
        Check::ok("wrangler.jsonc", detail("wrangler"))
    } else {
        Check::warning(
            "wrangler.jsonc",
            report.wrangler_changes.join("; "),
            "The next `vite build` or `lunora deploy` makes these changes.",
        )
    });
    let is_unmade = |finding: &&Diagnostic| finding.code == lunora_diagnostics::codes::D1_ID_PLACEHOLDER;
    let unmade = report.warnings.iter().filter(is_unmade);
    checks.extend(unmade.map(|finding| Check::of_diagnostic("D1", State::Warning, finding)));
    checks
}

/// Whether the sources can be read, and what is generated of them is up to date. Writes nothing.
pub(super) fn sources(project: &Project) -> Vec<Check> {
    let asked = lunora_engine::release_gates(&ReleaseOptions {
        root: project.root.as_std_path().to_path_buf(),
        lunora_directory: Some(project.directory.clone()),
        // Only what the files say is looked at; what a deployment would be stopped by is not.
        allow_schema_drift: true,
        update_schema_baseline: false,
        strand_data: true,
        // A rehearsal would write a first baseline.
        rehearsal: false,
        url: None,
        deployed: None,
        now: crate::transfer::epoch_milliseconds(),
    });
    let mut checks = wrangler(&asked);
    checks.extend(generated(project));
    checks
}

fn token(place: &str, value: &str) -> Check {
    let length = value.trim().chars().count();
    if length >= TOKEN_CHARACTERS {
        return Check::ok("admin token", format!("{place}: set, {length} characters"));
    }
    Check::error(
        "admin token",
        format!("{place}: {length} characters, and a server takes {TOKEN_CHARACTERS} or more"),
        "Make a longer one, for example with `openssl rand -hex 24`.",
    )
}

/// The token in the files of development and in this shell. The token itself is not shown.
pub(super) fn variables(project: &Project) -> Vec<Check> {
    let mut checks = Vec::new();
    match load_development_variables(project, None) {
        Ok(found) => {
            checks.extend(
                found
                    .variables
                    .get(TOKEN)
                    .map(|value| token("files of development", value)),
            );
        }
        Err(errors) => checks.extend(first("files of development", State::Error, &errors)),
    }
    let shell = std::env::var(TOKEN).ok();
    checks.extend(shell.map(|value| token("this shell", &value)));
    if checks.is_empty() {
        checks.push(Check::ok(
            "admin token",
            format!("not set: development needs none; export, import, migrate and `--url` take {TOKEN}"),
        ));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_token_is_an_error_and_none_is_shown() {
        assert_eq!(token("here", "0123456789abcde").state, State::Error);
        let long = token("here", " 0123456789abcdef\n");
        assert_eq!(
            (long.state, long.detail.as_str()),
            (State::Ok, "here: set, 16 characters")
        );
    }
}
