//! `lunora mail`: the development inbox.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use lunora_diagnostics::codes;
use serde_json::{Value as Json, json};

use super::show::{bytes, count, moment, number, plain, table, text};
use crate::arguments::ProjectArguments;
use crate::inspector_api::InspectorApi;
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::{Answer, carry_out};

/// How often the inbox is looked at while a mail is waited for.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// Options of `lunora mail`.
#[derive(Debug, Args)]
pub struct MailArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: MailCommand,
}

/// The commands of the inbox.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List the mails that the app has sent and got, the newest first.
    List(ListArguments),
    /// Show a mail.
    Show(ShowArguments),
    /// Wait until a mail is there, and show it.
    Wait(WaitArguments),
    /// Give a mail to the worker's `email()` handler, and show what it does.
    SendInbound(InboundArguments),
    /// Delete all mails.
    Clear(ClearArguments),
}

/// Options of `lunora mail list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Words, `from:`, `to:`, `subject:`, `has:attachment` and `is:unread`.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub search: String,
    /// At most so many of the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
}

/// Options of `lunora mail show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// The mail, as `lunora mail list` names it.
    #[arg(value_name = "ID")]
    pub id: String,
    /// The raw message; bytes that are no UTF-8 are replaced.
    #[arg(long, conflicts_with = "html")]
    pub raw: bool,
    /// The HTML, as it was sent.
    #[arg(long)]
    pub html: bool,
}

/// Options of `lunora mail wait`.
#[derive(Debug, Args)]
pub struct WaitArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Part of a recipient's address.
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<String>,
    /// Part of the subject.
    #[arg(long, value_name = "TEXT")]
    pub subject: Option<String>,
    /// How many seconds to wait at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub timeout: u32,
}

/// Options of `lunora mail send-inbound`.
#[derive(Debug, Args)]
pub struct InboundArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// Who sends it.
    #[arg(long, value_name = "ADDRESS")]
    pub from: String,
    /// Who gets it.
    #[arg(long, value_name = "ADDRESS")]
    pub to: String,
    /// What it is about.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub subject: String,
    /// Its text.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Its HTML.
    #[arg(long, value_name = "HTML")]
    pub html: Option<String>,
    /// A file with the raw message, instead of the three.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subject", "text", "html"])]
    pub raw: Option<PathBuf>,
}

/// Options of `lunora mail clear`.
#[derive(Debug, Args)]
pub struct ClearArguments {
    /// Which project.
    #[command(flatten)]
    pub project: ProjectArguments,
    /// They are not to be had back.
    #[arg(long, required = true)]
    pub yes: bool,
}

fn texts(json: &Json, field: &str) -> String {
    let list = json.get(field).and_then(Json::as_array);
    let list = list.into_iter().flatten().filter_map(Json::as_str).map(plain);
    list.collect::<Vec<_>>().join(", ")
}

fn lines(answer: &Json) -> String {
    let mails = answer.get("mails").and_then(Json::as_array);
    let rows: Vec<Vec<String>> = mails
        .into_iter()
        .flatten()
        .map(|mail| {
            let is_unread = mail.get("isRead") == Some(&json!(false));
            vec![
                plain(text(mail, "id")),
                moment(number(mail, "at")),
                if is_unread { "unread" } else { "read" }.to_owned(),
                text(mail, "direction").to_owned(),
                plain(text(mail, "from")),
                texts(mail, "to"),
                plain(text(mail, "subject")).replace('\n', " "),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "no mails\n".to_owned();
    }
    let head = ["id", "time", "", "way", "from", "to", "subject"];
    format!("{}{}\n", table(&head, &rows), count(number(answer, "count"), "mail"))
}

fn shown(mail: &Json) -> String {
    let mut said = String::new();
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            said.push_str(&format!("{name:<12}{value}\n"));
        }
    };
    field("id", plain(text(mail, "id")));
    field("time", moment(number(mail, "at")));
    field("from", plain(text(mail, "from")));
    field("to", texts(mail, "to"));
    field("cc", texts(mail, "cc"));
    field("bcc", texts(mail, "bcc"));
    field("subject", plain(text(mail, "subject")));
    field("region", plain(text(mail, "region")));
    field("function", plain(text(mail, "functionPath")));
    let outcome = mail.get("outcome").unwrap_or(&Json::Null);
    field(
        "outcome",
        [text(outcome, "outcome"), text(outcome, "reason")]
            .join(" ")
            .trim()
            .to_owned(),
    );
    field("links", texts(mail, "links"));
    field("codes", texts(mail, "codes"));
    for part in mail.get("parts").and_then(Json::as_array).into_iter().flatten() {
        if part.get("isAttachment") == Some(&json!(true)) {
            let name = format!(
                "{} {} ({})",
                plain(text(part, "name")),
                plain(text(part, "type")),
                bytes(number(part, "size"))
            );
            field("file", name.trim().to_owned());
        }
    }
    format!("{said}\n{}\n", plain(text(mail, "text")).trim_end())
}

/// A term of a search, whose value is taken as it stands.
fn term(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!("{name}:\"{}\" ", value.replace('"', "")))
}

fn answer(text: String, json: Json) -> Answer {
    Answer {
        exit_code: 0,
        text,
        json,
    }
}

fn list(options: &CommandOptions, arguments: &ListArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut api = InspectorApi::reach(options, &arguments.project).await?;
        let limit = arguments.limit.to_string();
        let found = api
            .get("mail", &[("limit", &limit), ("search", &arguments.search)])
            .await?;
        Ok(answer(lines(&found), found))
    })
}

