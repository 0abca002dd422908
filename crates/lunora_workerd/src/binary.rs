//! Finds the workerd binary and learns which day it was built.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lunora_diagnostics::{Diagnostic, codes};

use crate::calendar_date::CalendarDate;

/// The oldest build that the test suite runs against.
const OLDEST_BUILD: &str = "2026-04-26";

/// A binary that may be spawned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkerdBinary {
    /// The executable itself, never the JavaScript shim of the npm package.
    pub path: PathBuf,
    /// The day in its version.
    pub build_date: CalendarDate,
}

/// Finds the binary: `explicit`, else the `workerd` package that `app_root` would import, else the
/// first `workerd` on `search_path`.
pub(crate) fn resolve_binary(
    explicit: Option<&Path>,
    app_root: &Path,
    search_path: Option<&std::ffi::OsStr>,
) -> Result<WorkerdBinary, Diagnostic> {
    let package = platform_package(std::env::consts::OS, std::env::consts::ARCH)?;
    if let Some(path) = explicit {
        return examine(path);
    }
    if let Some(path) = find_in_node_modules(app_root, package) {
        return examine(&path);
    }
    if let Ok(path) = which::which_in("workerd", search_path, app_root) {
        return examine(&path);
    }
    Err(not_found(app_root, package))
}

/// The npm package that carries the binary for a platform.
fn platform_package(os: &str, architecture: &str) -> Result<&'static str, Diagnostic> {
    match (os, architecture) {
        ("linux", "x86_64") => Ok("workerd-linux-64"),
        ("linux", "aarch64") => Ok("workerd-linux-arm64"),
        ("macos", "x86_64") => Ok("workerd-darwin-64"),
        ("macos", "aarch64") => Ok("workerd-darwin-arm64"),
        ("windows", _) => Err(Diagnostic::error(
            codes::PLATFORM_UNSUPPORTED,
            "The development server does not run on `windows`: workerd cannot inherit its sockets there.",
        )
        .with_help("Run the app in WSL 2.")),
        _ => Err(Diagnostic::error(
            codes::PLATFORM_UNSUPPORTED,
            format!("There is no workerd for `{os}` on `{architecture}`."),
        )
        .with_help("Use Linux or macOS on x86-64 or ARM64.")),
    }
}

/// Walks up from `app_root` as Node's resolution does. The platform package lies beside `workerd`
/// (hoisted, or nested together with it, or linked by pnpm) or inside its own `node_modules`.
fn find_in_node_modules(app_root: &Path, package: &str) -> Option<PathBuf> {
    for folder in app_root.ancestors() {
        let modules = folder.join("node_modules");
        let shim = modules.join("workerd");
        // pnpm links `workerd` into a store whose neighbours are its dependencies.
        let linked = shim.canonicalize().ok();
        let beside_target = linked.as_deref().and_then(Path::parent).map(Path::to_path_buf);
        let candidates = [Some(shim.join("node_modules")), beside_target, Some(modules)];
        for candidate in candidates.into_iter().flatten() {
            let binary = candidate.join("@cloudflare").join(package).join("bin/workerd");
            if binary.is_file() {
                return Some(binary);
            }
        }
    }
    None
}

fn not_found(app_root: &Path, package: &str) -> Diagnostic {
    let shim = app_root
        .ancestors()
        .map(|folder| folder.join("node_modules/workerd/package.json"))
        .find(|path| path.is_file());
    match shim {
        Some(path) => Diagnostic::error(
            codes::WORKERD_NOT_FOUND,
            format!(
                "`{}` is installed, but its package for this platform, `@cloudflare/{package}`, is not.",
                path.parent().unwrap_or(&path).display()
            ),
        )
        .with_help(
            "Install without `--omit=optional` on this machine (node_modules copied from another one lacks it).",
        ),
        None => Diagnostic::error(
            codes::WORKERD_NOT_FOUND,
            format!(
                "No `workerd` was found in the `node_modules` of `{}` or above, nor on the PATH.",
                app_root.display()
            ),
        )
        .with_help("Run `npm install workerd` in the app, or set `LUNORA_WORKERD` to the path of a binary."),
    }
}

/// Checks that `path` is a binary of a supported version.
fn examine(path: &Path) -> Result<WorkerdBinary, Diagnostic> {
    let path = path.canonicalize().map_err(|error| not_runnable(path, &error))?;
    if !path.is_file() {
        return Err(not_runnable(&path, &io::Error::other("it is not a file")));
    }
    let executable = executable_behind(&path);
    let build_date = match version_of_package(&executable) {
        Some(date) => date,
        None => version_of_binary(&executable)?,
    };
    check_version(&executable, build_date)?;
    Ok(WorkerdBinary {
        path: executable,
        build_date,
    })
}

