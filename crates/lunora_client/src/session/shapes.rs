//! The shapes that are subscribed to, their views, and the poke that is on its way to them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::view::{Outcome, Part, Poke, View};
use super::{Effect, STRIKES};
use crate::frame::{ClientFrame, SubscribedShape};

#[derive(Debug, Default)]
pub(super) struct Shapes {
    shapes: BTreeMap<String, Shape>,
    views: BTreeMap<String, View>,
    /// One comes after the other.
    open: Option<Poke>,
}

#[derive(Debug)]
struct Shape {
    name: String,
    arguments: Json,
    /// Times in a row that it had to be read afresh.
    strikes: u32,
}

impl Shapes {
    /// Notes one; what asks for it.
    pub(super) fn add(&mut self, id: &str, name: &str, arguments: Json) -> ClientFrame {
        let shape = Shape {
            name: name.to_owned(),
            arguments,
            strikes: 0,
        };
        let frame = shape.frame(id, &View::default());
        self.shapes.insert(id.to_owned(), shape);
        self.views.insert(id.to_owned(), View::default());
        frame
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.views.remove(id);
        self.shapes.remove(id).is_some()
    }

    pub(super) fn view(&self, id: &str) -> Option<&View> {
        self.views.get(id)
    }

    /// What asks for all of them, from where they are.
    pub(super) fn frames(&self) -> Vec<Effect> {
        let none = View::default();
        self.shapes
            .iter()
            .map(|(id, shape)| Effect::Send(shape.frame(id, self.views.get(id).unwrap_or(&none))))
            .collect()
    }

    /// What was half-way through a poke is forgotten.
    pub(super) fn cut(&mut self) {
        self.open = None;
    }

    pub(super) fn poke_started(&mut self, poke: Poke) -> Vec<Effect> {
        // One that never ends was for nothing, and the next would not fit what it should have made.
        let lost = self.open.replace(poke).map(Poke::into_shapes).unwrap_or_default();
        lost.into_iter().flat_map(|id| self.afresh(id)).collect()
    }

    pub(super) fn part_came(&mut self, poke_id: &str, part: Part) -> Vec<Effect> {
        if let Some(open) = self.open.as_mut().filter(|open| open.id == poke_id) {
            return if open.add(part) {
                Vec::new()
            } else {
                vec![Effect::Reconnect]
            };
        }
        // What it changes would be missing from then on.
        let Some(view) = self.views.get_mut(&part.shape) else {
            return Vec::new();
        };
        if !part.reset && !view.is_told() {
            view.skip(None);
            return Vec::new();
        }
        self.afresh(part.shape)
    }

    /// All of the poke, or none of it and a fresh start.
    pub(super) fn poke_ended(&mut self, poke_id: &str, checkpoint: Option<u64>, epoch: Option<String>) -> Vec<Effect> {
        let Some(poke) = self.open.take_if(|open| open.id == poke_id) else {
            // Its start, or what is to come behind that, has no end any more.
            return vec![Effect::Reconnect];
        };
        let mut effects = Vec::new();
        for (id, outcome) in poke.apply(&mut self.views, checkpoint, epoch) {
            match outcome {
                Outcome::Dropped => effects.extend(self.afresh(id)),
                Outcome::Reset => effects.push(Effect::Changed(id)),
                Outcome::Changed => {
                    if let Some(shape) = self.shapes.get_mut(&id) {
                        shape.strikes = 0;
                    }
                    effects.push(Effect::Changed(id));
                }
            }
        }
        effects
    }

    /// Empties the view and asks for it again without a position: at once the first time, then over another connection,
    /// which waits before it is made.
    fn afresh(&mut self, id: String) -> Vec<Effect> {
        let Some(shape) = self.shapes.get_mut(&id) else {
            return Vec::new();
        };
        shape.strikes += 1;
        let view = View::default();
        let next = if shape.strikes > STRIKES {
            Effect::Reconnect
        } else {
            Effect::Send(shape.frame(&id, &view))
        };
        self.views.insert(id.clone(), view);
        vec![Effect::Changed(id), next]
    }
}

impl Shape {
    fn frame(&self, id: &str, view: &View) -> ClientFrame {
        ClientFrame::ShapeSubscribe {
            id: id.to_owned(),
            shape: SubscribedShape {
                name: self.name.clone(),
                args: Some(self.arguments.clone()),
            },
            since_checkpoint: view.checkpoint(),
            since_epoch: view.epoch().map(ToOwned::to_owned),
            since_version: view.version().map(ToOwned::to_owned),
        }
    }
}
