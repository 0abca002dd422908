//! The folder of the development state, and who holds it.

use std::path::Path;

use lunora_config::Project;
use lunora_engine::ResidencyOptions;

use super::check::Check;
use crate::inspector_api::InspectorEntry;

/// Below this much room a database may not be able to write its journal.
const LITTLE_ROOM: u64 = 1024 * 1024 * 1024;
const NO_ROOM: u64 = 100 * 1024 * 1024;

/// The state folder, or the nearest folder above that is there.
fn nearest(state: &Path) -> &Path {
    state.ancestors().find(|folder| folder.is_dir()).unwrap_or(state)
}

#[cfg(unix)]
fn disk(folder: &Path) -> Vec<Check> {
    use rustix::fs::{Access, access, statvfs};
    let shown = folder.display();
    let mut checks = Vec::new();
    if let Err(error) = access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        checks.push(Check::error(
            "state",
            format!("`{shown}` cannot be written: {error}"),
            "Give yourself the right to write there, or mount it for writing.",
        ));
    }
    match statvfs(folder) {
        Ok(room) => checks.push(free(room.f_bavail.saturating_mul(room.f_frsize))),
        Err(error) => checks.push(Check::warning(
            "disk",
            format!("the room at `{shown}` is not known: {error}"),
            "Look with `df`.",
        )),
    }
    checks
}

#[cfg(not(unix))]
fn disk(_folder: &Path) -> Vec<Check> {
    Vec::new()
}

fn free(bytes: u64) -> Check {
    let detail = format!("{} MiB free", bytes / 1_048_576);
    let help = "Make room: without it no object can write.";
    match bytes {
        0..NO_ROOM => Check::error("disk", detail, help),
        NO_ROOM..LITTLE_ROOM => Check::warning("disk", detail, help),
        _ => Check::ok("disk", detail),
    }
}

/// Who holds the folder, whether it can be written, its room, and what lies in which region.
pub(super) fn folder(project: &Project) -> Vec<Check> {
    let state = project.root.join(".lunora").join("state");
    let state = state.as_std_path();
    let mut checks = vec![match lunora_engine::running_url(state) {
        Some(url) => Check::ok("state", format!("held by the development server at {url}")),
        None if state.is_dir() => Check::ok("state", format!("`{}`, held by nobody", state.display())),
        None => Check::ok("state", "not there yet: the first start makes it"),
    }];
    checks.extend(disk(nearest(state)));
    checks.extend(regions(project));
    checks
}

/// Data that the declaration at hand does not lead to. Sources that do not parse are told elsewhere.
fn regions(project: &Project) -> Option<Check> {
    let report = lunora_engine::residency(&ResidencyOptions {
        root: project.root.as_std_path().to_path_buf(),
        lunora_directory: Some(project.directory.clone()),
        state: None,
    })
    .ok()?;
    let region = |name: Option<&str>| name.unwrap_or("no region").to_owned();
    let stored = report.classes.iter().flat_map(|class| &class.stored);
    let mut left: Vec<String> = stored
        .filter(|stored| !stored.reachable)
        .map(|stored| format!("{} ({})", region(stored.region.as_deref()), stored.server))
        .collect();
    left.sort();
    left.dedup();
    let declared = format!("declared: {}", region(report.jurisdiction.as_deref()));
    Some(if left.is_empty() {
        Check::ok("regions", declared)
    } else {
        Check::warning(
            "regions",
            format!("{declared}; data is left behind in {}", left.join(", ")),
            "`lunora residency` shows where; the data is there again when the declaration is taken back.",
        )
    })
}

/// The inspector's file.
pub(super) fn inspector(root: &Path) -> Check {
    match InspectorEntry::read(root) {
        Ok(entry) => Check::ok("inspector", format!("runs at {}", entry.origin())),
        Err(_) if !InspectorEntry::path(root).exists() => {
            Check::ok("inspector", "not running: it does beside `vite dev` and `lunora dev`")
        }
        Err(failure) => Check::warning(
            "inspector",
            failure.message(),
            "The next development server writes the file anew.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn room_on_disk() {
        let states = [0, NO_ROOM - 1, NO_ROOM, LITTLE_ROOM - 1, LITTLE_ROOM, u64::MAX].map(|bytes| free(bytes).state);
        let (error, warning, ok) = (State::Error, State::Warning, State::Ok);
        assert_eq!(states, [error, error, warning, warning, ok, ok]);
    }

    #[test]
    fn what_an_inspector_left_behind_is_told() {
        let project = lunora_testing::TempProject::new([(".lunora/inspector.json", "{}")]);
        assert_eq!(inspector(&project.path(".")).state, State::Warning);
        project.remove(".lunora/inspector.json");
        assert_eq!(inspector(&project.path(".")).state, State::Ok);
    }
}
