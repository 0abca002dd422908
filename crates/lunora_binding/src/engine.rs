//! The engine as a JavaScript class.

use std::sync::Arc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_engine::EngineOptions;
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::answer::{Answer, decode, defect, guarded, guarded_now};
use crate::event_callback::{EventCallback, sink};
use crate::fault;

/// A development engine; see `npm/native/index.d.ts` for what it tells and takes.
#[napi]
pub struct Engine {
    options: String,
    callback: Arc<EventCallback>,
    running: Arc<Mutex<Option<Arc<lunora_engine::Engine>>>>,
}

fn not_running() -> Diagnostic {
    Diagnostic::error(codes::ENGINE_CLOSED, "the engine is not running")
        .with_help("Start it first; after `close` make a new one.")
}

#[napi]
impl Engine {
    /// Takes the options as JSON text and the event callback; nothing runs yet. A panic is thrown as it is: there
    /// is no answer to put it into.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: String, on_event: EventCallback) -> Self {
        fault::point("Engine");
        Self {
            options,
            callback: Arc::new(on_event),
            running: Arc::default(),
        }
    }

    /// Opens the project and begins to build.
    #[napi]
    pub async fn start(&self) -> Answer {
        let callback = self.callback.clone();
        let options = self.options.clone();
        let running = self.running.clone();
        guarded(async move {
            fault::point("Engine.start");
            let options: EngineOptions = decode(&options)?;
            let mut running = running.lock().await;
            if running.is_some() {
                return Err(defect("the engine was started twice").into());
            }
            let sink = sink(callback);
            *running = Some(Arc::new(lunora_engine::Engine::start(options, sink).await?));
            Ok(())
        })
        .await
    }

    /// Takes the host's answer to a request.
    #[napi]
    pub fn respond(&self, request: u32, answer: String) -> Answer {
        guarded_now(|| {
            fault::point("Engine.respond");
            let answer = decode(&answer)?;
            let engine = self
                .running
                .try_lock()
                .ok()
                .and_then(|running| running.clone())
                .ok_or_else(not_running)?;
            Ok(engine.respond(request, answer)?)
        })
    }

    /// Reads everything again.
    #[napi]
    pub async fn refresh(&self) -> Answer {
        let running = self.running.clone();
        guarded(async move {
            fault::point("Engine.refresh");
            let engine = running.lock().await.clone().ok_or_else(not_running)?;
            Ok(engine.refresh().await?)
        })
        .await
    }

    /// Plays the seed of this JSON text, or ends chaos for `null`.
    #[napi]
    pub async fn set_chaos(&self, seed: String) -> Answer {
        let running = self.running.clone();
        guarded(async move {
            fault::point("Engine.setChaos");
            let seed: Option<u64> = decode(&seed)?;
            let engine = running.lock().await.clone().ok_or_else(not_running)?;
            Ok(engine.set_chaos(seed)?)
        })
        .await
    }

    /// Ends the watcher and workerd; again is harmless.
    #[napi]
    pub async fn close(&self) -> Answer {
        let running = self.running.clone();
        guarded(async move {
            fault::point("Engine.close");
            let engine = running.lock().await.take();
            if let Some(engine) = engine {
                engine.close().await;
            }
            Ok(())
        })
        .await
    }
}
