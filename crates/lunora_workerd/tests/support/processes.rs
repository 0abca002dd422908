//! The workerd processes of one state folder, as the kernel sees them.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Numbers of the living processes that were started in `state`.
pub fn workerds(state: &Path) -> Vec<u32> {
    let state = state.canonicalize().unwrap();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process| {
            let folder = PathBuf::from(format!("/proc/{process}"));
            let is_workerd = std::fs::read(folder.join("cmdline"))
                .is_ok_and(|line| line.starts_with(b"/") && contains(&line, b"/workerd\0"));
            is_workerd && std::fs::read_link(folder.join("cwd")).is_ok_and(|cwd| cwd == state)
        })
        .collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Waits for a process beside `serving`.
pub async fn spare_beside(serving: u32, state: &Path) -> u32 {
    let found = async {
        loop {
            if let Some(spare) = workerds(state).into_iter().find(|process| *process != serving) {
                return spare;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect("a spare is started")
}

/// Whether the process has a database below `state` open.
pub fn has_data_open(process: u32, state: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{process}/fd")) else {
        return false;
    };
    entries
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .any(|file| file.starts_with(state) && file.to_string_lossy().contains(".sqlite"))
}
