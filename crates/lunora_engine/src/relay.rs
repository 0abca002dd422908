//! Passing on what the worker says.

use std::sync::Arc;

use lunora_diagnostics::RenderOptions;
use lunora_workerd::{LogLevel, WorkerdEvent};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::event::EngineEvent;
use crate::host::Host;

/// Passes on what the worker says.
pub(crate) async fn relay(
    mut events: broadcast::Receiver<WorkerdEvent>,
    host: Arc<Host>,
    color: bool,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => event,
        };
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
