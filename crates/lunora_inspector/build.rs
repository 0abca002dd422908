//! Compresses the built UI, once, into what is embedded. Without a built UI nothing is embedded, and the inspector says so.
//! The tap has no such way out: without it the inspector would be silently blind.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

const UI: &str = "../../npm/inspector/dist";
const TAP: &str = "../../npm/do/tap/dist/tap.js";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={UI}");
    println!("cargo::rerun-if-changed={TAP}");
    let target = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::copy(TAP, target.join("tap.js"))
        .map_err(|error| format!("{TAP} cannot be read ({error}): run `npm run build`, which makes it"))?;
    let folder = target.join("ui");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    if Path::new(UI).join("index.html").exists() {
        compress(Path::new(UI), &folder)?;
    }
    Ok(())
}

/// Every file below `from` as one of the same name below `to`, with `.gz` added.
fn compress(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            compress(&entry.path(), &to.join(entry.file_name()))?;
            continue;
        }
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| "a file's name is no UTF-8")?;
        let mut encoder = GzEncoder::new(File::create(to.join(format!("{name}.gz")))?, Compression::best());
        io::copy(&mut BufReader::new(File::open(entry.path())?), &mut encoder)?;
        encoder.finish()?;
    }
    Ok(())
}
