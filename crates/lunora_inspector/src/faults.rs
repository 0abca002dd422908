//! The faults that the worker knows, as `GET /api/faults` lists them. The worker itself checks what it is given.

use serde::Serialize;

/// A number that a fault takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Field {
    pub name: &'static str,
    pub minimum: u64,
    /// None where only the object's own state limits it.
    pub maximum: Option<u64>,
    pub is_optional: bool,
}

/// One kind of fault.
#[derive(Debug, Serialize)]
pub(crate) struct Fault {
    pub fault: &'static str,
    /// What happens, in a sentence.
    pub what: &'static str,
    /// Names that say where: `object`, `socket`, `region`.
    pub target: &'static [&'static str],
    pub fields: &'static [Field],
}

const fn field(name: &'static str, minimum: u64, maximum: u64) -> Field {
    Field {
        name,
        minimum,
        maximum: Some(maximum),
        is_optional: false,
    }
}

const fn optional(name: &'static str, minimum: u64, maximum: Option<u64>) -> Field {
    Field {
        name,
        minimum,
        maximum,
        is_optional: true,
    }
}

const SOCKET: &[&str] = &["object", "socket"];
const OBJECT: &[&str] = &["object"];

/// All of them.
pub(crate) const FAULTS: [Fault; 7] = [
    Fault {
        fault: "dropSocket",
        what: "The socket is lost, as when a network goes away.",
        target: SOCKET,
        fields: &[],
    },
    Fault {
        fault: "cutPoke",
        what: "The next poke to the socket is lost after so many frames, and the socket with it.",
        target: SOCKET,
        fields: &[optional("afterFrames", 0, Some(1_000))],
    },
    Fault {
        fault: "swapFrames",
        what: "The next two messages to the socket change places.",
        target: SOCKET,
        fields: &[],
    },
    Fault {
        fault: "delayPokes",
        what: "So many pokes of the object are handed over late.",
        target: OBJECT,
        fields: &[field("ms", 1, 30_000), optional("count", 1, Some(100))],
    },
    Fault {
        fault: "trimLog",
        what: "The op-log is trimmed up to a position, its head unless one is named, under whoever follows it.",
        target: OBJECT,
        fields: &[optional("to", 0, None)],
    },
    Fault {
        fault: "evict",
        what: "The object leaves memory, and its sockets with it.",
        target: OBJECT,
        fields: &[],
    },
    Fault {
        fault: "failRegion",
        what: "No object of the region can be reached for so long, or again at once for 0; null is where nothing is pinned.",
        target: &["region"],
        fields: &[field("ms", 0, 60_000)],
    },
];
