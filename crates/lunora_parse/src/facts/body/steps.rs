//! Tracked values and the way from one to its parts.

use crate::facts::{Name, Path, Root, Tracked};

/// Property accesses are followed this far; deeper is plain data.
const MAX_STEPS: usize = 8;

/// The step to an element of an array.
pub(super) fn element_step() -> Name {
    "[]".into()
}

/// The step to a property whose name is not visible.
pub(super) fn hidden_step() -> Name {
    "?".into()
}

/// A private name, which no other name equals.
pub(in crate::facts) fn private(name: &Name) -> Name {
    format!("#{name}").into()
}

pub(super) fn root(root: Root) -> Tracked {
    Tracked::Path(Box::new(Path {
        root,
        steps: Vec::new(),
    }))
}

pub(super) fn either(left: Tracked, right: Tracked) -> Tracked {
    match (left, right) {
        (left, right) if left == right => left,
        (Tracked::Unknown, Tracked::Unknown) => Tracked::Unknown,
        (left, right) => Tracked::Either(vec![left, right]),
    }
}

/// A property of a tracked value.
pub(super) fn step(value: &Tracked, name: &Name) -> Tracked {
    match value {
        Tracked::Object(shape) => {
            if let Some((_, value)) = shape.properties.iter().rev().find(|(key, _)| key == name) {
                return value.clone();
            }
            match &shape.spreads[..] {
                [] => Tracked::Unknown,
                [only] => step(only, name),
                several => Tracked::Either(several.iter().map(|value| step(value, name)).collect()),
            }
        }
        Tracked::Unknown | Tracked::String(_) => Tracked::Unknown,
        other => into_step(other.clone(), name),
    }
}

/// The same of a value that is not needed any more.
pub(super) fn into_step(value: Tracked, name: &Name) -> Tracked {
    match value {
        Tracked::Path(mut path) if path.steps.len() < MAX_STEPS => {
            path.steps.push(name.clone());
            Tracked::Path(path)
        }
        Tracked::Path(_) | Tracked::Unknown | Tracked::String(_) => Tracked::Unknown,
        Tracked::Object(_) => step(&value, name),
        Tracked::Either(values) => Tracked::Either(values.into_iter().map(|value| into_step(value, name)).collect()),
    }
}
