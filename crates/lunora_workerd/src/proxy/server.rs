//! The listening socket of the way in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lunora_diagnostics::{Diagnostic, codes};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::proxy::forward::Proxy;

/// A client that sends no complete head within this time is cut off.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// How many ports after the first are tried.
const MOST_PORTS: u16 = 50;

/// Which port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortChoice {
    /// This one or none.
    Exact(u16),
    /// This one, or the next that is free.
    StartingAt(u16),
    /// Any free one.
    Any,
}

/// Binds.
pub(crate) async fn bind(address: IpAddr, choice: PortChoice) -> Result<TcpListener, Diagnostic> {
    let (first, last) = match choice {
        PortChoice::Exact(port) => (port, port),
        PortChoice::StartingAt(port) => (port, port.saturating_add(MOST_PORTS)),
        PortChoice::Any => (0, 0),
    };
    for port in first..=last {
        match TcpListener::bind((address, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => {
                return Err(Diagnostic::error(
                    codes::PORT_UNUSABLE,
                    format!("The address `{address}` cannot be listened on: it is not one of this machine."),
                )
                .with_help("State one of the machine's own addresses, `0.0.0.0` for all of them."));
            }
            Err(error) => {
                return Err(Diagnostic::error(
                    codes::PORT_UNUSABLE,
                    format!("The port `{port}` cannot be listened on: {error}."),
                )
                .with_help("Choose a port above 1023."));
            }
        }
    }
    let found = if first == last {
        format!("The port `{first}` is")
    } else {
        format!("The ports `{first}` to `{last}` are")
    };
    Err(
        Diagnostic::error(codes::PORT_TAKEN, format!("{found} used by another process.")).with_help(format!(
            "Stop it (`ss -ltnp 'sport = :{first}'` names it), or choose another port."
        )),
    )
}

/// Accepts connections until `stop`; connections under way then end after their current request, or
/// at once with `abort`.
pub(crate) async fn accept(
    listener: TcpListener,
    proxy: Arc<Proxy>,
    connections: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                // Small writes go out at once; an error means that the peer has gone already.
                drop(stream.set_nodelay(true));
                connections.spawn(connection(stream, Arc::clone(&proxy), stop.clone(), abort.clone()));
            }
            // Out of file descriptors, most likely: give the connections time to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(
    stream: tokio::net::TcpStream,
    proxy: Arc<Proxy>,
    stop: CancellationToken,
    abort: CancellationToken,
) {
    let service = service_fn(move |request| {
        let proxy = Arc::clone(&proxy);
        async move { Ok::<_, std::convert::Infallible>(proxy.serve(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // Its errors are the client's: it sent something else than HTTP, or went away.
        _ = &mut connection => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        () = abort.cancelled() => return,
    }
    tokio::select! {
        _ = &mut connection => {}
        () = abort.cancelled() => {}
    }
}
