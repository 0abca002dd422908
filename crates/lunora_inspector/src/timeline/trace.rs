//! From a change to the call that made it and the pokes that carried it, and the other way.

use serde::Serialize;
use serde_json::Value;

use super::Timeline;

/// Pokes, log lines and calls in one answer.
const MOST: usize = 1_000;

/// Where a trace begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraceOf {
    /// At a call.
    Call(String),
    /// At a position of an object's log.
    Change {
        /// The object's name.
        object: String,
        /// The position.
        seq: u64,
    },
}

/// A call and what it led to. Events are as they were told; what is not held any more, or never happened, is not there.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Trace {
    /// What the Worker answered.
    pub request: Option<Value>,
    /// The call that ran.
    pub call: Option<Value>,
    /// What made it: the call of an action, or a request that the app answers itself.
    pub parent: Option<Value>,
    /// Calls that it made itself, in the order in which they ended.
    pub children: Vec<Value>,
    /// The commit that holds its changes.
    pub commit: Option<Value>,
    /// Its own changes, of those that the commit's event holds; of a trace that begins at a position that no call wrote,
    /// all of the commit.
    pub ops: Vec<Value>,
    /// What sockets were sent.
    pub pokes: Vec<Value>,
    /// What was logged meanwhile.
    pub logs: Vec<Value>,
    /// Other events of the call: of jobs, clients and faults.
    pub others: Vec<Value>,
}

fn within(value: &Value, seq: u64) -> bool {
    let position = |field: &str| value.get(field).and_then(Value::as_u64);
    position("fromSeq").is_some_and(|from| from < seq) && position("toSeq").is_some_and(|to| seq <= to)
}

/// The cause among a commit's calls for which `holds`.
fn cause(commit: &Value, holds: impl Fn(&Value) -> bool) -> Option<&Value> {
    commit.get("calls")?.as_array()?.iter().find(|cause| holds(cause))
}

fn changes(commit: &Value, holds: impl Fn(u64) -> bool) -> Vec<Value> {
    let all = commit.get("changes").and_then(Value::as_array).into_iter().flatten();
    all.filter(|change| change.get("seq").and_then(Value::as_u64).is_some_and(&holds))
        .cloned()
        .collect()
}

impl Timeline {
    fn value(&self, number: u64) -> Option<Value> {
        // What is held was written by serde_json itself.
        serde_json::from_str(&self.entry(number)?.json(number)).ok()
    }

    /// Follows the lists of a call, or of a position; nothing is searched. `None` when nothing is held.
    #[must_use]
    pub fn trace(&self, of: &TraceOf) -> Option<Trace> {
        match of {
            TraceOf::Call(call) => self.trace_of_call(call),
            TraceOf::Change { object, seq } => self.trace_of_change(object, *seq),
        }
    }

    fn trace_of_call(&self, call: &str) -> Option<Trace> {
        let numbers = self.lists.of_call(call)?;
        let mut trace = Trace::default();
        for number in numbers {
            let Some(kind) = self.entry(*number).map(|entry| entry.kind.clone()) else {
                continue;
            };
            let Some(event) = self.value(*number) else { continue };
            match &*kind {
                "request" => trace.request = Some(event),
                "call" if event.get("call").and_then(Value::as_str) == Some(call) => trace.call = Some(event),
                "call" if trace.children.len() < MOST => trace.children.push(event),
                "call" => {}
                "commit" => {
                    let own = cause(&event, |cause| cause.get("call").and_then(Value::as_str) == Some(call));
                    trace
                        .ops
                        .extend(changes(&event, |seq| own.is_some_and(|own| within(own, seq))));
                    trace.commit = Some(event);
                }
                "poke" if trace.pokes.len() < MOST => trace.pokes.push(event),
                "log" if trace.logs.len() < MOST => trace.logs.push(event),
                "poke" | "log" => {}
                _ if trace.others.len() < MOST => trace.others.push(event),
                _ => {}
            }
        }
        let parent = trace.call.as_ref().and_then(|call| call.get("parent")?.as_str());
        trace.parent = parent.and_then(|parent| self.maker(parent));
        Some(trace)
    }

    /// The event of a call, or of the request that it is of.
    fn maker(&self, call: &str) -> Option<Value> {
        let events = self.lists.of_call(call)?.iter().filter_map(|number| {
            let kind = &*self.entry(*number)?.kind;
            matches!(kind, "call" | "request").then(|| self.value(*number))?
        });
        let own = events.filter(|event| event.get("call").and_then(Value::as_str) == Some(call));
        // Of an action both may be there.
        own.max_by_key(|event| event.get("type").and_then(Value::as_str) == Some("call"))
    }

    fn trace_of_change(&self, object: &str, seq: u64) -> Option<Trace> {
        let seqs = self.seqs.get(object)?;
        let commit = seqs
            .commit(seq)
            .and_then(|number| self.value(number))
            .filter(|commit| within(commit, seq));
        let Some(commit) = commit else {
            // The commit has been let go; its pokes come later and may still be there.
            let pokes: Vec<Value> = self.pokes(object, seq.saturating_sub(1), seq);
            return (!pokes.is_empty()).then(|| Trace {
                pokes,
                ..Trace::default()
            });
        };
        let by = cause(&commit, |cause| within(cause, seq)).and_then(|cause| cause.get("call")?.as_str());
        if let Some(trace) = by.and_then(|call| self.trace_of_call(call)) {
            return Some(trace);
        }
        let position = |field: &str| commit.get(field).and_then(Value::as_u64).unwrap_or(seq);
        Some(Trace {
            ops: changes(&commit, |_| true),
            pokes: self.pokes(object, position("fromSeq"), position("toSeq")),
            commit: Some(commit),
            ..Trace::default()
        })
    }

    fn pokes(&self, object: &str, from: u64, to: u64) -> Vec<Value> {
        let numbers = self.seqs.get(object).into_iter().flat_map(|seqs| seqs.pokes(from, to));
        numbers.take(MOST).filter_map(|number| self.value(number)).collect()
    }
}
