//! A production server as a JavaScript class.

use std::sync::Arc;
use std::time::Duration;

use lunora_diagnostics::SourceFiles;
use lunora_engine::ServeOptions;
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::answer::{Answer, Failure, decode, defect, guarded};
use crate::event_callback::{EventCallback, sink};
use crate::fault;

/// A production server; see `npm/native/index.d.ts` for what it tells and takes.
#[napi]
pub struct Server {
    options: String,
    callback: Arc<EventCallback>,
    running: Arc<Mutex<Option<lunora_engine::Server>>>,
}

#[napi]
impl Server {
    /// Takes the options as JSON text and the event callback; nothing runs yet.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: String, on_event: EventCallback) -> Self {
        fault::point("Server");
        Self {
            options,
            callback: Arc::new(on_event),
            running: Arc::default(),
        }
    }

    /// Serves; resolves when the worker answers.
    #[napi]
    pub async fn start(&self) -> Answer {
        let callback = self.callback.clone();
        let options = self.options.clone();
        let running = self.running.clone();
        guarded(async move {
            fault::point("Server.start");
            let options: ServeOptions = decode(&options)?;
            let color = options.color;
            let mut running = running.lock().await;
            if running.is_some() {
                return Err(defect("the server was started twice").into());
            }
            let sink = sink(callback);
            let server = lunora_engine::Server::start(options, sink)
                .await
                .map_err(|errors| Failure::new(errors, SourceFiles::default(), color))?;
            *running = Some(server);
            Ok(())
        })
        .await
    }

    /// Lets requests under way end, for as many milliseconds at most, and ends workerd; again is harmless. Answers
    /// whether all of them ended.
    #[napi]
    pub async fn close(&self, limit: u32) -> Answer {
        let running = self.running.clone();
        guarded(async move {
            fault::point("Server.close");
            let server = running.lock().await.take();
            Ok(match server {
                Some(server) => server.close(Duration::from_millis(limit.into())).await,
                None => true,
            })
        })
        .await
    }
}
