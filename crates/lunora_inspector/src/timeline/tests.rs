//! The timeline against what a search through all events would say, and within its limits.

#![allow(clippy::unwrap_used)]

use lunora_testing::Random;
use serde_json::{Value, json};

use super::*;

fn entry(event: Value) -> Entry {
    Entry::parse(&event.to_string(), Some("eu")).unwrap()
}

fn numbers(page: &Page) -> Vec<u64> {
    let number = |text: &String| serde_json::from_str::<Value>(text).unwrap()["n"].as_u64().unwrap();
    page.events.iter().map(number).collect()
}

fn random_event(random: &mut Random, at: u64) -> Value {
    let object = format!("rooms:{}", random.below(5));
    let socket = format!("s{}", random.below(9));
    let call = format!("c{}", random.below(40));
    match random.below(6) {
        0 => json!({ "type": "request", "at": at, "call": call, "status": 200 }),
        1 => json!({ "type": "call", "at": at, "call": call, "object": object }),
        2 => {
            json!({ "type": "commit", "at": at, "object": object, "fromSeq": at, "toSeq": at + 2, "calls": [{ "call": call }] })
        }
        3 => {
            json!({ "type": "poke", "at": at, "object": object, "socket": socket, "fromSeq": at, "toSeq": at + 2, "calls": [call] })
        }
        4 => json!({ "type": "socket", "at": at, "object": object, "socket": socket, "state": "opened" }),
        _ => json!({ "type": "log", "at": at, "text": format!("Line {}", random.below(30)), "level": "info" }),
    }
}

fn random_filter(random: &mut Random) -> Filter {
    let mut filter = Filter::default();
    if random.one_in(2) {
        let all = ["request", "call", "commit", "poke", "socket", "log", "nothing"];
        filter.types = (0..=random.below(3)).map(|_| (*random.pick(&all)).to_owned()).collect();
    }
    if random.one_in(3) {
        filter.object = Some(format!("rooms:{}", random.below(6)));
    }
    if random.one_in(4) {
        filter.socket = Some(format!("s{}", random.below(10)));
    }
    if random.one_in(4) {
        filter.call = Some(format!("c{}", random.below(45)));
    }
    if random.one_in(4) {
        filter.search = Some(format!("line {}", random.below(4)));
    }
    filter
}

/// Whether an event is wanted, by reading it.
fn wanted(event: &Value, filter: &Filter) -> bool {
    let is = |field: &str, wanted: &Option<String>| {
        wanted
            .as_deref()
            .is_none_or(|wanted| event[field].as_str() == Some(wanted))
    };
    let calls = event["calls"].as_array().cloned().unwrap_or_default();
    let by = |call: &str| {
        event["call"].as_str() == Some(call)
            || calls
                .iter()
                .any(|cause| cause.as_str().or(cause["call"].as_str()) == Some(call))
    };
    (filter.types.is_empty() || filter.types.iter().any(|kind| event["type"] == **kind))
        && is("object", &filter.object)
        && is("socket", &filter.socket)
        && filter.call.as_deref().is_none_or(by)
        && filter
            .search
            .as_deref()
            .is_none_or(|text| event.to_string().to_lowercase().contains(text))
}

