//! Passing on what the worker says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lunora_diagnostics::RenderOptions;
use lunora_workerd::{LogLevel, WorkerdEvent};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::event::EngineEvent;
use crate::host::Host;
use crate::inspecting::Inspecting;

/// Passes on what the worker says.
pub(crate) async fn relay(
    mut events: broadcast::Receiver<WorkerdEvent>,
    host: Arc<Host>,
    inspecting: Option<Arc<Inspecting>>,
    root: PathBuf,
    color: bool,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => event,
        };
        if let (Some(inspecting), Ok(event)) = (&inspecting, &event) {
            inspecting.take(event);
        }
        match event {
            Ok(WorkerdEvent::Log(log)) => {
                let level = match log.level {
                    LogLevel::Debug => "debug",
                    LogLevel::Info | LogLevel::Log => "info",
                    LogLevel::Warn => "warn",
                    LogLevel::Error => "error",
                };
                host.tell(EngineEvent::Log {
                    level,
                    rendered: crate::log_line::render(level, &log.message, color),
                    message: log.message,
                });
            }
            Ok(WorkerdEvent::Region { jurisdiction, storage }) => host.tell(EngineEvent::Notice {
                message: region_text(jurisdiction.as_deref(), &storage, &root),
            }),
            Ok(WorkerdEvent::Exited { status, restart_in, .. }) => host.tell(EngineEvent::Notice {
                message: format!(
                    "workerd ended ({status}); it is started again in {} ms",
                    restart_in.as_millis()
                ),
            }),
            Ok(WorkerdEvent::Diagnostic(diagnostic)) => {
                let none = lunora_diagnostics::SourceFiles::default();
                let render = RenderOptions {
                    color,
                    ..RenderOptions::default()
                };
                host.tell(EngineEvent::Diagnostics {
                    diagnostics: vec![lunora_diagnostics::to_json(&diagnostic, &none)],
                    rendered: lunora_diagnostics::render_text(&diagnostic, &none, &render),
                    serving: true,
                });
            }
            Ok(WorkerdEvent::Started { .. }) => {}
            Err(broadcast::error::RecvError::Lagged(count)) => host.tell(EngineEvent::Notice {
                message: format!("{count} log lines of the worker were dropped because they came too fast"),
            }),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Where the app's objects are, with paths as short as they can be.
fn region_text(jurisdiction: Option<&str>, storage: &Path, root: &Path) -> String {
    let folder = storage.strip_prefix(root).unwrap_or(storage).display();
    match jurisdiction {
        Some(name) => format!(
            "the jurisdiction `{name}` is emulated on this machine; every byte of the app's objects is in {folder}"
        ),
        None => format!("no jurisdiction is declared any more; the bytes of the app's objects are in {folder}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_told_with_its_folder() {
        let (storage, root) = (Path::new("/app/.lunora/state/eu/do"), Path::new("/app"));
        let text = region_text(Some("eu"), storage, root);
        assert!(
            text.contains("`eu` is emulated") && text.ends_with(" .lunora/state/eu/do"),
            "{text}"
        );
        assert!(region_text(None, storage, Path::new("/other")).ends_with(" /app/.lunora/state/eu/do"));
    }
}
