//! Queries and mutations that have another answer the next time: a live query would not notice, and a mutation that is
//! run again, by a client's optimistic half or after a lost answer, would do something else.

use std::collections::BTreeMap;

use lunora_diagnostics::{Diagnostic, Span, codes};
use lunora_ir::{Application, FunctionKind, Observations};

pub(super) fn check(application: &Application, observations: &Observations) -> Vec<Diagnostic> {
    // One helper that many functions call is one place to mend.
    let mut places: BTreeMap<(&str, Span), (&'static str, Vec<&str>)> = BTreeMap::new();
    for moment in &observations.moments {
        let (_, functions) = places
            .entry((&moment.file, moment.span))
            .or_insert_with(|| (moment.written, Vec::new()));
        functions.push(&moment.function);
    }
    places
        .into_iter()
        .map(|((file, span), (written, mut functions))| {
            functions.sort_unstable();
            functions.dedup();
            let kind = functions
                .first()
                .and_then(|path| application.functions.iter().find(|function| function.path == **path))
                .map(|function| function.kind);
            let message = format!(
                "`{written}` runs in {}: {}",
                named(&functions),
                reason(written, kind.unwrap_or(FunctionKind::Query))
            );
            Diagnostic::warning(codes::NOT_DETERMINISTIC, message)
                .at(file, span)
                .with_help(help(written))
        })
        .collect()
}

fn named(functions: &[&str]) -> String {
    match functions {
        [] => "a function".to_owned(),
        [only] => format!("`{only}`"),
        [first, rest @ ..] => format!("`{first}` and {} more", rest.len()),
    }
}

fn reason(written: &str, kind: FunctionKind) -> &'static str {
    match (written, kind) {
        ("fetch()" | "setTimeout()" | "setInterval()", _) => {
            "a transaction waits for nothing outside its shard, and everybody else waits for it"
        }
        (_, FunctionKind::Mutation) => {
            "a mutation that is run again, or ahead on a client, would come to something else"
        }
        _ => "a live query would not be asked again when that has another answer",
    }
}

fn help(written: &str) -> &'static str {
    match written {
        "Date.now()" | "new Date()" | "Date()" | "performance.now()" => {
            "Use `ctx.now`, the time of the call in milliseconds: `new Date(ctx.now)`."
        }
        "fetch()" => "Call it in an action, and write what it brings with `ctx.runMutation`.",
        "setTimeout()" | "setInterval()" => {
            "Do what comes later in a function of its own that is scheduled, or wait in an action."
        }
        _ => "Take it as an argument, or draw it in an action; ids of rows are made by `ctx.db.insert`.",
    }
}
