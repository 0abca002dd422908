//! A server in memory, and a network on which frames overtake each other: whatever arrives in whatever order, a client that
//! is left alone shows the truth.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, VecDeque};

use lunora_client::frame::{ClientFrame, ServerFrame};
use lunora_client::session::{Effect, Session};
use serde_json::{Value as Json, json};

const RUNS: u64 = 500;
const STEPS: u64 = 60;
const SHAPES: usize = 2;

/// A linear congruential generator: chance enough, and the same for a seed everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What one socket is subscribed to.
#[derive(Default)]
struct Subscribed {
    /// Where each shape's view is.
    shapes: BTreeMap<String, u64>,
    query: Option<String>,
}

#[derive(Default)]
struct Server {
    rows: BTreeMap<String, u64>,
    head: u64,
    pokes: u64,
    own: Subscribed,
    /// On its way.
    wire: VecDeque<Json>,
}

impl Server {
    fn all(&self) -> Vec<Json> {
        let rows = self.rows.iter();
        rows.map(|(key, value)| json!({ "op": "insert", "key": key, "table": "t", "value": value }))
            .collect()
    }

    fn poke(&mut self, parts: Vec<Json>) {
        self.pokes += 1;
        let id = self.pokes.to_string();
        self.wire
            .push_back(json!({ "type": "pokeStart", "pokeId": id, "epoch": "e" }));
        for mut part in parts {
            part["type"] = "pokePart".into();
            part["pokeId"] = id.as_str().into();
            self.wire.push_back(part);
        }
        self.wire
            .push_back(json!({ "type": "pokeEnd", "pokeId": id, "checkpoint": self.head, "epoch": "e" }));
    }

    fn data(&mut self) {
        let Some(id) = &self.own.query else { return };
        let frame = json!({ "type": "data", "id": id, "data": self.rows, "cursor": self.head, "epoch": "e" });
        self.wire.push_back(frame);
    }

    fn write(&mut self, random: &mut Random) {
        self.head += 1;
        let key = format!("k{}", random.below(4));
        let operation = if self.rows.contains_key(&key) && random.below(3) == 0 {
            self.rows.remove(&key);
            json!({ "op": "delete", "key": key, "table": "t" })
        } else {
            self.rows.insert(key.clone(), self.head);
            json!({ "op": "update", "key": key, "table": "t", "value": self.head })
        };
        let shapes = std::mem::take(&mut self.own.shapes);
        let parts = shapes
            .iter()
            .map(|(id, at)| json!({ "shapeId": id, "baseCheckpoint": at, "rowsPatch": [operation] }));
        self.poke(parts.collect());
        self.own.shapes = shapes.into_keys().map(|id| (id, self.head)).collect();
        self.data();
    }

    fn hear(&mut self, frame: &ClientFrame) {
        match frame {
            ClientFrame::Connect { id, .. } => {
                self.own = Subscribed::default();
                self.wire.push_back(
                    json!({ "type": "ack", "id": id, "cursor": self.head, "epoch": "e", "lastMutationId": 0 }),
                );
            }
            ClientFrame::Subscribe { id, .. } => {
                self.own.query = Some(id.clone());
                self.data();
            }
            // It never resumes: that would be another machine to test.
            ClientFrame::ShapeSubscribe { id, .. } => {
                self.own.shapes.insert(id.clone(), self.head);
                let rows = self.all();
                self.poke(vec![json!({ "shapeId": id, "reset": true, "rowsPatch": rows })]);
            }
            other => panic!("not expected: {other:?}"),
        }
    }
}

struct Run {
    session: Session,
    server: Server,
    random: Random,
    shown: Option<Json>,
    reconnects: u64,
    overtaken: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut session = Session::new("c");
        for _ in 0..SHAPES {
            session.subscribe_shape("all", json!({}));
        }
        session.subscribe("a:all", json!({}));
        let mut run = Self {
            session,
            server: Server::default(),
            random: Random(seed),
            shown: None,
            reconnects: 0,
            overtaken: 0,
        };
        run.connect();
        run
    }

    fn connect(&mut self) {
        let effects = self.session.opened();
        self.act(effects);
    }

    fn act(&mut self, effects: Vec<Effect>) {
        let mut is_over = false;
        for effect in effects {
            match effect {
                Effect::Send(frame) if !is_over => self.server.hear(&frame),
                Effect::Data(_, data) => self.shown = data,
                Effect::Reconnect => is_over = true,
                _ => {}
            }
        }
        if is_over {
            self.reconnects += 1;
            self.session.closed();
            self.server.wire.clear();
            self.connect();
        }
    }

    fn deliver(&mut self) {
        if let Some(frame) = self.server.wire.pop_front() {
            let frame: ServerFrame = serde_json::from_value(frame).unwrap();
            let effects = self.session.received(frame);
            self.act(effects);
        }
    }

    /// A frame overtakes some of those that are on their way before it. Before the answer to `connect` comes nothing.
    fn overtake(&mut self) {
        let length = self.server.wire.len() as u64;
        if length < 2 || self.server.wire.iter().any(|frame| frame["type"] == "ack") {
            return;
        }
        let from = usize::try_from(self.random.below(length)).unwrap();
        let to = from.saturating_sub(usize::try_from(1 + self.random.below(6)).unwrap());
        if from == to {
            return;
        }
        self.overtaken += 1;
        let frame = self.server.wire.remove(from).unwrap();
        self.server.wire.insert(to, frame);
    }

    fn play(&mut self, disturbs: bool) {
        for _ in 0..STEPS {
            match self.random.below(8) {
                0 | 1 => self.server.write(&mut self.random),
                2 if disturbs => self.overtake(),
                _ => self.deliver(),
            }
        }
        for _ in 0..100_000 {
            if self.server.wire.is_empty() {
                return;
            }
            self.deliver();
        }
        panic!("it never comes to rest");
    }

    fn check(&self, name: &str) {
        let truth = json!(self.server.rows);
        assert_eq!(self.shown.as_ref(), Some(&truth), "the query, {name}");
        for shape in 1..=SHAPES {
            let view = self.session.view(&format!("s{shape}")).unwrap();
            assert_eq!(json!(view.rows()), truth, "shape {shape}, {name}");
        }
    }
}

#[test]
fn whatever_overtakes_what_the_truth_is_shown_in_the_end() {
    let first = std::env::var("LUNORA_SEED").map_or(1, |seed| seed.parse().unwrap());
    let (mut reconnects, mut overtaken) = (0, 0);
    for seed in first..first + RUNS {
        let mut run = Run::new(seed);
        run.play(true);
        run.check(&format!("LUNORA_SEED={seed}"));
        reconnects += run.reconnects;
        overtaken += run.overtaken;
    }
    // It is no substitute for reading one view afresh.
    assert!(
        reconnects * 2 < overtaken,
        "{reconnects} connections for {overtaken} frames that overtook others"
    );
}

#[test]
fn without_that_nothing_is_read_twice() {
    for seed in 1..200 {
        let mut run = Run::new(seed);
        run.play(false);
        run.check(&format!("seed {seed}"));
        assert_eq!(run.reconnects, 0);
        assert_eq!(run.server.own.shapes.len(), SHAPES);
    }
}
