//! Telling the host what is wrong, and refusing to serve it.

use lunora_diagnostics::{Diagnostic, RenderOptions, Severity};

use crate::actor::Actor;
use crate::event::EngineEvent;
use crate::settings::with_configuration;

impl Actor {
    /// The newest sources cannot be served; what served before goes on.
    pub(crate) fn refuse(&mut self, errors: Vec<Diagnostic>) {
        self.failing = true;
        // Behind a worker that has served, requests wait for it to be back; they are refused only while there is none.
        if let (false, Some(worker), Some(first)) = (self.served, &self.worker, errors.first()) {
            worker.refuse(Some(first.clone()));
            if let Some(inspecting) = &self.inspecting {
                inspecting.inspector.failed();
            }
        }
        self.tell_findings(&errors);
        self.last_findings = errors;
    }

    pub(crate) fn tell_findings(&self, findings: &[Diagnostic]) {
        if findings.is_empty() {
            return;
        }
        let sources = self
            .pipeline
            .as_ref()
            .map(|pipeline| pipeline.sources().named_by(findings))
            .unwrap_or_default();
        let sources = with_configuration(sources, &self.root, findings);
        let as_json: Vec<serde_json::Value> = findings
            .iter()
            .map(|finding| lunora_diagnostics::to_json(finding, &sources))
            .collect();
        if let Some(inspecting) = &self.inspecting {
            inspecting.inspector.set_findings(as_json.clone());
        }
        let render = RenderOptions {
            color: self.options.color,
            ..RenderOptions::default()
        };
        self.host.tell(EngineEvent::Diagnostics {
            diagnostics: as_json,
            rendered: findings
                .iter()
                .map(|finding| lunora_diagnostics::render_text(finding, &sources, &render))
                .collect::<Vec<_>>()
                .join("\n"),
            serving: findings.iter().any(|finding| finding.severity == Severity::Error) && self.served,
        });
    }
}
