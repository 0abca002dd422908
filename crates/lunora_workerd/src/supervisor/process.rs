//! One workerd process, from spawn to end.

use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lunora_diagnostics::{Diagnostic, codes};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::binary::not_runnable;
use crate::config::PUBLIC_SOCKET;
use crate::config_message::ConfigMessage;
use crate::log_context::{Current, LogContext};
use crate::start_failure::start_failure;
use crate::supervisor::lines::drain_lines;
use crate::supervisor::machine::ProcessNumber;
use crate::supervisor::spare::Spare;
use crate::supervisor::spawner::{Launch, Listeners, Spawner};
use crate::supervisor::waiting_process::WaitingProcess;

/// Lines of output kept to explain a failed start.
const KEPT_LINES: usize = 40;
/// How long the output of an ended process is waited for.
const OUTPUT_LIMIT: Duration = Duration::from_millis(300);

/// How a process is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    No,
    Kill,
    /// SIGTERM, and SIGKILL after this time.
    Terminate(Duration),
}

/// What happened to a process.
#[derive(Debug)]
pub(crate) enum ProcessNews {
    Spawned { process_id: u32 },
    Ready,
    StartFailed(Box<Diagnostic>),
    Exited { status: String, ran_for: Duration },
}

/// Everything a process needs.
pub(crate) struct ProcessOptions {
    pub number: ProcessNumber,
    pub launch: Launch,
    /// Started already, in the way that `launch` says.
    pub spare: Option<Spare>,
    pub listeners: Arc<Listeners>,
    pub config: Arc<ConfigMessage>,
    pub service_name: String,
    pub start_limit: Duration,
    pub log: Arc<LogContext>,
    pub current: Current,
}

/// Runs a process to its end, which `stop` brings about. Reports exactly one of `StartFailed` and
/// `Exited` last.
pub(crate) async fn run_process(
    spawner: Arc<Spawner>,
    mut options: ProcessOptions,
    mut stop: watch::Receiver<Stop>,
    news: mpsc::UnboundedSender<(ProcessNumber, ProcessNews)>,
) {
    let number = options.number;
    // Nobody listening means that the supervisor is gone; the child dies with this task.
    let tell = |what: ProcessNews| drop(news.send((number, what)));
    let waiting = match started(&spawner, &mut options).await {
        Ok(waiting) => waiting,
        Err(error) => {
            return tell(ProcessNews::StartFailed(Box::new(not_runnable(
                &options.launch.binary,
                &error,
            ))));
        }
    };
    let mut process = Process::configure(waiting, &options);
    if let Some(process_id) = process.child.id() {
        tell(ProcessNews::Spawned { process_id });
    }
    match process.wait_until_ready(&options, &mut stop).await {
        Ok(()) => {}
        Err(diagnostic) => return tell(ProcessNews::StartFailed(diagnostic)),
    }
    let started = Instant::now();
    tell(ProcessNews::Ready);
    let status = process.wait_for_end(&mut stop).await;
    // An ended process's last words come before the news of its end.
    process.finish_output().await;
    tell(ProcessNews::Exited {
        status: status_text(&status),
        ran_for: started.elapsed(),
    });
}

/// The spare where there is one that lives, else a new process.
async fn started(spawner: &Spawner, options: &mut ProcessOptions) -> io::Result<WaitingProcess> {
    if let Some(spare) = options.spare.take()
        && let Some(waiting) = spare.into_process().await
    {
        return Ok(waiting);
    }
    WaitingProcess::spawn(spawner, options.launch.clone(), Arc::clone(&options.listeners)).await
}

struct Process {
    child: Child,
    control: BufReader<pipe::Receiver>,
    recent: Arc<Mutex<VecDeque<String>>>,
    output: Vec<JoinHandle<()>>,
    config: JoinHandle<()>,
    #[cfg(not(target_os = "linux"))]
    watchdog: Option<crate::supervisor::watchdog::Watchdog>,
}

