//! `lunora run`: a function, as somebody, with what it caused.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::Duration;

use lunora_client::InspectorFeed;
use lunora_diagnostics::codes;
use owo_colors::OwoColorize as _;
use serde_json::{Value as Json, json};

use super::arguments::RunArguments;
use super::change::change_line;
use super::pokes::poke_lines;
use super::server::Server;
use super::show::{number, plain, text};
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::target::confirm;
use crate::transfer::{Answer, carry_out};

/// How often, and how many times, the inspector is asked what a call has caused.
const LOOK_PAUSE: Duration = Duration::from_millis(60);
const LOOKS: u32 = 25;

/// Looks after which what has not changed is all that there is.
const QUIET_LOOKS: u32 = 3;

/// Most changes that are shown of a deployed app.
const CHANGES: u32 = 200;

/// Standard input to its end. Node has made it one that does not block.
fn read_standard_input() -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock();
    loop {
        match input.read_to_end(&mut bytes) {
            Ok(_) => return String::from_utf8(bytes).map_err(std::io::Error::other),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(LOOK_PAUSE),
            Err(error) => return Err(error),
        }
    }
}

fn usage(message: String) -> Failure {
    Failure::usage(codes::BAD_REQUEST, message)
}

/// The arguments of the function: an object.
fn arguments_of(options: &CommandOptions, given: Option<&str>) -> Result<Json, Failure> {
    let unreadable = |what: &str, error: std::io::Error| {
        Failure::usage(codes::FILE_READ_FAILED, format!("{what} cannot be read: {error}"))
    };
    let text = match given {
        None => return Ok(json!({})),
        Some("-") => read_standard_input().map_err(|error| unreadable("standard input", error))?,
        Some(given) => match given.strip_prefix('@') {
            Some(file) => std::fs::read_to_string(options.working_directory.join(file))
                .map_err(|error| unreadable(&format!("`{file}`"), error))?,
            None => given.to_owned(),
        },
    };
    let json: Json = serde_json::from_str(&text).map_err(|error| {
        usage(format!("the arguments are not JSON: {error}"))
            .with_help("Put them in single quotes, for example '{\"text\":\"hi\"}', or into a file: `@arguments.json`.")
    })?;
    if json.is_object() {
        return Ok(json);
    }
    Err(usage(
        "the arguments are not a JSON object, which is what every function takes".to_owned(),
    ))
}

/// A user's id, or an identity as JSON.
fn identity_of(given: Option<&str>) -> Result<Json, Failure> {
    let Some(given) = given else { return Ok(Json::Null) };
    if !given.trim_start().starts_with('{') {
        return Ok(json!({ "userId": given }));
    }
    let json: Json =
        serde_json::from_str(given).map_err(|error| usage(format!("the identity of `--as` is not JSON: {error}")))?;
    if json.get("userId").is_some_and(Json::is_string) {
        return Ok(json);
    }
    Err(usage(
        "the identity of `--as` has no `userId` that is a text".to_owned(),
    ))
}

/// What the timeline knows of a call, once nothing more comes. An open feed makes the app tell at once.
async fn caused(server: &mut Server, feed: &mut Option<InspectorFeed>, call: &str, head: u64) -> Result<Json, Failure> {
    let Server::Development(api) = server else {
        return Ok(Json::Null);
    };
    let mut known = Json::Null;
    let mut quiet = 0;
    for _ in 0..LOOKS {
        let trace = match api.get("trace", &[("call", call)]).await {
            Ok(trace) => trace,
            Err(failure) if failure.is_code("NOT_FOUND") => Json::Null,
            Err(failure) => return Err(failure),
        };
        let is_whole = !trace.is_null() && (head == 0 || trace.get("commit").is_some_and(|commit| !commit.is_null()));
        quiet = if trace == known && is_whole { quiet + 1 } else { 0 };
        known = trace;
        if quiet >= QUIET_LOOKS {
            break;
        }
        // What the feed brings is read so that it does not stand still; that it ends changes nothing here.
        match feed {
            Some(open) => {
                let _ = tokio::time::timeout(LOOK_PAUSE, open.next()).await;
                tokio::time::sleep(LOOK_PAUSE / 4).await;
            }
            None => tokio::time::sleep(LOOK_PAUSE).await,
        }
    }
    Ok(known)
}

/// The changes of a call in a deployed app, from the first to the last, as its log has them.
async fn logged(server: &mut Server, object: &str, from: u64, to: u64) -> Result<Json, Failure> {
    let body = json!({ "object": object, "after": from.saturating_sub(1), "limit": CHANGES });
    let answer = server.inspect("oplog", &body).await?;
    let entries = answer
        .get("entries")
        .and_then(Json::as_array)
        .cloned()
        .unwrap_or_default();
    let own = entries.into_iter().filter(|entry| number(entry, "seq") <= to);
    Ok(json!({ "ops": own.collect::<Vec<_>>() }))
}

