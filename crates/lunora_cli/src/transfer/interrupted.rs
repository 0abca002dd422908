//! An import that was interrupted: what of it is left, and giving it up.

use lunora_client::AdminClient;
use lunora_diagnostics::codes;
use lunora_transfer::ImportPlan;
use serde_json::json;

use super::failure::Failure;
use super::progress::Progress;
use super::target::Target;
use super::{Answer, absolute, connect, tick};
use crate::arguments::ImportArguments;
use crate::run::CommandOptions;

/// The same command with another wish, for a shell.
fn command(arguments: &ImportArguments, wish: &str) -> String {
    let quoted = |text: &str| {
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-:@=,+~".contains(character);
        if !text.is_empty() && text.chars().all(is_plain) {
            text.to_owned()
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
    };
    let mut words = vec![
        "lunora import".to_owned(),
        quoted(&arguments.dump.display().to_string()),
    ];
    words.extend(
        arguments
            .target
            .url
            .as_ref()
            .map(|url| format!("--url {}", quoted(url))),
    );
    let options = [(arguments.target.prod, "--prod")];
    words.extend(
        options
            .iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, name)| (*name).to_owned()),
    );
    let file = arguments.target.token_file.as_ref();
    words.extend(file.map(|file| format!("--token-file {}", quoted(&file.display().to_string()))));
    if wish == "--resume" {
        let modes = [(arguments.merge, "--merge"), (arguments.replace, "--replace")];
        words.extend(
            modes
                .iter()
                .filter(|(is_set, _)| *is_set)
                .map(|(_, name)| (*name).to_owned()),
        );
        let tables = arguments.target.tables.as_ref();
        words.extend(tables.map(|names| format!("--tables {}", quoted(&names.join(",")))));
    }
    words.push(wish.to_owned());
    words.join(" ")
}

/// What an interrupt left: nothing where no row had arrived, else all that is needed to go on or to give it up.
pub(super) async fn failure(
    client: &mut AdminClient,
    plan: &ImportPlan,
    arguments: &ImportArguments,
    progress: &mut Progress,
) -> Failure {
    let say = |message: String| Failure::interrupted(codes::IMPORT_INTERRUPTED, message);
    let resume = command(arguments, "--resume");
    if progress.is_committed() {
        return say(
            "interrupted after the commit: the rows count, and each shard takes them in when it is reached".to_owned(),
        )
        .with_help(format!(
            "`{resume}` lets all of them do so now, and compares both sides."
        ));
    }
    let left = match lunora_transfer::left_import(plan, &client.address().to_string()) {
        Ok(Some(left)) => left,
        Ok(None) => {
            return say("interrupted before it had begun; nothing was done".to_owned()).with_help("Begin again.");
        }
        Err(error) => return error.into(),
    };
    // What has not begun is not worth an app that answers nobody.
    if left.staged == 0 && lunora_transfer::abort_plan(client, plan, progress).await.is_ok() {
        return say("interrupted before rows had arrived: given up, and nothing of it is left".to_owned())
            .with_help("Begin again.");
    }
    say(format!(
        "interrupted: {} rows are staged, none of them counts, and the app answers `IMPORT_IN_PROGRESS` meanwhile",
        left.staged
    ))
    .with_help(format!(
        "`{resume}` goes on; `{}` gives it up, and the app answers again. After an hour it is given up by itself.",
        command(arguments, "--abort")
    ))
}

/// `lunora import --abort`.
pub(super) async fn give_up(
    options: &CommandOptions,
    target: &Target,
    arguments: &ImportArguments,
) -> Result<Answer, Failure> {
    let (mut client, _) = connect(target).await?;
    let mut progress = Progress::new(true, "");
    let result = lunora_transfer::abort(&mut client, &absolute(options, &arguments.dump), &mut progress).await;
    result.map_err(|error| {
        let failure = Failure::from(error);
        if failure.is_code("IMPORT_NOT_OPEN") {
            return failure.with_help(format!(
                "Its rows count already. `{}` finishes it, and compares both sides.",
                command(arguments, "--resume")
            ));
        }
        if failure.is_code(codes::TRANSFER_CHECKPOINT_UNUSABLE.as_str()) {
            return failure
                .with_help("What needs no giving up: an import that came to its end, or was refused, left nothing.");
        }
        failure
    })?;
    Ok(Answer {
        exit_code: 0,
        text: format!(
            "{} the import of `{}` is given up, nothing of it is left, and {} answers again\n",
            tick(options.color),
            arguments.dump.display(),
            target.address
        ),
        json: json!({ "dump": arguments.dump, "url": target.address.to_string(), "aborted": true }),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Command, CommandLine};

    fn arguments(words: &[&str]) -> ImportArguments {
        let line = ["lunora", "import"].iter().chain(words);
        match CommandLine::try_parse_from(line).unwrap().command {
            Command::Import(arguments) => arguments,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_that_goes_on_has_the_same_options() {
        let plain = arguments(&["dump"]);
        assert_eq!(command(&plain, "--resume"), "lunora import dump --resume");
        assert_eq!(command(&plain, "--abort"), "lunora import dump --abort");
        let all = arguments(&[
            "my dump",
            "--url",
            "https://a.example.com",
            "--prod",
            "--replace",
            "--tables",
            "a,b",
            "--token-file",
            "t",
            "--yes",
        ]);
        assert_eq!(
            command(&all, "--resume"),
            "lunora import 'my dump' --url https://a.example.com --prod --token-file t --replace --tables a,b --resume"
        );
        assert_eq!(
            command(&all, "--abort"),
            "lunora import 'my dump' --url https://a.example.com --prod --token-file t --abort"
        );
    }

    #[test]
    fn giving_up_takes_no_other_wish() {
        for other in ["--resume", "--verify", "--merge", "--replace", "--yes"] {
            let line = ["lunora", "import", "dump", "--abort", other];
            assert!(CommandLine::try_parse_from(line).is_err(), "{other}");
        }
    }
}
