//! The state machine of a client, driven without a socket.

#![allow(clippy::unwrap_used, clippy::panic)]

use lunora_client::frame::{ClientFrame, PushEntry, ServerFrame};
use lunora_client::session::{Effect, Session, Ticket};
use serde_json::{Value as Json, json};

fn server(frame: Json) -> ServerFrame {
    serde_json::from_value(frame).unwrap()
}

fn sent(effects: &[Effect]) -> Vec<Json> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(frame) => Some(serde_json::to_value(frame).unwrap()),
            _ => None,
        })
        .collect()
}

fn entries(effects: &[Effect]) -> Vec<PushEntry> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(ClientFrame::Push { entries, .. }) => Some(entries.clone()),
            _ => None,
        })
        .flatten()
        .collect()
}

fn places(effects: &[Effect]) -> Vec<u64> {
    entries(effects).iter().map(|entry| entry.client_seq).collect()
}

/// Opens and greets; what is sent after the greeting.
fn connect(session: &mut Session, watermark: u64) -> Vec<Effect> {
    assert!(matches!(session.opened()[0], Effect::Send(ClientFrame::Connect { .. })));
    session.received(server(
        json!({ "type": "ack", "id": "c", "lastMutationId": watermark, "cursor": 0, "epoch": "e" }),
    ))
}

fn ack(results: Json) -> ServerFrame {
    server(json!({ "type": "ack", "id": "p", "results": results }))
}

fn mutate(session: &mut Session) -> Ticket {
    session.mutate("a:b", json!({}), None).unwrap()
}

#[test]
fn what_is_queued_travels_in_one_frame_from_the_place_the_server_names() {
    let mut session = Session::new("c");
    let first = mutate(&mut session);
    assert_eq!(session.flush(), []);
    assert_eq!(places(&connect(&mut session, 4)), [5]);
    mutate(&mut session);
    mutate(&mut session);
    assert_eq!(places(&session.flush()), [6, 7]);
    assert_eq!(session.flush(), []);
    let answered = session.received(ack(json!([{ "clientSeq": 5, "result": 1 }])));
    assert_eq!(answered, [Effect::Settled(first, Ok(Some(json!(1))))]);
}

#[test]
fn a_lost_answer_is_asked_for_again_at_its_place() {
    let mut session = Session::new("c");
    connect(&mut session, 0);
    let (first, second) = (mutate(&mut session), mutate(&mut session));
    session.flush();
    session.closed();
    // The first was decided before the connection broke.
    assert_eq!(places(&connect(&mut session, 1)), [1, 2]);
    let error = json!({ "code": "NOT_FOUND", "message": "no" });
    let effects = session.received(ack(json!([{ "clientSeq": 1, "error": error }, { "clientSeq": 2 }])));
    let Effect::Settled(ticket, Err(refused)) = &effects[0] else {
        panic!("{effects:?}")
    };
    assert_eq!((*ticket, refused.code.as_str()), (first, "NOT_FOUND"));
    assert_eq!(effects[1], Effect::Settled(second, Ok(None)));
    // An answer that comes twice settles nothing.
    assert_eq!(session.received(ack(json!([{ "clientSeq": 1 }]))), []);
}

#[test]
fn another_timeline_gives_new_places_and_keeps_mutation_ids() {
    let mut session = Session::new("c");
    connect(&mut session, 7);
    session.mutate("a:b", json!({}), Some("m8".to_owned())).unwrap();
    session.mutate("a:b", json!({}), Some("m9".to_owned())).unwrap();
    assert_eq!(places(&session.flush()), [8, 9]);
    session.closed();
    let again = entries(&connect(&mut session, 0));
    let named: Vec<_> = again
        .iter()
        .map(|entry| (entry.client_seq, entry.mutation_id.as_deref().unwrap()))
        .collect();
    assert_eq!(named, [(1, "m8"), (2, "m9")]);
    mutate(&mut session);
    assert_eq!(places(&session.flush()), [3]);
}

#[test]
fn a_place_that_the_server_does_not_expect_starts_over() {
    let mut session = Session::new("c");
    connect(&mut session, 3);
    mutate(&mut session);
    session.flush();
    let error = json!({ "code": "OUT_OF_ORDER", "message": "no", "data": { "expected": 2 } });
    let effects = session.received(ack(json!([{ "clientSeq": 4, "error": error }])));
    assert_eq!(effects, [Effect::Reconnect]);
    session.closed();
    assert_eq!(places(&connect(&mut session, 1)), [2]);
}