#[test]
fn every_read_is_what_a_search_would_find() {
    let mut random = Random::from_environment("every_read_is_what_a_search_would_find", 7);
    let mut timeline = Timeline::new(Limits {
        entries: 300,
        bytes: 1 << 20,
    });
    let mut told: Vec<Value> = Vec::new();
    for at in 0..3_000_u64 {
        let event = random_event(&mut random, at);
        let number = timeline.push(entry(event.clone()));
        assert_eq!(number, at + 1);
        told.push(event);
        if !random.one_in(10) {
            continue;
        }
        let filter = random_filter(&mut random);
        let (first, next) = (timeline.size().first, timeline.size().next);
        let all: Vec<u64> = (first..next)
            .filter(|number| wanted(&told[usize::try_from(*number - 1).unwrap()], &filter))
            .collect();
        let limit = 1 + random.below(20);
        let after = u64::try_from(random.below(usize::try_from(next).unwrap() + 5)).unwrap();
        let expected: Vec<u64> = all
            .iter()
            .copied()
            .filter(|number| *number > after)
            .take(limit)
            .collect();
        let page = timeline.forward(after, None, &filter, limit);
        assert_eq!(numbers(&page), expected, "{filter:?} after {after}");
        assert_eq!(page.lost, first.saturating_sub(after + 1));
        let before = after;
        let mut expected: Vec<u64> = all.iter().copied().filter(|number| *number < before).collect();
        expected = expected.split_off(expected.len().saturating_sub(limit));
        let page = timeline.backward(before, &filter, limit);
        assert_eq!(numbers(&page), expected, "{filter:?} before {before}");

        // Page by page, everything comes once.
        let (mut cursor, mut read) = (0, Vec::new());
        while cursor < next - 1 {
            let page = timeline.forward(cursor, None, &filter, limit);
            assert!(page.next > cursor);
            read.extend(numbers(&page));
            cursor = page.next;
        }
        assert_eq!(read, all);
        let (mut cursor, mut read) = (next, Vec::new());
        while cursor > first {
            let page = timeline.backward(cursor, &filter, limit);
            assert!(page.previous < cursor);
            read.splice(0..0, numbers(&page));
            cursor = page.previous;
        }
        assert_eq!(read, all);
    }
}

#[test]
fn what_was_dropped_is_told_whatever_is_asked_for() {
    let mut timeline = Timeline::new(Limits::default());
    timeline.push(entry(
        json!({ "type": "commit", "at": 1, "object": "o", "fromSeq": 0, "toSeq": 1 }),
    ));
    timeline.push(entry(json!({ "type": "dropped", "at": 2, "count": 3 })));
    timeline.push(entry(json!({ "type": "log", "at": 3, "object": "p" })));
    timeline.push(Entry::lost(4, 2));
    timeline.push(entry(
        json!({ "type": "socket", "at": 5, "object": "o", "socket": "s", "calls": ["c"] }),
    ));
    let filters = [
        ("types", vec![1, 2, 4]),
        ("types and dropped", vec![1, 2, 4]),
        ("object", vec![1, 2, 4, 5]),
        ("socket", vec![2, 4, 5]),
        ("call", vec![2, 4, 5]),
        ("search", vec![2, 4]),
        ("nothing", vec![1, 2, 3, 4, 5]),
    ];
    for (name, expected) in filters {
        let mut filter = Filter {
            with_dropped: true,
            ..Filter::default()
        };
        match name {
            "types" => filter.types = vec!["commit".to_owned()],
            "types and dropped" => filter.types = vec!["commit".to_owned(), "dropped".to_owned()],
            "object" => filter.object = Some("o".to_owned()),
            "socket" => filter.socket = Some("s".to_owned()),
            "call" => filter.call = Some("c".to_owned()),
            "search" => filter.search = Some("is in none".to_owned()),
            _ => {}
        }
        assert_eq!(numbers(&timeline.forward(0, None, &filter, 9)), expected, "{name}");
        assert_eq!(numbers(&timeline.backward(9, &filter, 9)), expected, "{name}");
    }
    // Who asks for a page alone learns how many.
    let commits = Filter {
        types: vec!["commit".to_owned()],
        ..Filter::default()
    };
    for (after, before, dropped) in [(0, None, 5), (0, Some(4), 3), (2, None, 2), (4, None, 0)] {
        assert_eq!(timeline.forward(after, before, &commits, 9).dropped, dropped);
    }
    assert_eq!(timeline.backward(4, &commits, 9).dropped, 3);
    assert_eq!(timeline.size().dropped, 5);
}

