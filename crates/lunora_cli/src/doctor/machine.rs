//! Ports, watches and variables of this machine.

use std::ffi::OsString;
use std::path::Path;

use lunora_client::is_free_port;

use super::check::Check;

/// Ports that servers take unless they are told otherwise, and who does.
const PORTS: [(u16, &str); 2] = [
    (5173, "`vite dev`"),
    (8787, "`lunora dev` without Vite, `lunora start`"),
];

/// Fewer watches than this are used up by an editor and a larger app.
const FEW_WATCHES: u64 = 65_536;

/// Fewer instances than this are used up by editors and servers.
const FEW_INSTANCES: u64 = 128;

/// The usual ports. One that this project's own server has is well taken.
pub(super) fn ports(root: &Path) -> Vec<Check> {
    let running = lunora_engine::running_url(&root.join(".lunora").join("state"));
    let check = |(port, who): (u16, &str)| {
        let is_ours = running.as_ref().is_some_and(|url| url.ends_with(&format!(":{port}")));
        if is_ours {
            Check::ok("ports", format!("{port}: the development server of this project"))
        } else if is_free_port(port) {
            Check::ok("ports", format!("{port} is free, for {who}"))
        } else {
            Check::warning(
                "ports",
                format!("{port} is taken, which {who} would listen on"),
                "In development the next free one is taken; `--port` chooses another.",
            )
        }
    };
    PORTS.into_iter().map(check).collect()
}

fn limit(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
    text.trim().parse().ok()
}

fn watches(name: &str, found: u64, few: u64, wanted: u64) -> Check {
    let detail = format!("fs.inotify.{name} is {found}");
    if found >= few {
        return Check::ok("watches", detail);
    }
    Check::warning(
        "watches",
        format!("{detail}, which editors and servers use up together"),
        format!(
            "Run `sudo sysctl fs.inotify.{name}={wanted}`, and write `fs.inotify.{name}={wanted}` into `/etc/sysctl.d/90-inotify.conf` to keep it."
        ),
    )
}

/// What Linux lets one user watch; nothing on other systems, which have no such limit.
pub(super) fn inotify() -> Vec<Check> {
    [
        ("max_user_watches", FEW_WATCHES, 524_288),
        ("max_user_instances", FEW_INSTANCES, 512),
    ]
    .into_iter()
    .filter_map(|(name, few, wanted)| Some(watches(name, limit(name)?, few, wanted)))
    .collect()
}

/// Names of the variables that the toolchain or the app reads; values are nobody's business here.
pub(super) fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> Check {
    let mut names: Vec<String> = variables
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("LUNORA_"))
        .collect();
    names.sort();
    if names.is_empty() {
        return Check::ok("variables", "no LUNORA_ variable is set in this shell");
    }
    Check::ok("variables", format!("set in this shell: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn few_watches_are_told_with_the_command() {
        assert_eq!(
            watches("max_user_watches", 65_536, FEW_WATCHES, 524_288).state,
            State::Ok
        );
        let few = watches("max_user_watches", 8192, FEW_WATCHES, 524_288);
        assert_eq!(few.state, State::Warning);
        assert!(
            few.help
                .is_some_and(|help| help.contains("sudo sysctl fs.inotify.max_user_watches=524288"))
        );
    }

    #[test]
    fn variables_are_named_without_their_values() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.into(), value.into())).collect();
            environment(pairs.into_iter()).detail
        };
        assert_eq!(
            of(&[
                ("LUNORA_REGION", "eu"),
                ("PATH", "/bin"),
                ("LUNORA_ADMIN_TOKEN", "a-secret-of-tests")
            ]),
            "set in this shell: LUNORA_ADMIN_TOKEN, LUNORA_REGION"
        );
        assert_eq!(of(&[]), "no LUNORA_ variable is set in this shell");
    }
}
