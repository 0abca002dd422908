//! Bringing what was built to the worker, with its npm packages or as one bundle.

use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_workerd::{ReloadOutcome, WorkerDescription, WorkerdHandle};

use crate::actor::Actor;
use crate::dependencies::{BundledDependencies, DependencyModule};
use crate::event::{DependencyEntry, EngineEvent};
use crate::module_name::dependency_file;
use crate::pipeline::{Built, Pipeline};
use crate::remap::SourceMaps;
use crate::settings::development_settings;
use crate::worker::{self, WorkerSettings};

impl Actor {
    pub(crate) async fn serve(&mut self, worker: &WorkerdHandle, built: &Built) -> Result<(), Vec<Diagnostic>> {
        let project = self.pipeline.as_ref().map(Pipeline::project);
        let (mut settings, warnings) = match project {
            Some(project) => development_settings(project)?,
            None => (WorkerSettings::default(), Vec::new()),
        };
        if !warnings.is_empty() && !self.last_findings.iter().any(|known| warnings.contains(known)) {
            self.tell_findings(&warnings);
        }
        if let Some(inspecting) = &self.inspecting {
            inspecting.admit(&mut settings)?;
        }
        let mut description = if self.options.bundle || built.graph.needs_bundle.is_some() {
            self.bundled(built, &settings).await.map_err(|error| vec![error])?
        } else {
            let dependencies = self
                .dependencies(&built.graph.packages)
                .await
                .map_err(|error| vec![error])?;
            worker::from_modules(&built.graph, &dependencies, &built.application, &settings).ok_or_else(|| {
                vec![
                    Diagnostic::error(codes::INTERNAL, "the worker has no entry module")
                        .with_help("This is a defect of Lunora."),
                ]
            })?
        };
        description.d1 = self.databases.serve(&built.application, &settings).await?;
        if let Some(inspecting) = &self.inspecting {
            inspecting.observe(&mut description, &settings);
        }
        worker.refuse(None);
        match worker
            .update(description)
            .await
            .map_err(|error| vec![self.placed(error)])?
        {
            ReloadOutcome::Serving { generation, duration } => {
                self.served = true;
                self.host.tell(EngineEvent::Ready {
                    url: worker.url().to_owned(),
                    milliseconds: duration.as_secs_f64() * 1000.0,
                    generation,
                });
            }
            ReloadOutcome::Unchanged { .. } | ReloadOutcome::Superseded { .. } => {}
        }
        Ok(())
    }

    /// Puts a failed start at the place in the sources that its stack names.
    fn placed(&self, error: Diagnostic) -> Diagnostic {
        let place = lunora_workerd::first_location(&error).and_then(|(file, line, column)| {
            let span = self.pipeline.as_ref()?.sources().span_at(&file, line, column)?;
            Some((file, span))
        });
        match place {
            Some((file, span)) => error.at(file, span),
            None => error,
        }
    }

    /// The bundled npm packages: from memory, from the cache, or from the host.
    async fn dependencies(&mut self, specifiers: &[String]) -> Result<Arc<[DependencyModule]>, Diagnostic> {
        if specifiers.is_empty() {
            return Ok(Arc::from([]));
        }
        if let Some((known, modules)) = &self.dependencies
            && known == specifiers
            && self.cache.is_fresh(specifiers)
        {
            return Ok(modules.clone());
        }
        let modules: Arc<[DependencyModule]> = match self.cache.load(specifiers) {
            Some(modules) => modules.into(),
            None => self.bundle_dependencies(specifiers).await?.into(),
        };
        self.dependencies = Some((specifiers.to_vec(), modules.clone()));
        Ok(modules)
    }

    async fn bundle_dependencies(&self, specifiers: &[String]) -> Result<Vec<DependencyModule>, Diagnostic> {
        let staged = self.cache.stage(specifiers)?;
        let failed = |error: String| {
            Diagnostic::error(
                codes::DEPENDENCY_BUNDLE_FAILED,
                format!("the npm packages of the worker could not be bundled: {error}"),
            )
            .with_help("Check that they are installed (npm install) and made for workers or browsers.")
        };
        let answer = self
            .host
            .ask(|request| EngineEvent::Dependencies {
                request,
                entries: specifiers
                    .iter()
                    .map(|specifier| DependencyEntry {
                        specifier: specifier.clone(),
                        file: dependency_file(specifier),
                    })
                    .collect(),
                output_directory: staged.clone(),
                root: self.root.clone(),
            })
            .await
            .map_err(failed)?;
        let bundled: BundledDependencies = serde_json::from_value(answer).map_err(|error| failed(error.to_string()))?;
        self.cache.store(specifiers, &staged, &bundled)
    }

    async fn bundled(&mut self, built: &Built, settings: &WorkerSettings) -> Result<WorkerDescription, Diagnostic> {
        let reason = built.graph.needs_bundle.clone();
        if let (Some(reason), false) = (&reason, self.fallback_told) {
            self.fallback_told = true;
            self.host.tell(EngineEvent::Notice {
                message: format!("{reason}; the worker is bundled from now on, which makes reloads slower"),
            });
        }
        let folder = self.root.join(".lunora").join("cache").join("bundle");
        let file = folder.join("worker.js");
        let failed = |error: String| {
            Diagnostic::error(
                codes::WORKER_BUNDLE_FAILED,
                format!("the worker could not be bundled: {error}"),
            )
            .with_help("Fix what the bundler names, or remove the import that needs it.")
        };
        let entry = self
            .pipeline
            .as_ref()
            .map(|pipeline| pipeline.project().generated_dir().join("worker.ts").into_std_path_buf())
            .unwrap_or_default();
        self.host
            .ask(|request| EngineEvent::Bundle {
                request,
                entry,
                output_file: file.clone(),
                root: self.root.clone(),
                reason,
            })
            .await
            .map_err(failed)?;
        let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        let map = std::fs::read_to_string(file.with_extension("js.map")).ok();
        let name = ".lunora/cache/bundle/worker.js";
        let remapper = SourceMaps::of_bundle(name, map.as_deref());
        Ok(worker::from_bundle(
            name,
            text.into(),
            remapper,
            &built.application,
            settings,
        ))
    }
}
