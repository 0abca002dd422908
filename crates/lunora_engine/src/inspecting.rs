//! The inspector of the project that the engine runs: it lives as long as the engine, through every reload of the worker.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use lunora_config::{Project, read_wrangler};
use lunora_diagnostics::{Diagnostic, codes};
use lunora_inspector::mail::InboxOptions;
use lunora_inspector::timeline::Limits;
use lunora_inspector::token::Token;
use lunora_inspector::{Inspector, InspectorOptions, WorkerLine, tap};
use lunora_workerd::{LogLevel, LogSource, Mail, Tap, WorkerDescription, WorkerdEvent, WorkerdHandle};
use serde_json::Value;

use crate::event::EngineEvent;
use crate::host::{EventSink, Host};
use crate::mail_delivery::delivery;
use crate::model::{Texts, model};
use crate::pipeline::{Built, Pipeline};
use crate::release::BASELINE_FILE;
use crate::residency::{ResidencyOptions, residency};
use crate::worker::WorkerSettings;

/// The secret of the admin routes, which the inspector asks.
const ADMIN_TOKEN: &str = "LUNORA_ADMIN_TOKEN";
/// Says that mail is captured instead of sent.
const MAIL_CAPTURE: &str = "LUNORA_MAIL_CAPTURE";

/// See the module.
pub(crate) struct Inspecting {
    pub(crate) inspector: Inspector,
    /// Of the admin routes, where the app's own configuration states none.
    admin_token: String,
    tap: Arc<str>,
    /// Counts builds.
    described: AtomicU64,
    /// Whether the worker that serves has a service that raises events.
    has_events: Arc<AtomicBool>,
}

impl Inspecting {
    pub(crate) async fn start(
        project: &Project,
        lunora_directory: Option<String>,
        port: u16,
        worker: &WorkerdHandle,
        sink: EventSink,
    ) -> Result<Self, Diagnostic> {
        let root = project.root.as_std_path().to_path_buf();
        let admin_token = Token::random()?.expose().to_owned();
        let has_events = Arc::new(AtomicBool::new(false));
        let inspector = Inspector::start(InspectorOptions {
            root: root.clone(),
            port,
            limits: Limits::default(),
            app: project.worker_name(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            worker: Some((worker.url().to_owned(), admin_token.clone())),
            mail: Some((
                InboxOptions::new(root.join(".lunora").join("state")),
                delivery(worker.events().clone(), has_events.clone()),
            )),
            residency: Arc::new(move || residency_of(root.clone(), lunora_directory.clone())),
            chaos_changed: Arc::new(move |seed| sink(EngineEvent::Chaos { seed })),
            clock: Arc::new(SystemTime::now),
        })
        .await?;
        Ok(Self {
            inspector,
            admin_token,
            tap: tap::TAP.into(),
            described: AtomicU64::new(0),
            has_events,
        })
    }

    /// Tells the host where it is, and what is wrong with what an earlier run left.
    pub(crate) fn announce(&self, host: &Host) {
        host.tell(EngineEvent::Inspector {
            url: self.inspector.url().to_owned(),
            origin: self.inspector.origin().to_owned(),
        });
        for warning in self.inspector.warnings() {
            host.tell(EngineEvent::Notice {
                message: warning.message.clone(),
            });
        }
    }

    /// Shows what a build has read. The worker that is about to start does not wait for it.
    pub(crate) fn describe(self: &Arc<Self>, built: &Built, pipeline: &Pipeline) {
        let number = self.described.fetch_add(1, Ordering::SeqCst) + 1;
        let (inspecting, project) = (self.clone(), pipeline.project().clone());
        let application = built.application.clone();
        let functions = application.functions.iter();
        let files: BTreeSet<&str> = functions.map(|function| function.file.as_str()).collect();
        let text = |file: &str| Some((file.to_owned(), pipeline.sources().get(file)?.text.clone()));
        let texts: Texts = files.into_iter().filter_map(text).collect();
        drop(tokio::task::spawn_blocking(move || {
            let baseline = std::fs::read_to_string(project.lunora_dir.join(BASELINE_FILE)).ok();
            // A configuration that cannot be read is a finding of the run of the worker that comes next.
            let wrangler = read_wrangler(&project.root);
            let regions = wrangler.map(|wrangler| wrangler.regions).unwrap_or_default();
            let application = model(&application, &texts, baseline.as_deref(), &regions);
            // A newer build may have overtaken this one.
            if inspecting.described.load(Ordering::SeqCst) == number {
                inspecting.inspector.set_application(application);
            }
        }));
        let sources = pipeline.sources().named_by(&built.diagnostics);
        let findings = built
            .diagnostics
            .iter()
            .map(|finding| lunora_diagnostics::to_json(finding, &sources));
        self.inspector.set_findings(findings.collect());
    }

    /// Sees to it that the worker has an admin token, the app's own where it states one, and that mail is captured.
    pub(crate) fn admit(&self, settings: &mut WorkerSettings) -> Result<(), Vec<Diagnostic>> {
        let stated = settings.secrets.get(ADMIN_TOKEN).map(String::as_str);
        let stated = stated.or_else(|| settings.variables.get(ADMIN_TOKEN).and_then(Value::as_str));
        let token = stated
            .filter(|token| !token.is_empty())
            .unwrap_or(&self.admin_token)
            .to_owned();
        self.inspector.set_admin_token(&token).map_err(|error| vec![error])?;
        settings.secrets.insert(ADMIN_TOKEN.to_owned(), token);
        let is_said = settings.secrets.contains_key(MAIL_CAPTURE) || settings.variables.contains_key(MAIL_CAPTURE);
        if !is_said {
            settings.variables.insert(MAIL_CAPTURE.to_owned(), "1".into());
        }
        Ok(())
    }

    /// Puts the tap into the worker, and the inbox behind its mail.
    pub(crate) fn observe(&self, description: &mut WorkerDescription, settings: &WorkerSettings) {
        let socket = self.inspector.tap_socket();
        description.tap = Some(Tap {
            source: self.tap.clone(),
            socket: socket.clone(),
        });
        description.mail = Some(Mail {
            socket: socket.clone(),
            bindings: settings.email_bindings.clone(),
        });
        self.has_events.store(description.has_events, Ordering::Relaxed);
    }

    /// Hears of the worker.
    pub(crate) fn take(&self, event: &WorkerdEvent) {
        match event {
            WorkerdEvent::Log(log) => self.inspector.printed(WorkerLine {
                level: match log.level {
                    LogLevel::Debug => "debug",
                    LogLevel::Log => "log",
                    LogLevel::Info => "info",
                    LogLevel::Warn => "warn",
                    LogLevel::Error => "error",
                },
                text: log.message.clone(),
                at: log.timestamp,
                is_console: log.source == LogSource::Console,
            }),
            WorkerdEvent::Started { generation, .. } => self.inspector.serving(*generation),
            WorkerdEvent::Exited { .. } => self.inspector.failed(),
            WorkerdEvent::Region { .. } | WorkerdEvent::Diagnostic(_) => {}
        }
    }
}

/// What is known of where data is, without asking a server.
fn residency_of(root: PathBuf, lunora_directory: Option<String>) -> Result<Value, Diagnostic> {
    let options = ResidencyOptions {
        root,
        lunora_directory,
        state: None,
    };
    let report = residency(&options).map_err(|failure| {
        let first = failure.diagnostics.into_iter().next();
        first.unwrap_or_else(|| Diagnostic::error(codes::INTERNAL, "the sources could not be read"))
    })?;
    serde_json::to_value(report).map_err(|error| Diagnostic::error(codes::INTERNAL, error.to_string()))
}
