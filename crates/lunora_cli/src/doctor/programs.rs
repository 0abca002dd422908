//! The programs that the toolchain runs on and runs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::check::{Check, State};
use super::version::{Version, installed};
use crate::run::CommandOptions;

/// The oldest Node that the packages are tested with.
const OLDEST_NODE: Version = Version(20, 19, 0);

/// Vite does not run on releases between its two lines.
const OLDEST_NODE_22: Version = Version(22, 12, 0);

/// The Vite versions that the plugin is for.
const VITE: (Version, u32) = (Version(8, 3, 0), 8);

/// The wrangler versions that deployments are tested with.
const WRANGLER: (Version, u32) = (Version(4, 86, 0), 4);

/// The Node that runs this.
pub(super) fn node(version: Option<&str>) -> Check {
    let Some(text) = version else {
        return Check::ok("node", "not asked: the command was not started by Node");
    };
    let upgrade = format!("Install Node {OLDEST_NODE} or later of its line, or {OLDEST_NODE_22} or later.");
    match Version::parse(text) {
        Some(version) if version < OLDEST_NODE => Check::error("node", format!("{text} is too old"), upgrade),
        Some(version) if version.0 > OLDEST_NODE.0 && version < OLDEST_NODE_22 => {
            Check::warning("node", format!("Vite does not support {text}"), upgrade)
        }
        Some(_) => Check::ok("node", text),
        None => Check::warning("node", format!("`{text}` is no version that is known here"), upgrade),
    }
}

/// The native part, which runs: else nobody would read this. It has to be of the same version as the packages.
pub(super) fn addon(root: &Path) -> Check {
    let own = env!("CARGO_PKG_VERSION");
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    match installed(root, "lunorash") {
        Some(package) if package != own => Check::warning(
            "addon",
            format!("{own} for {platform}, but the app has `lunorash` {package}"),
            "Run the app's own command: npx lunora.",
        ),
        _ => Check::ok("addon", format!("{own} for {platform}")),
    }
}

fn origin(options: Option<&Path>, path: &Path) -> &'static str {
    let is_package = path.components().any(|part| part.as_os_str() == "node_modules");
    match (options, is_package) {
        (Some(_), _) => "as asked for",
        (None, true) => "the app's package",
        (None, false) => "from PATH",
    }
}

/// The workerd that a start would take, and whether it runs and takes the app's compatibility date.
pub(super) fn workerd(options: &CommandOptions, asked: Option<&Path>, root: &Path, now: SystemTime) -> Vec<Check> {
    let variable = std::env::var_os("LUNORA_WORKERD").filter(|path| !path.is_empty());
    let stated = asked
        .map(|path| options.working_directory.join(path))
        .or_else(|| variable.map(Into::into));
    let found = match lunora_engine::find_workerd(stated.as_deref(), root, now) {
        Ok(found) => found,
        Err(diagnostic) => return vec![Check::of_diagnostic("workerd", State::Error, &diagnostic)],
    };
    let place = format!(
        "{} ({}), `{}`",
        found.build_date,
        origin(stated.as_deref(), &found.path),
        found.path.display()
    );
    let mut checks = vec![match runs(&found.path) {
        Ok(()) => Check::ok("workerd", place),
        Err(why) => Check::error(
            "workerd",
            format!("{place} does not run: {why}"),
            "workerd needs glibc and a file system that lets programs run; reinstall the `workerd` package.",
        ),
    }];
    checks.extend(compatibility_date(root, &found.newest_date));
    checks
}

fn runs(path: &Path) -> Result<(), String> {
    let output = Command::new(path)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{}: {}",
        output.status,
        said.lines().next().unwrap_or_default()
    ))
}

fn compatibility_date(root: &Path, newest: &str) -> Option<Check> {
    let root = camino::Utf8Path::from_path(root)?;
    // One that cannot be read is told with the configuration.
    let date = lunora_config::read_wrangler(root).ok()?.compatibility_date;
    Some(if date.as_str() <= newest {
        Check::ok(
            "compatibility date",
            format!("{date}; this workerd takes up to {newest}"),
        )
    } else {
        Check::warning(
            "compatibility date",
            format!("`{date}` is later than this workerd takes; `{newest}` is used in development"),
            "Set an earlier date in `wrangler.jsonc`, or update the `workerd` package.",
        )
    })
}

/// A package of the app, against the versions that are known to work: from `oldest` on, within `major`.
fn package(name: &'static str, found: &str, (oldest, major): (Version, u32)) -> Check {
    let install = format!("Install it: npm install --save-dev {name}@{major}");
    match Version::parse(found) {
        Some(version) if version < oldest => Check::error(
            name,
            format!("{found} is too old: {oldest} is the oldest that works"),
            install,
        ),
        Some(version) if version.0 > major => Check::warning(
            name,
            format!("{found} is newer than what is known to work: {oldest} to {major}.x"),
            install,
        ),
        Some(_) => Check::ok(name, format!("{found}, known to work from {oldest} to {major}.x")),
        None => Check::warning(name, format!("`{found}` is no version that is known here"), install),
    }
}

/// The app's Vite.
pub(super) fn vite(root: &Path, has_config: bool) -> Check {
    match installed(root, "vite") {
        Some(version) => package("vite", &version, VITE),
        None if has_config => Check::error(
            "vite",
            "not installed, and the app has a Vite config",
            "Install it: npm install --save-dev vite@8",
        ),
        None => Check::ok(
            "vite",
            "not installed: `lunora dev` runs without it, `lunora deploy` needs it",
        ),
    }
}

/// The app's wrangler.
pub(super) fn wrangler(root: &Path) -> Check {
    match installed(root, "wrangler") {
        // An old one deploys still, as far as anybody knows.
        Some(version) => match package("wrangler", &version, WRANGLER) {
            Check {
                state: State::Error,
                detail,
                help,
                ..
            } => Check {
                name: "wrangler",
                state: State::Warning,
                detail,
                help,
            },
            check => check,
        },
        None => Check::ok("wrangler", "not installed: only `lunora deploy` needs it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_of_a_line_that_works() {
        for (version, state) in [
            ("20.20.2", State::Ok),
            ("22.12.0", State::Ok),
            ("26.0.0", State::Ok),
            ("18.20.0", State::Error),
            ("20.18.9", State::Error),
            ("21.7.0", State::Warning),
            ("22.11.0", State::Warning),
            ("unknown", State::Warning),
        ] {
            assert_eq!(node(Some(version)).state, state, "{version}");
        }
    }

    #[test]
    fn packages_are_compared_with_what_is_known() {
        for (version, state) in [
            ("8.3.0", State::Ok),
            ("8.9.1", State::Ok),
            ("8.2.9", State::Error),
            ("9.0.0", State::Warning),
            ("workspace", State::Warning),
        ] {
            assert_eq!(package("vite", version, VITE).state, state, "{version}");
        }
        let nowhere = Path::new("/proc");
        assert_eq!(vite(nowhere, true).state, State::Error);
        assert_eq!(vite(nowhere, false).state, State::Ok);
    }
}