/// Carries the command out.
pub(crate) fn run(options: &CommandOptions, arguments: &RunArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let args = arguments_of(options, arguments.arguments.as_deref())?;
        let identity = identity_of(arguments.identity.as_deref())?;
        let mut server = Server::find(options, &arguments.project, &arguments.server).await?;
        if arguments.server.prod && !arguments.yes {
            confirm(&question(arguments, &args, &identity))?;
        }
        let mut body = json!({ "functionPath": arguments.function_path, "args": args, "identity": identity });
        if let Some(shard) = &arguments.shard {
            body["object"] = json!(shard);
        }
        let mut feed = match &server {
            Server::Development(api) => Some(api.feed(&json!({ "after": 0, "types": ["fault"] })).await?),
            Server::Deployed(_) => None,
        };
        let mut answer = server.inspect_once("run", &body).await?;
        let (from, to) = (number(&answer, "fromSeq"), number(&answer, "toSeq"));
        let shard = arguments
            .shard
            .clone()
            .or_else(|| Some(text(&answer, "object").to_owned()).filter(|name| !name.is_empty()));
        let known = match (&server, shard) {
            (Server::Development(_), _) => caused(&mut server, &mut feed, text(&answer, "call"), to).await?,
            (Server::Deployed(_), Some(shard)) if to > 0 => logged(&mut server, &shard, from, to).await?,
            (Server::Deployed(_), _) => Json::Null,
        };
        for part in ["ops", "pokes", "logs"] {
            answer[part] = known.get(part).cloned().unwrap_or_else(|| json!([]));
        }
        Ok(Answer {
            exit_code: u8::from(answer.get("error").is_some_and(|error| !error.is_null())),
            text: lines(options.color, &arguments.function_path, &answer),
            json: answer,
        })
    })
}

fn question(arguments: &RunArguments, args: &Json, identity: &Json) -> String {
    let who = match identity.get("userId").and_then(Json::as_str) {
        Some(user) => format!("as `{}`", plain(user)),
        None => "as nobody".to_owned(),
    };
    format!(
        "`{}` runs {who} in\n  {}\nwith {}. What it writes stays written.",
        plain(&arguments.function_path),
        arguments.server.url.as_deref().unwrap_or_default(),
        super::show::cut(&args.to_string()),
    )
}

fn lines(color: bool, function_path: &str, answer: &Json) -> String {
    let mut shown = String::new();
    match answer.get("error").filter(|error| !error.is_null()) {
        Some(error) => {
            let head = format!("error[{}]", plain(text(error, "code")));
            let head = if color { head.red().to_string() } else { head };
            let _ = writeln!(shown, "{head}: {}", plain(text(error, "message")));
            if let Some(hint) = error.get("hint").and_then(Json::as_str) {
                let _ = writeln!(shown, "  help: {}", plain(hint));
            }
        }
        None => {
            let tick = if color {
                "✓".green().to_string()
            } else {
                "✓".to_owned()
            };
            let _ = writeln!(shown, "{tick} {}", plain(function_path));
            let result = answer.get("result").cloned().unwrap_or_default();
            let pretty = serde_json::to_string_pretty(&result).unwrap_or_else(|_| result.to_string());
            let _ = writeln!(shown, "{}", plain(&pretty));
        }
    }
    let mut part = |name: &str, line: &dyn Fn(&Json) -> String| {
        let items = answer.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
        if !items.is_empty() {
            let _ = writeln!(shown, "{name}");
        }
        for item in items {
            let _ = writeln!(shown, "  {}", line(&item).replace('\n', "\n  "));
        }
    };
    part("ops", &change_line);
    part("pokes", &poke_lines);
    part("logs", &|log| {
        format!("{}  {}", plain(text(log, "level")), plain(text(log, "text")))
    });
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lunora_testing::TempProject;

    use super::*;

    #[test]
    fn arguments_come_from_the_command_line_or_a_file() {
        let project = TempProject::new([("a.json", r#"{"text":"from a file"}"#), ("b.json", "[1]")]);
        let options = CommandOptions {
            arguments: Vec::new(),
            working_directory: project.path("."),
            color: false,
            columns: None,
            node_version: None,
        };
        let of = |given: Option<&str>| arguments_of(&options, given);
        assert_eq!(of(None).ok(), Some(json!({})));
        assert_eq!(of(Some(r#"{"a":1}"#)).ok(), Some(json!({ "a": 1 })));
        assert_eq!(of(Some("@a.json")).ok(), Some(json!({ "text": "from a file" })));
        for (given, code) in [
            ("{a:1}", "BAD_REQUEST"),
            ("[1]", "BAD_REQUEST"),
            ("@b.json", "BAD_REQUEST"),
            ("@absent.json", "FILE_READ_FAILED"),
        ] {
            assert!(of(Some(given)).unwrap_err().is_code(code), "{given}");
        }
    }

    #[test]
    fn who_calls() {
        assert_eq!(identity_of(None).ok(), Some(Json::Null));
        assert_eq!(identity_of(Some("ada")).ok(), Some(json!({ "userId": "ada" })));
        let whole = r#"{"userId":"ada","role":"admin"}"#;
        assert_eq!(
            identity_of(Some(whole)).ok(),
            Some(json!({ "userId": "ada", "role": "admin" }))
        );
        for given in ["{", "{}", r#"{"userId":1}"#] {
            assert!(identity_of(Some(given)).unwrap_err().is_code("BAD_REQUEST"), "{given}");
        }
    }

    #[test]
    fn a_result_and_what_it_caused() {
        let answer = json!({
            "result": { "id": "m1" },
            "ops": [{ "seq": 1, "op": "insert", "table": "notes", "id": "m1", "after": "{\"text\":\"a\"}" }],
            "pokes": [],
            "logs": [{ "level": "log", "text": "said" }],
        });
        assert_eq!(
            lines(false, "notes:add", &answer),
            "✓ notes:add\n{\n  \"id\": \"m1\"\n}\nops\n  #1 insert notes m1  {\"text\":\"a\"}\nlogs\n  log  said\n"
        );
        let refused = json!({ "error": { "code": "FORBIDDEN", "message": "not yours", "hint": "Ask." } });
        assert_eq!(
            lines(false, "notes:add", &refused),
            "error[FORBIDDEN]: not yours\n  help: Ask.\n"
        );
    }
}