/// `node_modules/.bin/workerd` is a JavaScript shim where install scripts were switched off; the
/// binary it would start is looked up instead, because killing the shim would orphan the binary.
fn executable_behind(path: &Path) -> PathBuf {
    let is_script = std::fs::File::open(path)
        .and_then(|mut file| {
            let mut start = [0; 2];
            io::Read::read_exact(&mut file, &mut start)?;
            Ok(&start == b"#!")
        })
        .unwrap_or(false);
    // Only the shim of the package is seen through: somebody's own wrapper is what they asked to be run.
    let is_shim = is_script
        && path.canonicalize().is_ok_and(|real| {
            real.components()
                .rev()
                .skip(1)
                .any(|part| matches!(part.as_os_str().to_str(), Some("workerd" | ".bin")))
        });
    let package = platform_package(std::env::consts::OS, std::env::consts::ARCH);
    match (is_shim, package) {
        (true, Ok(package)) => path
            .parent()
            .and_then(|folder| find_in_node_modules(folder, package))
            .unwrap_or_else(|| path.to_path_buf()),
        _ => path.to_path_buf(),
    }
}

/// `1.20261117.1` in the `package.json` two folders up is the build's day, at no cost of a process.
fn version_of_package(executable: &Path) -> Option<CalendarDate> {
    #[derive(serde::Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let manifest = executable.parent()?.parent()?.join("package.json");
    let package: Package = serde_json::from_str(&std::fs::read_to_string(manifest).ok()?).ok()?;
    if !package.name.starts_with("@cloudflare/workerd-") {
        return None;
    }
    let day = package.version.split('.').nth(1)?;
    if day.len() != 8 || !day.is_ascii() {
        return None;
    }
    format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]).parse().ok()
}

/// How often and how long a binary that is being written is waited for.
const BUSY_LOOKS: u32 = 10;
const BUSY_WAIT: std::time::Duration = std::time::Duration::from_millis(20);