#[test]
fn a_reader_ahead_of_the_end_is_brought_back() {
    let mut timeline = Timeline::new(Limits::default());
    assert_eq!(timeline.forward(50, None, &Filter::default(), 10).next, 0);
    timeline.push(entry(json!({ "type": "log", "at": 1 })));
    assert_eq!(timeline.forward(50, None, &Filter::default(), 10).next, 1);
    let between = timeline.forward(0, Some(1), &Filter::default(), 10);
    assert_eq!((numbers(&between), between.next), (Vec::new(), 0));
}

#[test]
fn nothing_is_left_of_what_was_let_go() {
    let mut random = Random::from_environment("nothing_is_left_of_what_was_let_go", 8);
    let mut timeline = Timeline::new(Limits {
        entries: 50,
        bytes: 20_000,
    });
    for at in 0..5_000_u64 {
        let mut event = random_event(&mut random, at);
        event["padding"] = "x".repeat(random.below(400)).into();
        timeline.push(entry(event));
        let size = timeline.size();
        assert!(size.entries <= 50 && size.bytes <= 20_000, "{size:?}");
        assert_eq!(size.first + size.entries as u64, size.next);
        assert_eq!(size.dropped, size.first - 1);
        assert!(timeline.lists.keys() <= size.entries * 4);
        assert!(timeline.seqs.len() <= size.entries && timeline.activity.len() <= size.entries);
    }
    // One that is larger than everything lets go of everything, itself included.
    timeline.push(entry(json!({ "type": "log", "at": 1, "text": "x".repeat(30_000) })));
    assert_eq!(timeline.size().entries, 0);
    assert_eq!(timeline.size().bytes, 0);
    assert_eq!(timeline.lists.keys(), 0);
    assert!(timeline.seqs.is_empty() && timeline.activity.is_empty());
}

