//! How long swc's parser alone takes over the TypeScript files of a folder: the floor that code
//! generation is measured against. Prints one line of JSON; the files are in memory before the clock starts.
//!
//! `parse_baseline [--threads N] [--passes N] <folder>`; the time is the median of the passes.
#![allow(clippy::print_stdout, reason = "the output is the purpose of the program")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use swc_core::common::input::StringInput;
use swc_core::common::{BytePos, GLOBALS, Globals};
use swc_core::ecma::parser::{Parser, Syntax, TsSyntax};

/// What the command line asks for.
struct Options {
    threads: usize,
    passes: usize,
    folder: PathBuf,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut threads = 1;
    let mut passes = 1;
    let mut folder = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => threads = arguments.next().ok_or("`--threads` needs a number")?.parse()?,
            "--passes" => passes = arguments.next().ok_or("`--passes` needs a number")?.parse()?,
            path => folder = Some(PathBuf::from(path)),
        }
    }
    if threads == 0 || passes == 0 {
        return Err("`--threads` and `--passes` are at least 1".into());
    }
    Ok(Options {
        threads,
        passes,
        folder: folder.ok_or("name a folder")?,
    })
}

/// Parses one file and returns how many statements it has, so that nothing can be optimised away.
fn parse(source: &str) -> Result<usize, String> {
    let end = u32::try_from(source.len() + 1).map_err(|error| error.to_string())?;
    let input = StringInput::new(source, BytePos(1), BytePos(end));
    let mut parser = Parser::new(Syntax::Typescript(TsSyntax::default()), input, None);
    let module = parser.parse_module().map_err(|error| format!("{error:?}"))?;
    if let Some(error) = parser.take_errors().first() {
        return Err(format!("{error:?}"));
    }
    Ok(module.body.len())
}

/// Parses every file on `threads` threads that take the next one when they are done.
fn parse_all(sources: &[String], threads: usize) -> Result<usize, String> {
    let next = AtomicUsize::new(0);
    let work = || {
        GLOBALS.set(&Globals::new(), || {
            let mut statements = 0;
            while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                statements += parse(source)?;
            }
            Ok::<usize, String>(statements)
        })
    };
    if threads == 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().try_fold(0, |sum, handle| {
            let statements = handle.join().map_err(|_| "a thread ended with a panic".to_owned())??;
            Ok(sum + statements)
        })
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options {
        threads,
        passes,
        folder,
    } = options()?;
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ts"));
    paths.sort();
    let sources = paths.iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?;

    let mut times = Vec::with_capacity(passes);
    let mut statements = 0;
    for _ in 0..passes {
        let started = Instant::now();
        statements = parse_all(&sources, threads)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let milliseconds = times.get(times.len() / 2).copied().unwrap_or_default();
    let bytes: usize = sources.iter().map(String::len).sum();
    println!(
        r#"{{"files":{},"bytes":{bytes},"statements":{statements},"threads":{threads},"passes":{passes},"milliseconds":{milliseconds}}}"#,
        sources.len()
    );
    Ok(())
}
