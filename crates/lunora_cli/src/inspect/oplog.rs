//! `lunora oplog`.

use serde_json::{Map, Value as Json, json};

use super::arguments::OplogArguments;
use super::change::change_line;
use super::events::{Telling, Wanted, tell};
use super::server::Server;
use super::show::{clock, cut, moment, number, text};
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::{Answer, carry_out};

/// The changes of a commit, each with what caused it, and a document that counts those that it does not list.
pub(super) fn changes(mut commit: Json) -> Vec<Json> {
    let Some(Json::Array(changes)) = commit.get_mut("changes").map(Json::take) else {
        return Vec::new();
    };
    let shared = ["n", "at", "object", "epoch", "by"].map(|name| (name, commit.get(name).cloned()));
    let calls = commit.get("calls").and_then(Json::as_array);
    let with_cause = |change: Json| {
        let seq = number(&change, "seq");
        let cause = calls
            .into_iter()
            .flatten()
            .find(|call| number(call, "fromSeq") < seq && seq <= number(call, "toSeq"));
        let mut document: Map<String, Json> = Map::new();
        for (name, value) in &shared {
            document.extend(value.clone().map(|value| ((*name).to_owned(), value)));
        }
        for name in ["call", "functionPath"] {
            let value = cause.and_then(|cause| cause.get(name)).cloned();
            document.extend(value.map(|value| (name.to_owned(), value)));
        }
        if let Json::Object(fields) = change {
            document.extend(fields);
        }
        Json::Object(document)
    };
    let unlisted = unlisted(&commit, &shared);
    changes.into_iter().map(with_cause).chain(unlisted).collect()
}

/// How many changes of a commit are in the shard's log alone, up to which position; `omittedCalls`, where they are of calls that
/// are told by nothing else.
fn unlisted(commit: &Json, shared: &[(&str, Option<Json>)]) -> Option<Json> {
    commit.get("omitted")?;
    let mut document: Map<String, Json> = Map::new();
    let own = ["toSeq", "omitted", "omittedCalls"].map(|name| (name, commit.get(name).cloned()));
    for (name, value) in shared.iter().chain(&own) {
        document.extend(value.clone().map(|value| ((*name).to_owned(), value)));
    }
    Some(Json::Object(document))
}

fn is_wanted(change: &Json, arguments: &OplogArguments) -> bool {
    let fits =
        |field: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| text(change, field) == wanted);
    fits("table", &arguments.table) && fits("id", &arguments.id)
}

fn event_line(change: &Json) -> String {
    if change.get("omitted").is_some() {
        let calls = match number(change, "omittedCalls") {
            0 => String::new(),
            calls => format!(", of {calls} mutations"),
        };
        return format!(
            "{}  {}  {} changes up to #{} are in the shard's log alone{calls}",
            clock(number(change, "at")),
            cut(text(change, "object")),
            number(change, "omitted"),
            number(change, "toSeq")
        );
    }
    let cause = match text(change, "functionPath") {
        "" => String::new(),
        path => format!("  ← {}", cut(path)),
    };
    format!(
        "{}  {}  {}{cause}",
        clock(number(change, "at")),
        cut(text(change, "object")),
        change_line(change)
    )
}

/// Carries the command out.
pub(crate) fn oplog(options: &CommandOptions, arguments: &OplogArguments) -> CommandOutcome {
    match &arguments.shard {
        Some(shard) if !arguments.follow => stored(options, arguments, shard),
        // The log of every shard is nowhere but in what was seen of it.
        None if arguments.server.url.is_some() => carry_out(options, arguments.project.json, || async {
            Err(Failure::usage(
                lunora_diagnostics::codes::BAD_REQUEST,
                "the shard is missing: an app that is deployed is asked for the log of one",
            )
            .with_help("`lunora shards --url …` lists them."))
        }),
        shard => {
            let wanted = Wanted {
                project: &arguments.project,
                types: &["commit"],
                object: shard.as_deref(),
                socket: None,
                limit: arguments.limit,
                follow: arguments.follow,
            };
            let telling = Telling {
                documents: &|commit| {
                    let all = changes(commit).into_iter();
                    all.filter(|change| is_wanted(change, arguments)).collect()
                },
                line: &event_line,
            };
            tell(options, &wanted, &telling)
        }
    }
}