#[test]
fn a_trace_goes_both_ways() {
    let mut timeline = Timeline::new(Limits::default());
    for event in [
        json!({ "type": "request", "at": 1, "call": "a", "status": 200 }),
        json!({ "type": "call", "at": 1, "call": "a", "object": "rooms:1", "fromSeq": 0, "toSeq": 2 }),
        json!({ "type": "call", "at": 1, "call": "b", "object": "rooms:1", "fromSeq": 2, "toSeq": 3 }),
        json!({ "type": "log", "at": 1, "call": "a", "text": "hello" }),
        json!({ "type": "commit", "at": 2, "object": "rooms:1", "fromSeq": 0, "toSeq": 3,
                "calls": [{ "call": "a", "fromSeq": 0, "toSeq": 2 }, { "call": "b", "fromSeq": 2, "toSeq": 3 }],
                "changes": [{ "seq": 1 }, { "seq": 2 }, { "seq": 3 }] }),
        json!({ "type": "poke", "at": 3, "object": "rooms:1", "socket": "s1", "fromSeq": 0, "toSeq": 3, "calls": ["a", "b"] }),
        json!({ "type": "poke", "at": 3, "object": "rooms:1", "socket": "s2", "fromSeq": 0, "toSeq": 3, "calls": ["a", "b"] }),
        json!({ "type": "commit", "at": 4, "object": "rooms:1", "by": "sweep", "fromSeq": 3, "toSeq": 4, "calls": [],
                "changes": [{ "seq": 4 }] }),
        json!({ "type": "poke", "at": 5, "object": "rooms:1", "socket": "s1", "fromSeq": 3, "toSeq": 4, "calls": [] }),
    ] {
        timeline.push(entry(event));
    }
    let seqs = |trace: &Trace| {
        trace
            .ops
            .iter()
            .map(|op| op["seq"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let call = timeline.trace(&TraceOf::Call("a".to_owned())).unwrap();
    assert_eq!((seqs(&call), call.pokes.len(), call.logs.len()), (vec![1, 2], 2, 1));
    assert_eq!(call.request.as_ref().unwrap()["status"], 200);
    let change = |seq| TraceOf::Change {
        object: "rooms:1".to_owned(),
        seq,
    };
    assert_eq!(timeline.trace(&change(1)).unwrap(), call);
    assert_eq!(timeline.trace(&change(2)).unwrap(), call);
    let other = timeline.trace(&change(3)).unwrap();
    assert_eq!(
        (seqs(&other), other.call.as_ref().unwrap()["call"].as_str()),
        (vec![3], Some("b"))
    );
    let sweep = timeline.trace(&change(4)).unwrap();
    assert_eq!((seqs(&sweep), sweep.pokes.len(), sweep.call), (vec![4], 1, None));
    for nothing in [change(0), change(5), TraceOf::Call("c".to_owned())] {
        assert_eq!(timeline.trace(&nothing), None);
    }
    let elsewhere = TraceOf::Change {
        object: "rooms:2".to_owned(),
        seq: 1,
    };
    assert_eq!(timeline.trace(&elsewhere), None);
}

#[test]
fn a_trace_knows_what_made_a_call_and_what_it_made() {
    let mut timeline = Timeline::new(Limits::default());
    let call = |id: &str, parent: Option<&str>| {
        let mut event = json!({ "type": "call", "at": 1, "call": id, "object": "rooms:1" });
        if let Some(parent) = parent {
            event["parent"] = parent.into();
        }
        entry(event)
    };
    timeline.push(entry(
        json!({ "type": "request", "at": 1, "call": "hook", "path": "/hook" }),
    ));
    timeline.push(call("first", Some("action")));
    timeline.push(call("second", Some("action")));
    timeline.push(entry(
        json!({ "type": "log", "at": 1, "call": "second", "text": "hello" }),
    ));
    timeline.push(call("action", Some("hook")));
    timeline.push(entry(json!({ "type": "request", "at": 1, "call": "action" })));
    let trace = |call: &str| timeline.trace(&TraceOf::Call(call.to_owned())).unwrap();
    let ids = |events: &[Value]| -> Vec<String> {
        events
            .iter()
            .map(|event| event["call"].as_str().unwrap().to_owned())
            .collect()
    };
    let action = trace("action");
    assert_eq!(action.call.unwrap()["call"], "action");
    assert_eq!(action.parent.unwrap()["path"], "/hook");
    assert_eq!(
        (ids(&action.children), action.logs.len()),
        (vec!["first".to_owned(), "second".to_owned()], 0)
    );
    let second = trace("second");
    assert_eq!((second.children.len(), second.logs.len()), (0, 1));
    let parent = second.parent.unwrap();
    assert_eq!((&parent["type"], &parent["call"]), (&json!("call"), &json!("action")));
    assert_eq!(trace("hook").parent, None);
    assert_eq!(ids(&trace("hook").children), ["action"]);
}

#[test]
fn an_object_is_known_by_its_events() {
    let mut timeline = Timeline::new(Limits::default());
    let socket =
        |state: &str, id: &str| json!({ "type": "socket", "at": 20_000, "object": "o", "socket": id, "state": state });
    for event in [
        socket("opened", "1"),
        socket("connected", "1"),
        socket("opened", "2"),
        socket("closed", "1"),
        json!({ "type": "commit", "at": 20_500, "object": "o", "fromSeq": 10, "toSeq": 30 }),
        json!({ "type": "commit", "at": 12_000, "object": "o", "fromSeq": 0, "toSeq": 10 }),
    ] {
        timeline.push(entry(event));
    }
    let known = timeline.activity("o", 21_000).unwrap();
    assert_eq!(
        (known.last_write_at, known.sockets, known.region.as_deref()),
        (Some(20_500), 1, Some("eu"))
    );
    assert!((known.ops_per_second - 3.0).abs() < 1e-9);
    assert!((timeline.activity("o", 25_000).unwrap().ops_per_second - 2.0).abs() < 1e-9);
    assert!(timeline.activity("o", 90_000).unwrap().ops_per_second.abs() < 1e-9);
    assert_eq!(timeline.activity("p", 90_000), None);
    timeline.worker_restarted(90_000);
    assert_eq!(timeline.activity("o", 90_000).unwrap().sockets, 0);
}

#[test]
fn clients_of_an_object_are_known_for_a_while_after_they_went() {
    let socket = |state: &str, id: &str, at: u64| json!({ "type": "socket", "at": at, "object": "o", "socket": id, "state": state });
    let evicted = |state: &str| json!({ "type": "fault", "at": 50_000, "object": "o", "fault": "evict", "state": state, "by": "user" });
    let has_clients = |timeline: &Timeline, now: u64| timeline.objects(now).collect::<Vec<_>>() == [("o", true)];
    let mut timeline = Timeline::new(Limits::default());
    assert_eq!(timeline.objects(0).count(), 0);
    timeline.push(entry(socket("opened", "2", 1_000)));
    timeline.push(entry(socket("opened", "1", 1_000)));
    assert!(timeline.first_of_socket("2") < timeline.first_of_socket("1"));
    assert_eq!(timeline.first_of_socket("3"), None);
    timeline.push(entry(evicted("skipped")));
    assert_eq!(timeline.activity("o", 50_000).unwrap().sockets, 2);
    assert!(has_clients(&timeline, 500_000), "they are there");
    timeline.push(entry(evicted("happened")));
    assert_eq!(timeline.activity("o", 50_000).unwrap().sockets, 0);
    assert!(has_clients(&timeline, 79_999) && !has_clients(&timeline, 80_000));
    timeline.push(entry(socket("opened", "3", 100_000)));
    timeline.worker_restarted(200_000);
    assert!(has_clients(&timeline, 229_999) && !has_clients(&timeline, 230_000));
    timeline.push(entry(socket("opened", "4", 300_000)));
    timeline.push(entry(socket("closed", "4", 310_000)));
    assert!(has_clients(&timeline, 339_999) && !has_clients(&timeline, 340_000));
}

#[test]
fn what_is_no_event_is_refused() {
    for (text, why) in [
        ("", EntryError::NoObject),
        ("[]", EntryError::NoObject),
        ("{", EntryError::NoObject),
        ("{}{}", EntryError::NoObject),
        ("null", EntryError::NoObject),
        ("{}", EntryError::NoEvent),
        (r#"{"type":"call"}"#, EntryError::NoEvent),
        (r#"{"type":"call","at":"1"}"#, EntryError::NoEvent),
        (r#"{"type":"call","at":-1}"#, EntryError::NoEvent),
        (r#"{"type":"call","at":1e300}"#, EntryError::NoEvent),
        (r#"{"type":"","at":1}"#, EntryError::NoEvent),
        (r#"{"type":"Call","at":1}"#, EntryError::NoEvent),
        (r#"{"type":"a b","at":1}"#, EntryError::NoEvent),
        (r#"{"type":7,"at":1}"#, EntryError::NoEvent),
    ] {
        assert_eq!(Entry::parse(text, None).unwrap_err(), why, "{text}");
    }
    let deep = format!(
        r#"{{"type":"call","at":1,"x":{}{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert_eq!(Entry::parse(&deep, None).unwrap_err(), EntryError::NoObject);
    let long = format!(r#"{{"type":"call","at":1,"x":"{}"}}"#, "x".repeat(5 * 1024 * 1024));
    assert_eq!(Entry::parse(&long, None).unwrap_err(), EntryError::TooLong);
}

#[test]
fn numbers_and_regions_are_given_here() {
    let mut timeline = Timeline::new(Limits::default());
    timeline.push(entry(
        json!({ "n": 99, "type": "log", "at": 1.5, "region": null, "__proto__": { "a": 1 } }),
    ));
    timeline.push(entry(json!({ "type": "dropped", "at": 1, "count": 12 })));
    let page = timeline.forward(0, None, &Filter::default(), 10);
    let first: Value = serde_json::from_str(&page.events[0]).unwrap();
    assert_eq!(first["n"], 1);
    assert_eq!(first["region"], Value::Null);
    let second: Value = serde_json::from_str(&page.events[1]).unwrap();
    assert_eq!((&second["n"], &second["region"]), (&json!(2), &json!("eu")));
    assert_eq!(timeline.size().dropped, 12);
}
