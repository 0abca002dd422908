//! The timeline's memory stays what its limits say, however much goes through it.

#![allow(clippy::unwrap_used, clippy::print_stderr, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use lunora_inspector::timeline::{Entry, Limits, Timeline};
use lunora_testing::Random;
use serde_json::json;

struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system's own; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as for this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Every event of a call, a socket and often an object that no other has: the most lists that there can be.
fn event(random: &mut Random, at: u64) -> Entry {
    let object = if random.one_in(2) {
        format!("rooms:{at}")
    } else {
        "rooms:busy".to_owned()
    };
    let padding = "x".repeat(random.below(300));
    let event = match random.below(3) {
        0 => json!({ "type": "call", "at": at, "call": format!("call{at}"), "object": object, "args": padding }),
        1 => {
            json!({ "type": "commit", "at": at, "object": object, "fromSeq": at, "toSeq": at + 1, "calls": [{ "call": format!("call{at}") }], "changes": [padding] })
        }
        _ => {
            json!({ "type": "poke", "at": at, "object": object, "socket": format!("socket{at}"), "fromSeq": at, "toSeq": at + 1, "calls": [format!("call{at}")] })
        }
    };
    Entry::parse(&event.to_string(), Some("eu")).unwrap()
}

#[test]
fn memory_is_bounded_by_the_limits() {
    let mut random = Random::from_environment("memory_is_bounded_by_the_limits", 3);
    let limits = Limits {
        entries: 20_000,
        bytes: 8 * 1024 * 1024,
    };
    let before = ALLOCATED.load(Ordering::Relaxed);
    let mut timeline = Timeline::new(limits);
    let mut most = 0;
    for at in 0..100_000 {
        timeline.push(event(&mut random, at));
        if at % 1_000 == 0 {
            most = most.max(ALLOCATED.load(Ordering::Relaxed) - before);
        }
    }
    let size = timeline.size();
    assert!(size.entries > 5_000, "{size:?}");
    let held = ALLOCATED.load(Ordering::Relaxed) - before;
    eprintln!(
        "{} entries: reckoned {} bytes, allocated {held}, at most {most}",
        size.entries, size.bytes
    );
    assert!(most < limits.bytes * 3 / 2, "at most {most} bytes were allocated");
    drop(timeline);
    // The test's own threads have a few things of their own.
    assert!(ALLOCATED.load(Ordering::Relaxed) < before + 64 * 1024);
}