/// The log as the shard keeps it, the newest last.
fn stored(options: &CommandOptions, arguments: &OplogArguments, shard: &str) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut server = Server::find(options, &arguments.project, &arguments.server).await?;
        let mut body = json!({ "object": shard, "limit": arguments.limit });
        for (name, value) in [("table", &arguments.table), ("id", &arguments.id)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        let mut answer = server.inspect("oplog", &body).await?;
        let Some(entries) = answer.get_mut("entries").and_then(Json::as_array_mut) else {
            return Err(Failure::answer("it has no `entries`"));
        };
        entries.reverse();
        let text = stored_lines(shard, &answer);
        answer["object"] = json!(shard);
        Ok(Answer {
            exit_code: 0,
            text,
            json: answer,
        })
    })
}

fn stored_lines(shard: &str, answer: &Json) -> String {
    let entries = answer.get("entries").and_then(Json::as_array);
    let mut text = String::new();
    for entry in entries.into_iter().flatten() {
        text.push_str(&format!("{}  {}\n", moment(number(entry, "at")), change_line(entry)));
    }
    let (floor, head) = (number(answer, "floor"), number(answer, "head"));
    text.push_str(&format!(
        "{}: kept from #{floor} to #{head}, epoch {}\n",
        cut(shard),
        cut(super::show::text(answer, "epoch"))
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit() -> Json {
        json!({
            "type": "commit", "n": 9, "at": 1_795_262_584_123_u64, "object": "messages:general", "epoch": "e", "by": "calls",
            "fromSeq": 4, "toSeq": 6,
            "calls": [
                { "call": "c1", "functionPath": "messages:send", "fromSeq": 4, "toSeq": 5 },
                { "call": "c2", "functionPath": "messages:edit", "fromSeq": 5, "toSeq": 6 },
            ],
            "changes": [
                { "seq": 5, "table": "messages", "id": "m1", "op": "insert", "after": "{\"text\":\"a\"}" },
                { "seq": 6, "table": "messages", "id": "m1", "op": "update", "before": "{\"text\":\"a\"}", "after": "{\"text\":\"b\"}" },
            ],
        })
    }

    #[test]
    fn each_change_names_its_cause() {
        let lines: Vec<String> = changes(commit()).iter().map(event_line).collect();
        assert_eq!(
            lines,
            [
                "12:03:04.123Z  messages:general  #5 insert messages m1  {\"text\":\"a\"}  ← messages:send",
                "12:03:04.123Z  messages:general  #6 update messages m1  text: \"a\" → \"b\"  ← messages:edit",
            ]
        );
        let [first, ..] = &changes(commit())[..] else { return };
        assert_eq!((first["call"].as_str(), first["n"].as_u64()), (Some("c1"), Some(9)));
        let mut swept = commit();
        swept["calls"] = json!([]);
        assert!(changes(swept).iter().all(|change| change.get("call").is_none()));
        assert_eq!(changes(json!({})), Vec::<Json>::new());
    }

    #[test]
    fn changes_that_are_not_listed_are_counted() {
        let mut many = commit();
        many["omitted"] = json!(40);
        many["toSeq"] = json!(46);
        let all = changes(many);
        assert_eq!(all.len(), 3);
        let line = "12:03:04.123Z  messages:general  40 changes up to #46 are in the shard's log alone";
        assert_eq!(event_line(&all[2]), line);
        let mut brief = commit();
        for (name, value) in [
            ("calls", json!([])),
            ("changes", json!([])),
            ("omitted", json!(2)),
            ("omittedCalls", json!(2)),
        ] {
            brief[name] = value;
        }
        let lines: Vec<String> = changes(brief).iter().map(event_line).collect();
        assert_eq!(
            lines,
            ["12:03:04.123Z  messages:general  2 changes up to #6 are in the shard's log alone, of 2 mutations"]
        );
    }

    #[test]
    fn the_stored_log_says_how_far_it_goes() {
        let answer = json!({ "epoch": "e1", "floor": 2, "head": 5, "entries": [
            { "seq": 5, "at": 0, "table": "notes", "id": "n1", "op": "delete", "before": { "text": "a" }, "after": null },
        ]});
        assert_eq!(
            stored_lines("__root__", &answer),
            "1970-01-01 00:00:00.000Z  #5 delete notes n1  {\"text\":\"a\"}\n__root__: kept from #2 to #5, epoch e1\n"
        );
    }
}