impl Process {
    /// Gives a process what is left of its configuration; from here on it may use the worker's data.
    fn configure(waiting: WaitingProcess, options: &ProcessOptions) -> Self {
        let WaitingProcess {
            mut child,
            control,
            stdin,
            sent,
            #[cfg(not(target_os = "linux"))]
            watchdog,
        } = waiting;
        // The readers come before the configuration is complete: workerd blocks on a full pipe.
        let recent = Arc::new(Mutex::new(VecDeque::new()));
        let mut output = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            output.push(tokio::spawn(drain(pipe, Arc::clone(&recent), options)));
        }
        if let Some(pipe) = child.stderr.take() {
            output.push(tokio::spawn(drain(pipe, Arc::clone(&recent), options)));
        }
        let rest = options.config.bytes().slice(sent..);
        let config = tokio::spawn(async move {
            if let Some(mut stdin) = stdin {
                // A process that ends while it reads explains itself on its error output.
                drop(stdin.write_all(&rest).await);
                drop(stdin.shutdown().await);
            }
        });
        Self {
            child,
            control,
            recent,
            output,
            config,
            #[cfg(not(target_os = "linux"))]
            watchdog,
        }
    }

    /// Returns when the public socket listens. Otherwise the process has ended.
    async fn wait_until_ready(
        &mut self,
        options: &ProcessOptions,
        stop: &mut watch::Receiver<Stop>,
    ) -> Result<(), Box<Diagnostic>> {
        let deadline = Instant::now() + options.start_limit;
        let listening = tokio::select! {
            listening = timeout_at(deadline, listens(&mut self.control)) => listening,
            // Told to end while starting: nobody asks any more why it did not start.
            _ = stop.wait_for(|stop| *stop != Stop::No) => Ok(false),
        };
        match listening {
            Ok(true) => Ok(()),
            Ok(false) => {
                // The control pipe ends with the process, or an instant before.
                let status = match timeout(OUTPUT_LIMIT, self.child.wait()).await {
                    Ok(status) if *stop.borrow() == Stop::No => status,
                    _ => self.kill().await,
                };
                self.finish_output().await;
                let lines: Vec<String> = self
                    .recent
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .iter()
                    .cloned()
                    .collect();
                Err(Box::new(start_failure(
                    &lines,
                    &status_text(&status),
                    &options.service_name,
                    options.current.remapper.as_deref(),
                )))
            }
            Err(_) => {
                drop(self.kill().await);
                self.finish_output().await;
                Err(Box::new(
                    Diagnostic::error(
                        codes::WORKER_START_TIMEOUT,
                        format!(
                            "workerd was not ready after {} s, so it was stopped.",
                            options.start_limit.as_secs_f64()
                        ),
                    )
                    .with_help("Look for code at the top level of a module that does not end."),
                ))
            }
        }
    }

    /// Waits for the end, and brings it about when told to.
    async fn wait_for_end(&mut self, stop: &mut watch::Receiver<Stop>) -> io::Result<ExitStatus> {
        let how = tokio::select! {
            status = self.child.wait() => return status,
            how = stop.wait_for(|stop| *stop != Stop::No) => how.map_or(Stop::Kill, |how| *how),
        };
        if let Stop::Terminate(grace) = how
            && let Some(pid) = self.process_id()
            && rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok()
            && let Ok(status) = timeout(grace, self.child.wait()).await
        {
            return status;
        }
        self.kill().await
    }

    fn process_id(&self) -> Option<rustix::process::Pid> {
        let id = i32::try_from(self.child.id()?).ok()?;
        rustix::process::Pid::from_raw(id)
    }

    async fn kill(&mut self) -> io::Result<ExitStatus> {
        // Fails only when the process has ended already, which the wait reports.
        drop(self.child.start_kill());
        self.child.wait().await
    }

    async fn finish_output(&mut self) {
        self.config.abort();
        #[cfg(not(target_os = "linux"))]
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss().await;
        }
        for task in self.output.drain(..) {
            let mut task = task;
            if timeout(OUTPUT_LIMIT, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

fn drain(
    pipe: impl tokio::io::AsyncRead + Unpin + Send + 'static,
    recent: Arc<Mutex<VecDeque<String>>>,
    options: &ProcessOptions,
) -> impl Future<Output = ()> + Send + 'static {
    let log = Arc::clone(&options.log);
    let current = options.current.clone();
    async move {
        drain_lines(pipe, |line| {
            log.line(line, &current);
            let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
            if recent.len() == KEPT_LINES {
                recent.pop_front();
            }
            recent.push_back(line.to_owned());
        })
        .await;
    }
}

/// Reads readiness messages until the public socket listens; `false` when the pipe ends first.
async fn listens(control: &mut BufReader<pipe::Receiver>) -> bool {
    #[derive(serde::Deserialize)]
    struct Message {
        event: String,
        socket: Option<String>,
    }
    let mut line = String::new();
    loop {
        line.clear();
        match control.read_line(&mut line).await {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
        if let Ok(message) = serde_json::from_str::<Message>(&line)
            && message.event == "listen"
            && message.socket.as_deref() == Some(PUBLIC_SOCKET)
        {
            return true;
        }
    }
}

fn status_text(status: &io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("its end could not be observed: {error}"),
    }
}
