//! The listening sockets: one port of both loopback addresses.

use std::convert::Infallible;
use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lunora_diagnostics::{Diagnostic, codes};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::server::Server;

/// A client that sends no complete head within this time is cut off.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of a head.
const HEAD_BYTES: usize = 16 * 1024;
/// Connections at a time, so that a page cannot take all of the process's files.
const MOST_CONNECTIONS: usize = 256;
/// How often a port is chosen anew because the other address has it in use.
const ATTEMPTS: usize = 32;

/// Listens on both addresses.
pub(crate) async fn bind(port: u16) -> Result<(u16, Vec<TcpListener>), Diagnostic> {
    let failed = |error: &Error| match error.kind() {
        ErrorKind::AddrInUse => Diagnostic::error(
            codes::PORT_TAKEN,
            format!("The port `{port}` of the inspector is used by another process."),
        )
        .with_help("Stop it, choose another port as `inspector: { port }`, or leave the choice to the system."),
        _ => Diagnostic::error(
            codes::PORT_UNUSABLE,
            format!("The inspector cannot listen on port `{port}`: {error}."),
        )
        .with_help("Choose a port above 1023, or turn the inspector off with `inspector: false`."),
    };
    for attempt in 1..=ATTEMPTS {
        let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| failed(&error))?;
        let chosen = four.local_addr().map_err(|error| failed(&error))?.port();
        match TcpListener::bind((Ipv6Addr::LOCALHOST, chosen)).await {
            Ok(six) => return Ok((chosen, vec![four, six])),
            // Somebody else would answer there in our name.
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                if port != 0 || attempt == ATTEMPTS {
                    return Err(failed(&error));
                }
            }
            // A machine without IPv6.
            Err(_) => return Ok((chosen, vec![four])),
        }
    }
    Err(failed(&ErrorKind::AddrInUse.into()))
}

/// Accepts connections until `stop`, which ends those that are open.
pub(crate) async fn accept(
    listener: TcpListener,
    server: Arc<Server>,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                // Small frames go out at once; an error means that the peer has gone already.
                drop(stream.set_nodelay(true));
                let serving = serve(TokioIo::new(stream), server.clone());
                let stop = stop.clone();
                connections.spawn(async move {
                    let _place = place;
                    tokio::select! {
                        () = serving => {}
                        () = stop.cancelled() => {}
                    }
                });
            }
            // Out of file descriptors, most likely: give the connections time to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: TokioIo<tokio::net::TcpStream>, server: Arc<Server>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let server = server.clone();
        async move { Ok::<Response<Body>, Infallible>(server.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(stream, service)
        .with_upgrades();
    // Its errors are the client's: it sent something else than HTTP, or went away.
    drop(connection.await);
}
