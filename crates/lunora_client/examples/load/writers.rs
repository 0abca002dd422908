//! Throughput: each writer keeps its operations under way and sends what became free.

use std::io::BufRead as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::connection::Connection;
use crate::operation::Operations;
use crate::report::Samples;
use crate::scenario::{Scenario, Write, Writers};

/// A writer that is connected.
struct Writer {
    connection: Connection,
    operations: Operations,
}

pub async fn run(scenario: &Scenario, write: &Write) -> Result<String, Failure> {
    let writers = open(scenario, &write.by).await?;
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(write.seconds);
    let (mut samples, _) = drive_all(writers, write.by.in_flight, end).await?;
    let seconds = start.elapsed().as_secs_f64().max(write.seconds);
    Ok(samples.throughput(seconds))
}

/// One line on standard output for each on standard input; the last says how many there were.
#[allow(clippy::print_stdout, reason = "answers while it runs")]
pub async fn run_slices(scenario: &Scenario, by: &Writers) -> Result<String, Failure> {
    let mut writers = open(scenario, by).await?;
    println!(r#"{{"connected":{}}}"#, writers.len());
    let mut slices = 0;
    while let Some(seconds) = next_slice().await? {
        let start = Instant::now();
        let end = start + Duration::from_secs_f64(seconds);
        let (mut samples, connected) = drive_all(writers, by.in_flight, end).await?;
        writers = connected;
        slices += 1;
        println!("{}", samples.throughput(start.elapsed().as_secs_f64()));
    }
    Ok(format!(r#"{{"slices":{slices}}}"#))
}

/// Seconds of the next slice; `None` when standard input has ended.
async fn next_slice() -> Result<Option<f64>, Failure> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    })
    .await??;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(line.trim().parse()?))
}

async fn open(scenario: &Scenario, by: &Writers) -> Result<Vec<Writer>, Failure> {
    let choice = Operations::choice(&by.operation);
    let mut writers = Vec::new();
    for number in 0..by.writers {
        writers.push(Writer {
            connection: Connection::open(scenario, number).await?,
            operations: Operations::new(&by.operation, choice.as_ref(), &scenario.run, number, by.seed),
        });
    }
    Ok(writers)
}

/// All of them at once, until the end; every operation has then been acknowledged.
async fn drive_all(writers: Vec<Writer>, in_flight: usize, end: Instant) -> Result<(Samples, Vec<Writer>), Failure> {
    let barrier = Rc::new(tokio::sync::Barrier::new(writers.len()));
    let mut tasks = Vec::new();
    for mut writer in writers {
        let barrier = Rc::clone(&barrier);
        tasks.push(tokio::task::spawn_local(async move {
            barrier.wait().await;
            let samples = drive(&mut writer, in_flight, end).await;
            samples
                .map(|samples| (samples, writer))
                .map_err(|error| error.to_string())
        }));
    }
    let mut all = Samples::default();
    let mut connected = Vec::new();
    for task in tasks {
        let (samples, writer) = task.await??;
        all.join(samples);
        connected.push(writer);
    }
    Ok((all, connected))
}

/// Counts what is acknowledged, and the time of each round.
async fn drive(writer: &mut Writer, in_flight: usize, end: Instant) -> Result<Samples, Failure> {
    let Writer { connection, operations } = writer;
    let mut samples = Samples::default();
    let mut free = in_flight;
    let mut under_way = 0;
    let mut sent = Instant::now();
    loop {
        let is_over = sent >= end;
        if !is_over {
            let next = (0..free).map(|_| operations.next()).collect();
            let messages = connection.dialect.write(next);
            connection.send_all(messages).await?;
            under_way += free;
        }
        if under_way == 0 {
            return Ok(samples);
        }
        free = 0;
        while free == 0 {
            let text = connection.receive().await?;
            samples.bytes(text.len());
            free = connection.dialect.acknowledged(&text)?;
        }
        under_way = under_way
            .checked_sub(free)
            .ok_or("More was acknowledged than was sent")?;
        let now = Instant::now();
        samples.operations(free);
        samples.time(now - sent);
        sent = now;
    }
}
