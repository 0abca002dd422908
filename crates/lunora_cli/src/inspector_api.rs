//! Reaching the inspector of the project's development server.

use std::path::{Path, PathBuf};

use lunora_client::{AdminAddress, AdminClient, ClientError, InspectorFeed};
use lunora_diagnostics::codes;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::arguments::ProjectArguments;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;

/// What the running inspector says of itself, in a file that only its user can read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct InspectorEntry {
    origin: String,
    token: String,
    pid: u32,
}

impl InspectorEntry {
    /// Where it is written while an inspector runs.
    pub(crate) fn path(root: &Path) -> PathBuf {
        root.join(".lunora").join("inspector.json")
    }

    /// The inspector that runs. What a process that is gone has left is none: whoever has its port by now is not told
    /// the token.
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let path = Self::path(root);
        let not_running = |why: String| Failure::usage(codes::INSPECTOR_NOT_RUNNING, why);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(not_running(format!(
                    "no development server of `{}` runs",
                    root.display()
                )));
            }
            Err(error) => {
                return Err(Failure::usage(
                    codes::FILE_READ_FAILED,
                    format!("`{}` cannot be read: {error}", path.display()),
                ));
            }
        };
        let entry: Self = serde_json::from_str(&text)
            .map_err(|error| not_running(format!("`{}` is not what an inspector writes: {error}", path.display())))?;
        if is_running(entry.pid) {
            return Ok(entry);
        }
        Err(not_running(format!(
            "no development server of `{}` runs: `{}` was left by process {}, which has ended",
            root.display(),
            path.display(),
            entry.pid
        )))
    }

    /// What tells this run of a server from any other.
    pub(crate) fn run(&self) -> &str {
        &self.token
    }

    /// Where it listens.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    fn address(&self) -> Result<AdminAddress, Failure> {
        let address = AdminAddress::parse(&self.origin)?;
        if address.is_local() && !address.is_secure() {
            return Ok(address);
        }
        Err(Failure::usage(
            codes::INSPECTOR_NOT_RUNNING,
            format!("`{address}` is not where an inspector listens: it is on this machine only"),
        ))
    }
}

#[cfg(unix)]
fn is_running(process: u32) -> bool {
    let id = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    // A process of somebody else is there as well; it is not ours, and cannot have written the file.
    id.is_some_and(|id| rustix::process::test_kill_process(id).is_ok())
}

#[cfg(not(unix))]
fn is_running(_process: u32) -> bool {
    true
}

/// A connection to the inspector that runs.
pub(crate) struct InspectorApi {
    entry: InspectorEntry,
    client: AdminClient,
}

impl InspectorApi {
    /// Finds the project, and the inspector of its development server.
    pub(crate) async fn reach(options: &CommandOptions, project: &ProjectArguments) -> Result<Self, Failure> {
        Self::reach_in(&root_of(options, project)?).await
    }

    /// Finds the inspector of the development server of the project in `root`.
    pub(crate) async fn reach_in(root: &Path) -> Result<Self, Failure> {
        let entry = InspectorEntry::read(root)?;
        let mut client = AdminClient::inspector(entry.address()?, &entry.token)?;
        // Asked once: who was there a moment ago and is not now will not be there in ten seconds either.
        match client.get_once("status").await {
            Ok(_) => Ok(Self { entry, client }),
            Err(ClientError::Network(why)) => Err(Failure::usage(
                codes::INSPECTOR_NOT_RUNNING,
                format!(
                    "nobody answers at `{}`, where process {} had an inspector: {why}",
                    entry.origin, entry.pid
                ),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// Which run of a server this is.
    pub(crate) fn entry(&self) -> &InspectorEntry {
        &self.entry
    }

    /// Reads `/api/<name>`.
    pub(crate) async fn get(&mut self, name: &str, query: &[(&str, &str)]) -> Result<Json, Failure> {
        Ok(if query.is_empty() {
            self.client.get(name).await?
        } else {
            self.client.get_with(name, query).await?
        })
    }

    /// Reads `/api/<name>`, whatever it is.
    pub(crate) async fn get_bytes(&mut self, name: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.client.get_bytes(name).await?.to_vec())
    }

    /// Posts to `/api/<name>` what may arrive twice.
    pub(crate) async fn post(&mut self, name: &str, body: &Json) -> Result<Json, Failure> {
        Ok(self.client.post(name, body).await?)
    }

    /// Posts to `/api/<name>` what may not.
    pub(crate) async fn post_once(&mut self, name: &str, body: &Json) -> Result<Json, Failure> {
        Ok(self.client.post_once(name, body).await?)
    }

    /// Opens the feed; `wanted` is what it is told first.
    pub(crate) async fn feed(&self, wanted: &Json) -> Result<InspectorFeed, Failure> {
        Ok(InspectorFeed::connect(self.client.address(), &self.entry.token, wanted).await?)
    }
}

/// The project's root.
pub(crate) fn root_of(options: &CommandOptions, project: &ProjectArguments) -> Result<PathBuf, Failure> {
    let start = project.root.as_ref().unwrap_or(&options.working_directory);
    let found = lunora_engine::discover(start, project.lunora_dir.as_deref()).map_err(Failure::from)?;
    Ok(found.root.as_std_path().to_path_buf())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lunora_testing::TempProject;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<InspectorEntry, Failure> {
        let project = TempProject::new([(".lunora/inspector.json", text)]);
        InspectorEntry::read(&project.path("."))
    }

    fn entry(origin: &str, pid: u32) -> String {
        json!({ "origin": origin, "token": "t", "pid": pid }).to_string()
    }

    #[test]
    fn one_that_runs_is_found() {
        let found = read(&entry("http://127.0.0.1:4000", std::process::id()));
        assert_eq!(found.map(|entry| entry.pid).ok(), Some(std::process::id()));
    }

    #[test]
    fn what_a_process_left_behind_is_none() {
        // A process that has ended and was waited for.
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = child.id();
        child.wait().unwrap();
        let failure = read(&entry("http://127.0.0.1:4000", gone)).unwrap_err();
        assert!(failure.is_code("INSPECTOR_NOT_RUNNING"));
        assert!(failure.text(false).contains(&format!("was left by process {gone}")));
    }

    #[test]
    fn no_file_and_a_broken_one_are_told() {
        let project = TempProject::new([("package.json", "{}")]);
        let failure = InspectorEntry::read(&project.path(".")).unwrap_err();
        assert!(failure.is_code("INSPECTOR_NOT_RUNNING"));
        for text in ["", "{}", "[]", r#"{"origin":"http://a","token":"t","pid":-1}"#] {
            let failure = read(text).unwrap_err();
            assert!(
                failure.text(false).contains("is not what an inspector writes"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_token_stays_on_this_machine() {
        for origin in [
            "https://127.0.0.1:4000",
            "https://app.example.com",
            "http://10.0.0.1:4000",
        ] {
            let found: InspectorEntry = serde_json::from_str(&entry(origin, 1)).unwrap();
            assert!(found.address().is_err(), "{origin}");
        }
    }
}