fn show(options: &CommandOptions, arguments: &ShowArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut api = InspectorApi::reach(options, &arguments.project).await?;
        // An id is letters, digits and a hyphen; what is not leads nowhere.
        let id: String = arguments
            .id
            .chars()
            .filter(|one| one.is_ascii_alphanumeric() || *one == '-')
            .collect();
        if arguments.raw {
            let raw = api.get_bytes(&format!("mail/{id}/raw")).await?;
            let raw = String::from_utf8_lossy(&raw).into_owned();
            return Ok(answer(raw.clone(), json!({ "raw": raw })));
        }
        let mail = api.get(&format!("mail/{id}"), &[]).await?;
        let said = if arguments.html {
            format!("{}\n", text(&mail, "html"))
        } else {
            shown(&mail)
        };
        Ok(answer(said, mail))
    })
}

fn wait(options: &CommandOptions, arguments: &WaitArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut api = InspectorApi::reach(options, &arguments.project).await?;
        let search = term("to", arguments.to.as_deref()) + &term("subject", arguments.subject.as_deref());
        let begun = Instant::now();
        loop {
            let found = api.get("mail", &[("limit", "1"), ("search", &search)]).await?;
            if let Some(id) = found.pointer("/mails/0/id").and_then(Json::as_str) {
                let mail = api.get(&format!("mail/{id}"), &[]).await?;
                return Ok(answer(shown(&mail), mail));
            }
            if begun.elapsed() >= Duration::from_secs(arguments.timeout.into()) {
                let why = format!("no mail that `{}` finds came in {} s", search.trim(), arguments.timeout);
                return Err(Failure::failed(codes::MAIL_NOT_FOUND, why));
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    })
}

fn send_inbound(options: &CommandOptions, arguments: &InboundArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut body = json!({ "from": arguments.from, "to": arguments.to, "subject": arguments.subject });
        if let Some(file) = &arguments.raw {
            let path = options.working_directory.join(file);
            let raw = std::fs::read_to_string(&path).map_err(|error| {
                Failure::usage(
                    codes::FILE_READ_FAILED,
                    format!("`{}` cannot be read: {error}", path.display()),
                )
            })?;
            body["raw"] = json!(raw);
        }
        for (name, value) in [("text", &arguments.text), ("html", &arguments.html)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        let mut api = InspectorApi::reach(options, &arguments.project).await?;
        let came = api.post_once("mail/inbound", &body).await?;
        let outcome = text(&came, "outcome").to_owned();
        let mut said = format!("{outcome} {}", plain(text(&came, "reason"))).trim().to_owned() + "\n";
        for (what, field) in [("forwarded to", "forwarded"), ("replied with", "replies")] {
            let list = texts(&came, field);
            if !list.is_empty() {
                said.push_str(&format!("{what} {list}\n"));
            }
        }
        for log in came.get("logs").and_then(Json::as_array).into_iter().flatten() {
            let (level, line) = (plain(text(log, "level")), plain(text(log, "text")));
            said.push_str(&format!("  {level} {line}\n"));
        }
        Ok(Answer {
            exit_code: u8::from(outcome != "accepted"),
            text: said,
            json: came,
        })
    })
}

fn clear(options: &CommandOptions, arguments: &ClearArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut api = InspectorApi::reach(options, &arguments.project).await?;
        let done = api.post("mail/clear", &json!({})).await?;
        Ok(answer("the inbox is empty\n".to_owned(), done))
    })
}

/// Carries the command out.
pub(crate) fn mail(options: &CommandOptions, arguments: &MailArguments) -> CommandOutcome {
    match &arguments.command {
        MailCommand::List(arguments) => list(options, arguments),
        MailCommand::Show(arguments) => show(options, arguments),
        MailCommand::Wait(arguments) => wait(options, arguments),
        MailCommand::SendInbound(arguments) => send_inbound(options, arguments),
        MailCommand::Clear(arguments) => clear(options, arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_line_for_each() {
        let found = json!({ "count": 1, "mails": [{ "id": "1", "at": 1_795_262_584_123_u64, "isRead": false, "direction": "sent",
            "from": "a@b.c", "to": ["d@e.f", "g@h.i"], "subject": "Hi\u{1b}[2J\nx" }] });
        assert_eq!(
            lines(&found),
            "id  time                              way   from   to            subject\n1   2026-11-21 12:03:04.123Z  unread  sent  a@b.c  d@e.f, g@h.i  Hi\\u{1b}[2J x\n1 mail\n"
        );
        assert_eq!(lines(&json!({ "mails": [] })), "no mails\n");
    }

    #[test]
    fn a_mail_is_shown_with_what_it_has() {
        let mail = json!({ "id": "1", "at": 1_795_262_584_123_u64, "from": "a@b.c", "to": ["d@e.f"], "subject": "s", "text": "hello\n",
            "codes": ["123456"], "parts": [{ "name": "a.pdf", "type": "application/pdf", "size": 2048, "isAttachment": true }] });
        assert_eq!(
            shown(&mail),
            "id          1\ntime        2026-11-21 12:03:04.123Z\nfrom        a@b.c\nto          d@e.f\nsubject     s\ncodes       123456\nfile        a.pdf application/pdf (2.0 KiB)\n\nhello\n"
        );
    }

    #[test]
    fn a_value_with_blanks_stays_one_term() {
        assert_eq!(term("subject", Some("a \"b\" c")), "subject:\"a b c\" ");
        assert_eq!(term("to", None), "");
    }
}
