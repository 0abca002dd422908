//! What a tracked value is, once the caller is known.

use crate::facts::Name;
use crate::link::modules::{FileIndex, Modules};
use crate::link::value::FunctionRef;

/// What a tracked value is, once the caller is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Handle {
    /// The parameter of a handler: `{ ctx, args }`, with the input it belongs to.
    Handler(usize),
    Context,
    /// `ctx.scheduler`
    Scheduler,
    Database,
    /// `ctx.db.<table>`
    Accessor(Name),
    /// `ctx.db[name]`, where the name is not visible.
    UnknownAccessor,
    /// Part of the arguments of a handler.
    Arguments(usize, Vec<Name>),
    String(Name),
    /// Something of a module, not looked at yet.
    Module(FileIndex, Name, Vec<Name>),
    Object(Vec<(Name, Handle)>, Vec<Handle>),
    Either(Vec<Handle>),
    /// What `new` made of a class of the app; it holds a handle.
    Instance(Box<Instance>),
    /// Part of an instance that is not followed: a method as a value, a getter.
    Hidden,
    Other,
}

/// A class of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ClassRef {
    pub(super) file: FileIndex,
    pub(super) index: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Instance {
    pub(super) class: ClassRef,
    pub(super) fields: Vec<(Name, Handle)>,
}

/// How deep instances nest in a handle; 0 when it holds none of `ctx`.
pub(super) fn handle_depth(handle: &Handle) -> u32 {
    let deepest = |handles: &mut dyn Iterator<Item = &Handle>| handles.map(handle_depth).max().unwrap_or(0);
    match handle {
        Handle::Handler(_)
        | Handle::Context
        | Handle::Database
        | Handle::Accessor(_)
        | Handle::UnknownAccessor
        | Handle::Hidden => 1,
        Handle::Object(properties, spreads) => deepest(&mut properties.iter().map(|(_, handle)| handle).chain(spreads)),
        Handle::Either(choices) => deepest(&mut choices.iter()),
        Handle::Instance(instance) => 1 + deepest(&mut instance.fields.iter().map(|(_, handle)| handle)),
        Handle::Scheduler | Handle::Arguments(..) | Handle::String(_) | Handle::Module(..) | Handle::Other => 0,
    }
}

pub(super) fn method_of(modules: &Modules, instance: &Instance, name: &Name) -> Option<FunctionRef> {
    let ClassRef { file, index } = instance.class;
    let facts = modules.facts(file).classes.get(index as usize)?;
    let (_, index) = facts.methods.iter().rev().find(|(method, _)| method == name)?;
    Some(FunctionRef { file, index: *index })
}

/// A part of an instance: a field, or something that is not followed as a value.
fn instance_member(modules: &Modules, instance: &Instance, name: &Name) -> Handle {
    if let Some((_, handle)) = instance.fields.iter().find(|(field, _)| field == name) {
        return handle.clone();
    }
    let class = instance.class;
    let is_accessor = modules
        .facts(class.file)
        .classes
        .get(class.index as usize)
        .is_none_or(|facts| facts.accessors.contains(name));
    if is_accessor || &**name == "?" || method_of(modules, instance, name).is_some() {
        return Handle::Hidden;
    }
    Handle::Other
}

pub(super) fn member(modules: &Modules, handle: &Handle, name: &Name) -> Handle {
    match handle {
        Handle::Handler(input) => match &**name {
            "ctx" => Handle::Context,
            "args" => Handle::Arguments(*input, Vec::new()),
            _ => Handle::Other,
        },
        Handle::Context => match &**name {
            "db" => Handle::Database,
            "scheduler" => Handle::Scheduler,
            _ => Handle::Other,
        },
        Handle::Database => match &**name {
            "?" | "[]" => Handle::UnknownAccessor,
            "system" => Handle::Other,
            _ => Handle::Accessor(name.clone()),
        },
        Handle::Arguments(input, path) => {
            let mut path = path.clone();
            path.push(name.clone());
            Handle::Arguments(*input, path)
        }
        Handle::Module(file, root, steps) => {
            let mut steps = steps.clone();
            steps.push(name.clone());
            Handle::Module(*file, root.clone(), steps)
        }
        Handle::Object(properties, spreads) => {
            if let Some((_, handle)) = properties.iter().rev().find(|(key, _)| key == name) {
                return handle.clone();
            }
            match &spreads[..] {
                [] => Handle::Other,
                [only] => member(modules, only, name),
                several => Handle::Either(several.iter().map(|handle| member(modules, handle, name)).collect()),
            }
        }
        Handle::Either(choices) => Handle::Either(choices.iter().map(|handle| member(modules, handle, name)).collect()),
        Handle::Instance(instance) => instance_member(modules, instance, name),
        Handle::Hidden => Handle::Hidden,
        Handle::Accessor(_) | Handle::UnknownAccessor | Handle::Scheduler | Handle::String(_) | Handle::Other => {
            Handle::Other
        }
    }
}
