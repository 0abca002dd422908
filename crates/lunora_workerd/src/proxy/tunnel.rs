//! An upgraded connection: bytes pass both ways as they are.
//!
//! Bytes and not messages, so that extensions (compression) stay a matter of browser and worker and
//! nothing is parsed twice. The one thing added is a Close frame when the worker goes away, which needs
//! to stand between two frames: what follows the last complete frame is held back until it is complete,
//! unless it grows beyond what is worth holding.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::timeout;

use crate::proxy::frames::{FrameTracker, close_frame};
use crate::proxy::gate::{Gate, GateState};

/// Frames up to this size are passed on whole.
const LONGEST_HELD_FRAME: usize = 64 * 1024;
const READ_SIZE: usize = 16 * 1024;
/// How long the browser may take to answer a Close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// Close codes of RFC 6455 and its registry.
const GOING_AWAY: u16 = 1001;
const SERVICE_RESTART: u16 = 1012;

/// The two ends.
pub(crate) struct Tunnel {
    pub browser: OnUpgrade,
    pub worker: OnUpgrade,
    /// Whether frames can be followed.
    pub websocket: bool,
    pub gate: Arc<Gate>,
}

type Reader = ReadHalf<TokioIo<Upgraded>>;
type Writer = WriteHalf<TokioIo<Upgraded>>;

/// Runs until either end closes or the server does.
pub(crate) async fn run_tunnel(tunnel: Tunnel) {
    let (Ok(browser), Ok(worker)) = tokio::join!(tunnel.browser, tunnel.worker) else {
        return;
    };
    let (mut browser_reader, browser_writer) = tokio::io::split(TokioIo::new(browser));
    let (mut worker_reader, worker_writer) = tokio::io::split(TokioIo::new(worker));
    let mut towards_browser = TowardsBrowser {
        writer: browser_writer,
        tracker: FrameTracker::default(),
        held: BytesMut::new(),
        inside_frame: false,
        writing: false,
        websocket: tunnel.websocket,
    };
    let mut closing = tunnel.gate.watch();
    let (left_by_worker, code) = tokio::select! {
        ended = towards_browser.run(&mut worker_reader) => (ended, SERVICE_RESTART),
        // The browser has gone, or half of it: the worker is told by the end of its stream.
        () = towards_worker(&mut browser_reader, worker_writer) => (Ended::Browser, SERVICE_RESTART),
        _ = closing.wait_for(|state| matches!(state, GateState::Closed)) => (Ended::Worker, GOING_AWAY),
    };
    match left_by_worker {
        Ended::Worker => towards_browser.close(code, &mut browser_reader).await,
        // What the worker still says to a browser that only stopped sending.
        Ended::Browser => drop(timeout(CLOSE_LIMIT, towards_browser.run(&mut worker_reader)).await),
    }
}

#[derive(PartialEq, Eq)]
enum Ended {
    Worker,
    Browser,
}

async fn towards_worker(browser: &mut Reader, mut worker: Writer) {
    let mut buffer = vec![0; READ_SIZE];
    loop {
        match browser.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                if worker.write_all(&buffer[..count]).await.is_err() {
                    // The other direction sees the worker's end as well and closes properly.
                    return std::future::pending().await;
                }
            }
        }
    }
    drop(worker.shutdown().await);
}

struct TowardsBrowser {
    writer: Writer,
    tracker: FrameTracker,
    /// The beginning of a frame whose end has not come.
    held: BytesMut,
    /// Part of an incomplete frame has been passed on already.
    inside_frame: bool,
    /// A write was begun; true where it was abandoned.
    writing: bool,
    websocket: bool,
}

impl TowardsBrowser {
    async fn run(&mut self, worker: &mut Reader) -> Ended {
        loop {
            self.held.reserve(READ_SIZE);
            let before = self.held.len();
            match worker.read_buf(&mut self.held).await {
                Ok(0) | Err(_) => return Ended::Worker,
                Ok(_) => {
                    if self.pass_on(before).await.is_err() {
                        return Ended::Browser;
                    }
                }
            }
        }
    }

    /// Sends what is complete; the first `before` bytes held have been looked at.
    async fn pass_on(&mut self, before: usize) -> io::Result<()> {
        let boundary = match self.tracker.feed(&self.held[before..]) {
            _ if !self.websocket => self.held.len(),
            0 => 0,
            boundary => before + boundary,
        };
        if boundary > 0 {
            self.inside_frame = false;
        }
        let ready = if self.inside_frame || self.held.len() - boundary > LONGEST_HELD_FRAME {
            self.inside_frame = boundary < self.held.len();
            self.held.len()
        } else {
            boundary
        };
        if ready > 0 {
            let bytes = self.held.split_to(ready);
            self.writing = true;
            self.writer.write_all(&bytes).await?;
            self.writer.flush().await?;
            self.writing = false;
        }
        Ok(())
    }

    /// Says why the connection ends, unless the worker has, or a frame was cut in the middle.
    async fn close(mut self, code: u16, browser: &mut Reader) {
        if self.websocket && !self.tracker.close_seen() && !self.inside_frame && !self.writing {
            let reason = if code == GOING_AWAY {
                "server closed"
            } else {
                "worker reloaded"
            };
            if self.writer.write_all(&close_frame(code, reason)).await.is_err() {
                return;
            }
        }
        drop(self.writer.shutdown().await);
        // Reading to the end keeps a reset from overtaking the Close frame.
        let mut sink = vec![0; READ_SIZE];
        drop(
            timeout(CLOSE_LIMIT, async {
                while browser.read(&mut sink).await.is_ok_and(|count| count > 0) {}
            })
            .await,
        );
    }
}
