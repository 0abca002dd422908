//! Send of a write to its arrival at each subscriber, on one clock.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::Failure;
use crate::connection::Connection;
use crate::operation::{Operation, marked_body, marks};
use crate::report::Samples;
use crate::scenario::{Latency, Scenario};

/// How long the last write may take to reach everybody.
const LIMIT: Duration = Duration::from_secs(60);

struct Board {
    sent: Vec<Option<Instant>>,
    samples: Samples,
    arrived: usize,
    failure: Option<String>,
}

pub async fn run(scenario: &Scenario, latency: &Latency) -> Result<String, Failure> {
    let total = latency.warm_up + latency.writes;
    let board = Rc::new(RefCell::new(Board {
        sent: vec![None; total],
        samples: Samples::default(),
        arrived: 0,
        failure: None,
    }));
    let changed = Rc::new(Notify::new());
    let channel = |number: usize| format!("{}-{}", scenario.run, number % latency.channels);
    let mut watching = 0;
    for number in 0..latency.subscribers {
        let mut connection = Connection::open(scenario, number).await?;
        connection.subscribe(&channel(number), latency.watch).await?;
        let watches = number % latency.channels == 0;
        watching += usize::from(watches);
        let (board, changed, run) = (Rc::clone(&board), Rc::clone(&changed), scenario.run.clone());
        let warm_up = latency.warm_up;
        let mut seen = vec![false; total];
        tokio::task::spawn_local(async move {
            loop {
                match connection.receive().await {
                    Ok(text) => {
                        let board = &mut board.borrow_mut();
                        let is_new = note(board, &mut seen, &text, &run, warm_up);
                        if is_new && !watches {
                            board.failure = Some(format!("A subscriber of something else got: {text}"));
                        }
                    }
                    Err(error) => {
                        board.borrow_mut().failure = Some(error.to_string());
                        changed.notify_one();
                        return;
                    }
                }
                changed.notify_one();
            }
        });
    }
    let mut writer = Connection::open(scenario, latency.subscribers).await?;
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / latency.per_second));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for index in 0..total {
        pace.tick().await;
        let operation = Operation::Insert {
            channel: channel(0),
            body: marked_body(&scenario.run, index),
        };
        let messages = writer.dialect.write(vec![operation]);
        board.borrow_mut().sent[index] = Some(Instant::now());
        writer.send_all(messages).await?;
        loop {
            let text = writer.receive().await?;
            if writer.dialect.acknowledged(&text)? > 0 {
                break;
            }
        }
    }
    let everyone = tokio::time::timeout(LIMIT, async {
        while board.borrow().arrived < watching * total && board.borrow().failure.is_none() {
            changed.notified().await;
        }
    });
    let is_late = everyone.await.is_err();
    let mut board = board.borrow_mut();
    if let Some(failure) = board.failure.take() {
        return Err(failure.into());
    }
    if is_late {
        return Err(format!("{} of {} arrivals", board.arrived, watching * total).into());
    }
    Ok(board.samples.latency())
}

/// Counts each write at its first arrival: a whole result brings earlier ones again. Whether there was one.
fn note(board: &mut Board, seen: &mut [bool], text: &str, run: &str, warm_up: usize) -> bool {
    let now = Instant::now();
    let mut is_new = false;
    for index in marks(text, run) {
        let (Some(Some(sent)), Some(seen)) = (board.sent.get(index).copied(), seen.get_mut(index)) else {
            continue;
        };
        if std::mem::replace(seen, true) {
            continue;
        }
        is_new = true;
        board.arrived += 1;
        if index >= warm_up {
            board.samples.operations(1);
            board.samples.bytes(text.len());
            board.samples.time(now - sent);
        }
    }
    is_new
}
