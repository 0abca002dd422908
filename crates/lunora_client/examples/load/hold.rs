//! Idle sockets, for the memory that each costs.

use std::io::Read as _;

use futures_util::StreamExt as _;

use crate::Failure;
use crate::connection::Connection;
use crate::scenario::{Hold, Scenario};

/// Connections that are opened at once.
const TOGETHER: usize = 50;

#[allow(clippy::print_stdout, reason = "says when the sockets are there")]
pub async fn run(scenario: &Scenario, hold: &Hold) -> Result<String, Failure> {
    let opening = futures_util::stream::iter(0..hold.sockets).map(|number| async move {
        let mut connection = Connection::open(scenario, number).await?;
        connection.subscribe(&scenario.run, hold.watch).await?;
        Ok::<_, Failure>(connection)
    });
    let opened: Vec<_> = opening.buffer_unordered(TOGETHER).collect().await;
    let connections = opened.into_iter().collect::<Result<Vec<_>, _>>()?;
    println!(r#"{{"held":{}}}"#, connections.len());
    // Nothing is read meanwhile: an idle server sends nothing.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(format!(r#"{{"held":{}}}"#, connections.len()))
}