fn version_of_binary(executable: &Path) -> Result<CalendarDate, Diagnostic> {
    let ask = || {
        Command::new(executable)
            .arg("--version")
            .env_clear()
            .stdin(Stdio::null())
            .output()
    };
    let mut output = ask();
    // A package manager may still be writing it; a program that is open for writing cannot be started yet.
    for _ in 0..BUSY_LOOKS {
        if !matches!(&output, Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy) {
            break;
        }
        std::thread::sleep(BUSY_WAIT);
        output = ask();
    }
    let output = output.map_err(|error| not_runnable(executable, &error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .strip_prefix("workerd ")
        .and_then(|day| day.trim().parse().ok())
        .ok_or_else(|| {
            Diagnostic::error(
                codes::WORKERD_NOT_RUNNABLE,
                format!(
                    "`{} --version` should print `workerd` and a date, but printed `{}`.",
                    executable.display(),
                    text.chars().take(80).collect::<String>().trim().escape_debug()
                ),
            )
            .with_help("Set `LUNORA_WORKERD` to a workerd binary, or unset it to use the app's own.")
        })
}

fn check_version(executable: &Path, build_date: CalendarDate) -> Result<(), Diagnostic> {
    let oldest = OLDEST_BUILD.parse::<CalendarDate>();
    if oldest.is_ok_and(|oldest| build_date >= oldest) {
        return Ok(());
    }
    Err(Diagnostic::error(
        codes::WORKERD_VERSION_UNSUPPORTED,
        format!(
            "`{}` was built on {build_date}; {OLDEST_BUILD} is the oldest build that works.",
            executable.display()
        ),
    )
    .with_help("Run `npm install workerd@latest` in the app."))
}

/// Why `path` does not start, with the cause that the user can remove.
pub(crate) fn not_runnable(path: &Path, error: &io::Error) -> Diagnostic {
    let (reason, help) = match error.kind() {
        io::ErrorKind::NotFound if path.is_file() => (
            "the loader it was linked against is missing on this system".to_owned(),
            "workerd needs glibc: use a distribution based on it (Debian, Ubuntu, Fedora; not Alpine).",
        ),
        io::ErrorKind::NotFound => (
            "there is no such file".to_owned(),
            "Correct the path, or unset `LUNORA_WORKERD` to use the app's own.",
        ),
        io::ErrorKind::PermissionDenied => (
            "it is not executable, or its file system forbids it".to_owned(),
            "Run `chmod +x` on it, and look for a `noexec` mount.",
        ),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => (
            "it is a binary for another platform".to_owned(),
            "Remove `node_modules` and install again on this machine.",
        ),
        _ => (error.to_string(), "Reinstall the `workerd` package."),
    };
    Diagnostic::error(
        codes::WORKERD_NOT_RUNNABLE,
        format!("`{}` cannot be run: {reason}.", path.display()),
    )
    .with_help(help)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const PACKAGE: &str = "workerd-linux-64";

    fn install(modules: &Path, version: &str) -> PathBuf {
        let folder = modules.join("@cloudflare").join(PACKAGE);
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(
            folder.join("package.json"),
            format!("{{\"name\":\"@cloudflare/{PACKAGE}\",\"version\":\"{version}\"}}"),
        )
        .unwrap();
        let binary = folder.join("bin/workerd");
        fs::write(&binary, "\x7fELF").unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        binary
    }

    #[test]
    fn found_hoisted_nested_and_through_a_link() {
        let root = tempfile::tempdir().unwrap();
        let app = root.path().join("packages/app/src");
        fs::create_dir_all(&app).unwrap();
        assert_eq!(find_in_node_modules(&app, PACKAGE), None);

        let hoisted = install(&root.path().join("node_modules"), "1.20261117.1");
        assert_eq!(find_in_node_modules(&app, PACKAGE), Some(hoisted));

        let store = root.path().join("store/node_modules");
        let linked = install(&store, "1.20261117.1");
        fs::create_dir_all(store.join("workerd")).unwrap();
        let near = root.path().join("packages/app/node_modules");
        fs::create_dir_all(&near).unwrap();
        symlink(store.join("workerd"), near.join("workerd")).unwrap();
        assert_eq!(
            find_in_node_modules(&app, PACKAGE),
            Some(linked.canonicalize().unwrap())
        );

        fs::remove_file(near.join("workerd")).unwrap();
        let nested = install(&near.join("workerd/node_modules"), "1.20261117.1");
        assert_eq!(find_in_node_modules(&app, PACKAGE), Some(nested));
    }

    #[test]
    fn every_way_of_being_unusable_has_its_own_message() {
        let root = tempfile::tempdir().unwrap();
        let missing = resolve_binary(None, root.path(), Some("".as_ref())).unwrap_err();
        assert_eq!(missing.code, codes::WORKERD_NOT_FOUND);

        fs::create_dir_all(root.path().join("node_modules/workerd")).unwrap();
        fs::write(root.path().join("node_modules/workerd/package.json"), "{}").unwrap();
        let halved = resolve_binary(None, root.path(), Some("".as_ref())).unwrap_err();
        assert!(
            halved.message.contains("package for this platform"),
            "{}",
            halved.message
        );

        let gone = resolve_binary(Some(&root.path().join("none")), root.path(), None).unwrap_err();
        assert_eq!(gone.code, codes::WORKERD_NOT_RUNNABLE);
        assert!(gone.message.contains("no such file"), "{}", gone.message);

        let foreign = root.path().join("foreign");
        fs::write(&foreign, [0x7f, b'E', b'L', b'F', 0, 0]).unwrap();
        fs::set_permissions(&foreign, fs::Permissions::from_mode(0o755)).unwrap();
        let foreign = resolve_binary(Some(&foreign), root.path(), None).unwrap_err();
        assert!(foreign.message.contains("another platform"), "{}", foreign.message);

        let plain = root.path().join("plain");
        fs::write(&plain, "text").unwrap();
        let plain = resolve_binary(Some(&plain), root.path(), None).unwrap_err();
        assert!(plain.message.contains("not executable"), "{}", plain.message);

        let other = resolve_binary(Some(Path::new("/bin/true")), root.path(), None).unwrap_err();
        assert!(other.message.contains("--version"), "{}", other.message);

        let old = install(&root.path().join("old"), "1.20240101.0");
        let old = resolve_binary(Some(&old), root.path(), None).unwrap_err();
        assert_eq!(old.code, codes::WORKERD_VERSION_UNSUPPORTED);
    }

    #[test]
    fn platforms() {
        assert_eq!(platform_package("macos", "aarch64").unwrap(), "workerd-darwin-arm64");
        assert_eq!(
            platform_package("windows", "x86_64").unwrap_err().code,
            codes::PLATFORM_UNSUPPORTED
        );
        assert_eq!(
            platform_package("freebsd", "x86_64").unwrap_err().code,
            codes::PLATFORM_UNSUPPORTED
        );
    }
}
