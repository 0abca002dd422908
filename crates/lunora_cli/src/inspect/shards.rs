//! `lunora shards`.

use serde_json::{Value as Json, json};

use super::arguments::ShardsArguments;
use super::server::Server;
use super::show::{bytes, count, moment, number, plain, table, text};
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::{Answer, carry_out};

/// Names of a page.
const PAGE: u32 = 200;

async fn page(server: &mut Server, cursor: Option<&str>, search: Option<&str>) -> Result<Json, Failure> {
    let limit = PAGE.to_string();
    match server {
        Server::Development(api) => {
            let mut query = vec![("limit", limit.as_str())];
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            query.extend(search.map(|search| ("search", search)));
            api.get("shards", &query).await
        }
        Server::Deployed(_) => {
            let mut body = json!({ "limit": PAGE });
            for (name, value) in [("cursor", cursor), ("search", search)] {
                if let Some(value) = value {
                    body[name] = json!(value);
                }
            }
            server.inspect("shards", &body).await
        }
    }
}

/// All of them, however many pages they are.
async fn all(server: &mut Server, search: Option<&str>) -> Result<Vec<Json>, Failure> {
    let mut shards = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut answer = page(server, cursor.as_deref(), search).await?;
        let Some(Json::Array(names)) = answer.get_mut("shards").map(Json::take) else {
            return Err(Failure::answer("it has no `shards`"));
        };
        shards.extend(names);
        match answer.get("cursor").and_then(Json::as_str) {
            None => return Ok(shards),
            Some(next) if cursor.as_deref() == Some(next) => {
                return Err(Failure::answer("a page of shards is followed by itself"));
            }
            Some(next) => cursor = Some(next.to_owned()),
        }
    }
}

/// What a shard has in a column.
type Column = fn(&Json) -> Option<String>;

/// Columns beside the name, and what a shard has in them.
const COLUMNS: [(&str, Column); 6] = [
    ("tier", |shard| known_text(shard, "tier")),
    ("region", |shard| known_text(shard, "region")),
    ("sockets", |shard| {
        known(shard, "sockets").map(|number| number.to_string())
    }),
    ("ops/s", |shard| {
        field(shard, "opsPerSecond")
            .and_then(Json::as_f64)
            .map(|rate| format!("{rate:.1}"))
    }),
    ("size", |shard| known(shard, "bytes").map(bytes)),
    ("last write", |shard| {
        known(shard, "lastWriteAt").filter(|at| *at > 0).map(moment)
    }),
];

/// Of the shard, or of what the timeline knows of it.
fn field<'json>(shard: &'json Json, name: &str) -> Option<&'json Json> {
    let known = shard.get(name).or_else(|| shard.get("activity")?.get(name));
    known.filter(|value| !value.is_null())
}

fn known(shard: &Json, name: &str) -> Option<u64> {
    let value = field(shard, name)?;
    value.is_number().then(|| number(&json!({ name: value }), name))
}

fn known_text(shard: &Json, name: &str) -> Option<String> {
    field(shard, name)?.as_str().map(plain)
}

/// A column of which nothing is known is left out.
fn lines(shards: &[Json]) -> String {
    let columns: Vec<_> = COLUMNS
        .iter()
        .filter(|(_, of)| shards.iter().any(|shard| of(shard).is_some()))
        .collect();
    let head: Vec<&str> = std::iter::once("shard")
        .chain(columns.iter().map(|(name, _)| *name))
        .collect();
    let rows: Vec<Vec<String>> = shards
        .iter()
        .map(|shard| {
            let known = columns
                .iter()
                .map(|(_, of)| of(shard).unwrap_or_else(|| "–".to_owned()));
            std::iter::once(plain(text(shard, "name"))).chain(known).collect()
        })
        .collect();
    let total = u64::try_from(shards.len()).unwrap_or(u64::MAX);
    if shards.is_empty() {
        return "no shards: one is there from its first call on\n".to_owned();
    }
    format!("{}{}\n", table(&head, &rows), count(total, "shard"))
}

/// Carries the command out.
pub(crate) fn shards(options: &CommandOptions, arguments: &ShardsArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut server = Server::find(options, &arguments.project, &arguments.server).await?;
        let shards = all(&mut server, arguments.search.as_deref()).await?;
        Ok(Answer {
            exit_code: 0,
            text: lines(&shards),
            json: json!({ "shards": shards }),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_has_a_column() {
        let named = [json!({ "name": "__root__", "tier": "root" }), json!({ "name": "a" })];
        assert_eq!(lines(&named), "shard     tier\n__root__  root\na         –\n2 shards\n");
        let told = [
            json!({
                "name": "a", "bytes": 2048,
                "activity": { "sockets": 2, "opsPerSecond": 1.25, "lastWriteAt": 1_795_262_584_123_u64, "region": null },
            }),
            json!({ "name": "b", "activity": null }),
        ];
        assert_eq!(
            lines(&told),
            "shard  sockets  ops/s  size     last write\na      2        1.2    2.0 KiB  2026-11-21 12:03:04.123Z\nb      –        –      –        –\n2 shards\n"
        );
        assert_eq!(lines(&[]), "no shards: one is there from its first call on\n");
    }
}
