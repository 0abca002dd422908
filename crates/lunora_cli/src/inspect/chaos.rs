//! `lunora chaos`.

use serde_json::{Value as Json, json};

use super::arguments::ChaosArguments;
use super::show::{clock, number};
use crate::inspector_api::InspectorApi;
use crate::outcome::CommandOutcome;
use crate::run::CommandOptions;
use crate::transfer::failure::Failure;
use crate::transfer::{Answer, carry_out};

fn line(chaos: &Json) -> String {
    if chaos.is_null() {
        return "nothing goes wrong on purpose\n".to_owned();
    }
    let (seed, step, since) = (
        number(chaos, "seed"),
        number(chaos, "step"),
        clock(number(chaos, "startedAt")),
    );
    format!("seed {seed} since {since}, at step {step}\n")
}

/// Carries the command out.
pub(crate) fn chaos(options: &CommandOptions, arguments: &ChaosArguments) -> CommandOutcome {
    carry_out(options, arguments.project.json, || async {
        let mut api = InspectorApi::reach(options, &arguments.project).await?;
        let answer = if arguments.seed.is_some() || arguments.stop {
            api.post_once("chaos", &json!({ "seed": arguments.seed })).await?
        } else {
            api.get("status", &[]).await?
        };
        let chaos = answer
            .get("chaos")
            .ok_or_else(|| Failure::answer("it has no `chaos`"))?;
        Ok(Answer {
            exit_code: 0,
            text: line(chaos),
            json: json!({ "chaos": chaos }),
        })
    })
}
