//! Throughput: each writer keeps its operations under way and sends what became free.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::connection::Connection;
use crate::operation::Operations;
use crate::report::Samples;
use crate::scenario::{Scenario, Write};

pub async fn run(scenario: &Scenario, write: &Write) -> Result<String, Failure> {
    let mut connections = Vec::new();
    for number in 0..write.writers {
        connections.push(Connection::open(scenario, number).await?);
    }
    let choice = Operations::choice(&write.operation);
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(write.seconds);
    let barrier = Rc::new(tokio::sync::Barrier::new(write.writers));
    let mut tasks = Vec::new();
    for (number, connection) in connections.into_iter().enumerate() {
        let operations = Operations::new(&write.operation, choice.as_ref(), &scenario.run, number, write.seed);
        let in_flight = write.in_flight;
        let barrier = Rc::clone(&barrier);
        tasks.push(tokio::task::spawn_local(async move {
            barrier.wait().await;
            drive(connection, operations, in_flight, end)
                .await
                .map_err(|error| error.to_string())
        }));
    }
    let mut samples = Samples::default();
    for task in tasks {
        samples.join(task.await??);
    }
    let seconds = start.elapsed().as_secs_f64().max(write.seconds);
    Ok(samples.throughput(seconds))
}

/// Counts what is acknowledged until the end, and the time of each round.
async fn drive(
    mut connection: Connection,
    mut operations: Operations,
    in_flight: usize,
    end: Instant,
) -> Result<Samples, Failure> {
    let mut samples = Samples::default();
    let mut free = in_flight;
    let mut sent = Instant::now();
    loop {
        let next = (0..free).map(|_| operations.next()).collect();
        let messages = connection.dialect.write(next);
        connection.send_all(messages).await?;
        free = 0;
        while free == 0 {
            let text = connection.receive().await?;
            samples.bytes(text.len());
            free = connection.dialect.acknowledged(&text)?;
        }
        let now = Instant::now();
        samples.operations(free);
        samples.time(now - sent);
        sent = now;
        if now >= end {
            return Ok(samples);
        }
    }
}
