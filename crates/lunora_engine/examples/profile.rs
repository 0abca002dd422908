//! Times the stages of code generation on an app: `cargo run --release -p lunora_engine --example profile -- FOLDER [FILE [WORD [ROUNDS]]]`.
//! Without a word an edit adds a comment; with one, its first occurrence in the file is renamed.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for developers of the toolchain"
)]

use std::path::PathBuf;
use std::time::Instant;

use lunora_engine::{Output, Pipeline, Scope, discover};

fn main() {
    let root = PathBuf::from(std::env::args().nth(1).unwrap());
    let file = root
        .join("lunora")
        .join(std::env::args().nth(2).unwrap_or_else(|| "notes.ts".to_owned()));
    let rounds = std::env::args().nth(4).map_or(4, |rounds| rounds.parse().unwrap());
    for output in [Output::Codegen, Output::Worker] {
        let started = Instant::now();
        let mut pipeline = Pipeline::open(discover(&root, None).unwrap(), output, &[]).unwrap();
        println!("{output:?} open {:?}", started.elapsed());
        let started = Instant::now();
        let built = pipeline.run(Scope::Modules).unwrap();
        println!(
            "{output:?} cold {:?} (generate {:?})",
            started.elapsed(),
            built.generate_time
        );
        let text = std::fs::read_to_string(&file).unwrap();
        for round in 0..rounds {
            let edited = match std::env::args().nth(3) {
                Some(word) => text.replacen(&word, &format!("{word}{round}"), 1),
                None => format!("{text}\n// {round}\n"),
            };
            std::fs::write(&file, edited).unwrap();
            let started = Instant::now();
            pipeline.reread([file.as_path()]).unwrap();
            let reread = started.elapsed();
            let built = pipeline.run(Scope::Modules).unwrap();
            println!(
                "{output:?} edit {:?} (reread {reread:?}, generate {:?})",
                started.elapsed(),
                built.generate_time
            );
        }
        std::fs::write(&file, text).unwrap();
        let started = Instant::now();
        drop(pipeline);
        println!("{output:?} drop {:?}", started.elapsed());
    }
}