#[test]
fn results_that_arrived_need_not_be_kept() {
    let mut session = Session::new("c");
    connect(&mut session, 0);
    mutate(&mut session);
    session.flush();
    session.received(ack(json!([{ "clientSeq": 1 }])));
    mutate(&mut session);
    assert_eq!(sent(&session.flush())[0]["received"], 1);
}

#[test]
fn pushes_are_cut_at_500_entries_and_a_mebibyte() {
    let mut session = Session::new("c");
    connect(&mut session, 0);
    for _ in 0..1201 {
        mutate(&mut session);
    }
    let sizes: Vec<_> = sent(&session.flush())
        .iter()
        .map(|push| push["entries"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [500, 500, 201]);
    for _ in 0..3 {
        session
            .mutate("a:b", json!({ "text": "x".repeat(500_000) }), None)
            .unwrap();
    }
    let pushes = sent(&session.flush());
    assert_eq!(pushes.len(), 2);
    assert!(pushes.iter().all(|push| push.to_string().len() <= 1_048_576));
    let refused = session.mutate("a:b", json!({ "text": "x".repeat(1_048_000) }), None);
    assert_eq!(refused.unwrap_err().code(), "FRAME_TOO_LARGE");
}

#[test]
fn queries_resume_from_the_result_they_show() {
    let mut session = Session::new("c");
    let (id, effects) = session.subscribe("a:list", json!({ "n": 1 }));
    assert_eq!(effects, []);
    let effects = connect(&mut session, 0);
    assert_eq!(
        sent(&effects)[0]["query"],
        json!({ "functionPath": "a:list", "args": { "n": 1 } })
    );
    let data = json!({ "type": "data", "id": id, "data": [1], "cursor": 5, "epoch": "e" });
    assert_eq!(
        session.received(server(data)),
        [Effect::Data(id.clone(), Some(json!([1])))]
    );
    session.received(server(
        json!({ "type": "settled", "id": id, "cursor": 9, "epoch": "e" }),
    ));
    session.closed();
    let query = &sent(&connect(&mut session, 0))[0]["query"];
    assert_eq!((&query["sinceSeq"], &query["sinceEpoch"]), (&json!(9), &json!("e")));
    assert_eq!(
        sent(&session.unsubscribe(&id)),
        [json!({ "type": "unsubscribe", "id": id })]
    );
    session.closed();
    assert_eq!(sent(&connect(&mut session, 0)), Vec::<Json>::new());
}

mod overtaken {
    use super::*;

    fn data(id: &str, cursor: u64, epoch: &str) -> ServerFrame {
        server(json!({ "type": "data", "id": id, "data": cursor, "cursor": cursor, "epoch": epoch }))
    }

    fn at(cursor: u64) -> (Session, String) {
        let mut session = Session::new("c");
        connect(&mut session, 0);
        let (id, _) = session.subscribe("a:list", json!({}));
        session.received(data(&id, cursor, "e"));
        (session, id)
    }

    fn late(kind: &str, id: &str, epoch: &str) -> ServerFrame {
        match kind {
            "data" => data(id, 3, epoch),
            "everybody" => server(json!({ "type": "settled", "cursor": 3, "epoch": epoch, "lastMutationId": 1 })),
            _ => server(json!({ "type": kind, "id": id, "cursor": 3, "epoch": epoch })),
        }
    }

    #[test]
    fn by_something_newer_a_result_is_read_afresh() {
        for kind in ["data", "resume", "settled", "everybody"] {
            let (mut session, id) = at(4);
            let effects = session.received(late(kind, &id, "e"));
            let query = json!({ "functionPath": "a:list", "args": {} });
            assert_eq!(
                sent(&effects),
                [json!({ "type": "subscribe", "id": id, "query": query })],
                "{kind}"
            );
            assert_eq!(effects.len(), 1, "{kind}: what is shown stays");
            // The answer may stand anywhere.
            assert_eq!(
                session.received(data(&id, 2, "e")),
                [Effect::Data(id.clone(), Some(json!(2)))]
            );
        }
    }

    #[test]
    fn on_another_timeline_nothing_is_older() {
        for kind in ["data", "resume", "settled", "everybody"] {
            let (mut session, id) = at(4);
            assert_eq!(
                sent(&session.received(late(kind, &id, "f"))),
                Vec::<Json>::new(),
                "{kind}"
            );
        }
    }

    #[test]
    fn twice_in_a_row_takes_another_connection() {
        let (mut session, id) = at(4);
        assert_eq!(sent(&session.received(data(&id, 3, "e"))).len(), 1);
        session.received(data(&id, 5, "e"));
        assert_eq!(session.received(data(&id, 4, "e")), [Effect::Reconnect]);
        session.closed();
        assert_eq!(sent(&connect(&mut session, 0))[0]["query"].get("sinceSeq"), None);
        // One that goes on shows that it is well again.
        session.received(data(&id, 5, "e"));
        session.received(data(&id, 6, "e"));
        assert_eq!(sent(&session.received(data(&id, 5, "e"))).len(), 1);
    }
}

#[test]
fn an_error_ends_its_subscription_alone() {
    let mut session = Session::new("c");
    connect(&mut session, 0);
    let (query, _) = session.subscribe("a:list", json!({}));
    let (shape, _) = session.subscribe_shape("inbox", json!({}));
    for id in [&query, &shape] {
        let error = json!({ "type": "error", "id": id, "error": { "code": "FORBIDDEN", "message": "no" } });
        assert!(matches!(&session.received(server(error))[..], [Effect::Ended(ended, _)] if ended == id));
    }
    session.closed();
    assert_eq!(sent(&connect(&mut session, 0)), Vec::<Json>::new());
}

mod shapes {
    use super::*;

    fn start(session: &mut Session, id: &str) {
        assert_eq!(
            session.received(server(json!({ "type": "pokeStart", "pokeId": id, "epoch": "e" }))),
            []
        );
    }

    fn part(session: &mut Session, poke: &str, shape: &str, more: Json) -> Vec<Effect> {
        let mut frame = json!({ "type": "pokePart", "pokeId": poke, "shapeId": shape, "rowsPatch": [] });
        for (name, value) in more.as_object().unwrap() {
            frame[name] = value.clone();
        }
        session.received(server(frame))
    }

    fn end(session: &mut Session, poke: &str, checkpoint: u64) -> Vec<Effect> {
        session.received(server(
            json!({ "type": "pokeEnd", "pokeId": poke, "checkpoint": checkpoint, "epoch": "e" }),
        ))
    }

    fn insert(key: &str) -> Json {
        json!({ "op": "insert", "key": key, "table": "t", "value": { "_id": key } })
    }

    fn keys(session: &Session, shape: &str) -> Vec<String> {
        session.view(shape).unwrap().rows().keys().cloned().collect()
    }

    fn seeded() -> (Session, String) {
        let mut session = Session::new("c");
        connect(&mut session, 0);
        let (shape, effects) = session.subscribe_shape("inbox", json!({ "u": 1 }));
        assert_eq!(
            sent(&effects)[0]["shape"],
            json!({ "name": "inbox", "args": { "u": 1 } })
        );
        start(&mut session, "1");
        part(
            &mut session,
            "1",
            &shape,
            json!({ "reset": true, "version": "v", "rowsPatch": [insert("a")] }),
        );
        end(&mut session, "1", 3);
        (session, shape)
    }

    #[test]
    fn nothing_is_visible_before_the_end_and_then_everything_is() {
        let (mut session, shape) = seeded();
        start(&mut session, "2");
        let delete = json!({ "op": "delete", "key": "a", "table": "t" });
        part(
            &mut session,
            "2",
            &shape,
            json!({ "baseCheckpoint": 3, "rowsPatch": [insert("b")] }),
        );
        part(&mut session, "2", &shape, json!({ "rowsPatch": [delete, insert("c")] }));
        assert_eq!(keys(&session, &shape), ["a"]);
        assert_eq!(end(&mut session, "2", 4), [Effect::Changed(shape.clone())]);
        assert_eq!(keys(&session, &shape), ["b", "c"]);
        assert_eq!(session.view(&shape).unwrap().checkpoint(), Some(4));
    }

    #[test]
    fn a_poke_that_was_cut_off_is_forgotten() {
        let (mut session, shape) = seeded();
        start(&mut session, "2");
        part(
            &mut session,
            "2",
            &shape,
            json!({ "baseCheckpoint": 3, "rowsPatch": [insert("b")] }),
        );
        session.closed();
        let again = sent(&connect(&mut session, 0));
        let since = (
            &again[0]["sinceCheckpoint"],
            &again[0]["sinceEpoch"],
            &again[0]["sinceVersion"],
        );
        assert_eq!(since, (&json!(3), &json!("e"), &json!("v")));
        assert_eq!(end(&mut session, "2", 4), [Effect::Reconnect]);
        assert_eq!(keys(&session, &shape), ["a"]);
    }

    #[test]
    fn another_base_or_epoch_drops_the_view_and_asks_for_it_once() {
        for (base, epoch) in [(2, "e"), (3, "f")] {
            let (mut session, shape) = seeded();
            session.received(server(json!({ "type": "pokeStart", "pokeId": "2", "epoch": epoch })));
            part(
                &mut session,
                "2",
                &shape,
                json!({ "baseCheckpoint": base, "rowsPatch": [insert("b")] }),
            );
            part(&mut session, "2", &shape, json!({ "rowsPatch": [insert("c")] }));
            let effects = session.received(server(
                json!({ "type": "pokeEnd", "pokeId": "2", "checkpoint": 4, "epoch": epoch }),
            ));
            assert_eq!(keys(&session, &shape), Vec::<String>::new());
            let again = sent(&effects);
            assert_eq!(again.len(), 1);
            assert_eq!(again[0].get("sinceCheckpoint"), None);
        }
    }

    #[test]
    fn a_part_without_a_base_is_vouched_for() {
        let (mut session, shape) = seeded();
        start(&mut session, "2");
        part(&mut session, "2", &shape, json!({ "rowsPatch": [insert("b")] }));
        end(&mut session, "2", 9);
        assert_eq!(keys(&session, &shape), ["a", "b"]);
    }

    #[test]
    fn parts_of_others_are_left_alone() {
        let (mut session, shape) = seeded();
        start(&mut session, "2");
        part(&mut session, "2", "other", json!({ "rowsPatch": [insert("b")] }));
        assert_eq!(end(&mut session, "2", 4), []);
        assert_eq!(session.view(&shape).unwrap().checkpoint(), Some(3));
        assert_eq!(part(&mut session, "3", "other", json!({})), []);
    }

    /// Whether the shape was asked for again, from the beginning, and what it showed is gone.
    fn asks_afresh(session: &Session, shape: &str, effects: &[Effect]) -> bool {
        let again = sent(effects);
        effects.contains(&Effect::Changed(shape.to_owned()))
            && keys(session, shape).is_empty()
            && again.len() == 1
            && again[0]["type"] == "shape_subscribe"
            && again[0].get("sinceCheckpoint").is_none()
    }

    #[test]
    fn a_part_before_its_start_or_behind_its_end_is_read_afresh() {
        for order in [[1, 0, 2], [0, 2, 1]] {
            let (mut session, shape) = seeded();
            let patch = json!({ "baseCheckpoint": 3, "rowsPatch": [insert("b")] });
            let mut effects = Vec::new();
            for frame in order {
                effects.extend(match frame {
                    0 => session.received(server(json!({ "type": "pokeStart", "pokeId": "2", "epoch": "e" }))),
                    1 => part(&mut session, "2", &shape, patch.clone()),
                    _ => end(&mut session, "2", 5),
                });
            }
            assert!(asks_afresh(&session, &shape, &effects), "{order:?}: {effects:?}");
            // What was on its way for the view that is gone says nothing of the one that comes.
            start(&mut session, "3");
            part(
                &mut session,
                "3",
                &shape,
                json!({ "baseCheckpoint": 5, "rowsPatch": [insert("c")] }),
            );
            assert_eq!(end(&mut session, "3", 6), []);
            start(&mut session, "4");
            part(
                &mut session,
                "4",
                &shape,
                json!({ "reset": true, "rowsPatch": [insert("d")] }),
            );
            assert_eq!(end(&mut session, "4", 7), [Effect::Changed(shape.clone())]);
            assert_eq!(keys(&session, &shape), ["d"]);
        }
    }

    #[test]
    fn a_reset_that_was_overtaken_is_none() {
        let reset_to = |session: &mut Session, shape: &str, poke: &str, checkpoint: u64| {
            start(session, poke);
            part(
                session,
                poke,
                shape,
                json!({ "reset": true, "rowsPatch": [insert("r")] }),
            );
            end(session, poke, checkpoint)
        };
        let overtaken: [fn(&mut Session, &str); 3] = [
            |session, shape| {
                start(session, "3");
                part(session, "3", shape, json!({ "baseCheckpoint": 5 }));
                assert_eq!(end(session, "3", 6), []);
            },
            |session, shape| assert_eq!(part(session, "9", shape, json!({ "baseCheckpoint": 5 })), []),
            // The answer to another question.
            |session, shape| {
                start(session, "3");
                part(session, "3", shape, json!({ "reset": true }));
                assert_eq!(end(session, "3", 6), [Effect::Changed(shape.to_owned())]);
            },
        ];
        for newer in overtaken {
            let (mut session, shape) = seeded();
            part(&mut session, "9", &shape, json!({ "baseCheckpoint": 4 }));
            newer(&mut session, &shape);
            let late = reset_to(&mut session, &shape, "4", 5);
            assert_eq!(late, [Effect::Changed(shape.clone()), Effect::Reconnect]);
            assert_eq!(keys(&session, &shape), Vec::<String>::new());
        }
        let (mut session, shape) = seeded();
        part(&mut session, "9", &shape, json!({ "baseCheckpoint": 4 }));
        overtaken[0](&mut session, &shape);
        assert_eq!(reset_to(&mut session, &shape, "4", 6), [Effect::Changed(shape.clone())]);
        assert_eq!(keys(&session, &shape), ["r"]);
    }

    #[test]
    fn a_poke_that_never_ends_is_read_afresh_where_it_had_a_part() {
        let (mut session, shape) = seeded();
        let (other, _) = session.subscribe_shape("inbox", json!({ "u": 2 }));
        start(&mut session, "2");
        start(&mut session, "3");
        part(
            &mut session,
            "3",
            &other,
            json!({ "reset": true, "rowsPatch": [insert("o")] }),
        );
        assert_eq!(end(&mut session, "3", 4), [Effect::Changed(other.clone())]);
        start(&mut session, "4");
        part(
            &mut session,
            "4",
            &shape,
            json!({ "baseCheckpoint": 3, "rowsPatch": [insert("b")] }),
        );
        let effects = session.received(server(json!({ "type": "pokeStart", "pokeId": "5", "epoch": "e" })));
        assert!(asks_afresh(&session, &shape, &effects), "{effects:?}");
        assert_eq!(keys(&session, &other), ["o"]);
    }

    #[test]
    fn what_does_not_fit_twice_in_a_row_takes_another_connection() {
        let (mut session, shape) = seeded();
        let fresh = |session: &mut Session, poke: &str| {
            start(session, poke);
            part(
                session,
                poke,
                &shape,
                json!({ "reset": true, "rowsPatch": [insert("a")] }),
            );
            end(session, poke, 3);
        };
        let stray = json!({ "baseCheckpoint": 3 });
        let effects = part(&mut session, "9", &shape, stray.clone());
        assert!(asks_afresh(&session, &shape, &effects), "{effects:?}");
        fresh(&mut session, "2");
        let again = part(&mut session, "9", &shape, stray.clone());
        assert_eq!(again, [Effect::Changed(shape.clone()), Effect::Reconnect]);
        session.closed();
        assert_eq!(sent(&connect(&mut session, 0))[0].get("sinceCheckpoint"), None);
        fresh(&mut session, "3");
        // Only a change that fits shows that it is well again.
        start(&mut session, "4");
        part(
            &mut session,
            "4",
            &shape,
            json!({ "baseCheckpoint": 3, "rowsPatch": [insert("b")] }),
        );
        end(&mut session, "4", 4);
        let effects = part(&mut session, "9", &shape, stray);
        assert!(asks_afresh(&session, &shape, &effects), "{effects:?}");
    }
}
