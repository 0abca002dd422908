//! Kept-alive connections to workerd's unix socket.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::proxy::body::ProxyBody;
use crate::proxy::gate::Epoch;

/// More idle connections than this are closed.
const MOST_IDLE: usize = 64;

pub(crate) type Sender = SendRequest<ProxyBody>;

/// Connections of the newest epoch.
#[derive(Debug)]
pub(crate) struct Pool {
    socket: PathBuf,
    idle: Mutex<(Epoch, Vec<Sender>)>,
}

impl Pool {
    pub(crate) fn new(socket: &Path) -> Arc<Self> {
        Arc::new(Self {
            socket: socket.to_path_buf(),
            idle: Mutex::default(),
        })
    }

    /// An idle connection to the process of `epoch`, or a new one. The listening socket outlives
    /// processes, so connecting succeeds even between two of them.
    pub(crate) async fn connection(&self, epoch: Epoch) -> Result<Sender, std::io::Error> {
        while let Some(sender) = self.take_idle(epoch) {
            if sender.is_ready() {
                return Ok(sender);
            }
        }
        self.connect().await
    }

    /// A new connection to whichever process listens.
    pub(crate) async fn connect(&self) -> Result<Sender, std::io::Error> {
        let stream = UnixStream::connect(&self.socket).await?;
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(std::io::Error::other)?;
        // Ends with the connection; its errors reach whoever waits for an answer on it.
        tokio::spawn(async move { drop(connection.with_upgrades().await) });
        Ok(sender)
    }

    fn take_idle(&self, epoch: Epoch) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.0 == epoch { idle.1.pop() } else { None }
    }

    /// Keeps `sender` for another request once the answer under way has been read.
    pub(crate) fn give_back(self: &Arc<Self>, mut sender: Sender, epoch: Epoch) {
        if sender.is_ready() {
            return self.keep(sender, epoch);
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            if sender.ready().await.is_ok() {
                pool.keep(sender, epoch);
            }
        });
    }

    fn keep(&self, sender: Sender, epoch: Epoch) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.0 < epoch {
            *idle = (epoch, Vec::new());
        }
        if idle.0 == epoch && idle.1.len() < MOST_IDLE {
            idle.1.push(sender);
        }
    }
}
