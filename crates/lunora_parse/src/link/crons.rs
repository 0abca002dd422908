//! `lunora/crons.ts`: what runs at fixed times.

use std::sync::Arc;

use lunora_diagnostics::{Code, Diagnostic, Span, codes};
use lunora_ir::{Cron, CronExpression, CronOption, Function, FunctionKind};

use super::evaluate::Evaluator;
use super::modules::{FileIndex, Modules};
use super::suggest::hint;
use super::value::{Place, Value};
use crate::facts::{BindingKind, Call, Expression, ExpressionKind, Name};

const METHODS: &[&str] = &["interval", "hourly", "daily", "weekly", "monthly", "cron"];

/// A call of a method: `.daily("name", { … }, reference, args)`.
struct Step<'facts> {
    method: &'facts Name,
    place: Place,
    call: &'facts Call,
}

/// Reads the crons. Targets are looked for among the functions, which are `whole` when nothing is wrong with them.
pub(super) fn link_crons(
    modules: &Modules,
    functions: &[Arc<Function>],
    whole: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Cron> {
    let Some(file) = modules.find(&format!("{}/crons", modules.directory)) else {
        return Vec::new();
    };
    if !modules.file(file).parses() {
        return Vec::new();
    }
    let mut reader = Reader {
        evaluator: Evaluator::new(modules),
        file,
        functions,
        whole,
        crons: Vec::new(),
        names: Vec::new(),
    };
    let Some(steps) = reader.steps() else {
        let path = modules.path(file);
        diagnostics.push(
            Diagnostic::error(
                codes::CRONS_NOT_EXPORTED,
                format!("`{path}` does not export by default what `cronJobs()` makes"),
            )
            .at(path, Span::default())
            .with_help(
                "Write `const crons = cronJobs();`, the jobs as `crons.daily(…);`, and `export default crons;`.",
            ),
        );
        return Vec::new();
    };
    for step in steps {
        reader.step(&step);
    }
    diagnostics.append(&mut reader.evaluator.diagnostics);
    reader.crons
}

struct Reader<'link, 'modules> {
    evaluator: Evaluator<'modules>,
    file: FileIndex,
    functions: &'link [Arc<Function>],
    whole: bool,
    crons: Vec<Cron>,
    names: Vec<Place>,
}

impl<'modules> Reader<'_, 'modules> {
    /// Every call on what is exported by default; `None` when that is something else.
    fn steps(&mut self) -> Option<Vec<Step<'modules>>> {
        let facts = self.evaluator.modules.facts(self.file);
        let mut local: Name = crate::facts::DEFAULT_BINDING.into();
        if !facts.bindings.contains_key(&local) {
            let export = facts.exports.iter().find(|export| &*export.name == "default")?;
            let crate::facts::ExportTarget::Local(name) = &export.target else {
                return None;
            };
            local = name.clone();
        }
        // A name for a name for it.
        for _ in 0..8 {
            let BindingKind::Constant(expression) = &facts.bindings.get(&local)?.kind else {
                return None;
            };
            if let ExpressionKind::Name(name) = &expression.kind {
                local = name.clone();
                continue;
            }
            let (root, mut steps) = self.chain(expression);
            let ExpressionKind::Call(call) = &root.kind else {
                return None;
            };
            match self.evaluator.quietly(self.file, &call.callee)? {
                Value::Framework(name) if &*name == "cronJobs" => {}
                _ => return None,
            }
            for statement in &facts.statements {
                let (root, more) = self.chain(statement);
                if matches!(&root.kind, ExpressionKind::Name(name) if *name == local) {
                    steps.extend(more);
                }
            }
            return Some(steps);
        }
        None
    }

    /// `root.a(…).b(…)`: the root and the calls, in the order in which they run.
    fn chain<'facts>(&self, expression: &'facts Expression) -> (&'facts Expression, Vec<Step<'facts>>) {
        let mut steps = Vec::new();
        let mut rest = expression;
        while let ExpressionKind::Call(call) = &rest.kind
            && let ExpressionKind::Member {
                object,
                name,
                name_span,
            } = &call.callee.kind
        {
            steps.push(Step {
                method: name,
                place: Place {
                    file: self.file,
                    span: *name_span,
                },
                call,
            });
            rest = object;
        }
        steps.reverse();
        (rest, steps)
    }

    fn step(&mut self, step: &Step<'_>) {
        let method = step.method;
        if !METHODS.contains(&&**method) {
            let message = format!("`cronJobs()` has no `.{method}()`");
            self.evaluator
                .report(codes::UNKNOWN_MODIFIER, step.place, message, hint(method, METHODS));
            return;
        }
        let name = self.name(step);
        let expression = self.expression(step);
        let function = self.target(step);
        if let (Some(name), Some(expression), Some(function)) = (name, expression, function) {
            self.crons.push(Cron {
                name,
                expression,
                function,
            });
        }
    }

    fn argument(&mut self, step: &Step<'_>, index: usize, expects: &str) -> Option<(Value, Place)> {
        let owner = format!(".{}", step.method);
        let placed = self
            .evaluator
            .argument(self.file, step.call, index, &owner, expects)
            .ok()?;
        Some((placed.value, placed.place))
    }

    fn refuse(&mut self, code: Code, place: Place, message: String, help: &str) {
        self.evaluator.report(code, place, message, help);
    }

    fn name(&mut self, step: &Step<'_>) -> Option<String> {
        let (value, place) = self.argument(step, 0, "the name of the job")?;
        let Value::String(name) = value else {
            let message = format!("`.{}` takes the name of the job first, a string", step.method);
            self.refuse(codes::BAD_ARGUMENT, place, message, "Write `\"clean up\"`.");
            return None;
        };
        let known = self
            .crons
            .iter()
            .zip(&self.names)
            .find(|(cron, _)| cron.name == *name)
            .map(|(_, place)| *place);
        if let Some(first) = known {
            let path = self.evaluator.modules.path(self.file);
            self.evaluator.diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_CRON, format!("there are two crons `{name}`"))
                    .at(path, place.span)
                    .and_at(path, first.span, "the first")
                    .with_help("Rename or remove one of them: runs are told apart by the name."),
            );
            return None;
        }
        self.names.push(place);
        Some(name.to_string())
    }

    fn expression(&mut self, step: &Step<'_>) -> Option<String> {
        let is_expression = &**step.method == "cron";
        let expects = if is_expression {
            "a cron expression"
        } else {
            "an object that says when"
        };
        let (value, place) = self.argument(step, 1, expects)?;
        let text = match (value, is_expression) {
            (Value::String(text), true) => CronExpression::parse(&text)
                .map(|_| text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
                .map_err(|error| format!("the expression `{text}` {error}")),
            (Value::Object(entries), false) => {
                let mut options = Vec::with_capacity(entries.len());
                for (name, entry) in entries.iter() {
                    // What could not be read has been reported.
                    let value = entry.value.as_ref()?;
                    options.push((
                        name.to_string(),
                        match &value.value {
                            Value::Number(number) => CronOption::Number(*number),
                            Value::String(text) => CronOption::Text(text.to_string()),
                            _ => {
                                let message = format!("`{name}` of a schedule is a number or a string");
                                self.refuse(codes::BAD_ARGUMENT, value.place, message, "Write the value in place.");
                                return None;
                            }
                        },
                    ));
                }
                CronExpression::text_of(step.method, &options).map_err(|error| format!("the schedule {error}"))
            }
            _ => {
                let message = format!("`.{}` takes {expects} second", step.method);
                self.refuse(codes::BAD_ARGUMENT, place, message, "Write it in place.");
                return None;
            }
        };
        text.map_err(|message| {
            self.refuse(
                codes::CRON_SCHEDULE_INVALID,
                place,
                message,
                "Times are in UTC. Use minutes that divide 60, hours that divide 24, `.daily`, `.weekly`, `.monthly`, or `.cron` with an expression of five fields.",
            );
        })
        .ok()
    }

    fn target(&mut self, step: &Step<'_>) -> Option<String> {
        let (value, place) = self.argument(step, 2, "a reference to a mutation or an action")?;
        let Value::Reference(steps) = value else {
            let message = format!("`.{}` takes a reference to a function third", step.method);
            let help = "Write `internal.file.name`, or `api.file.name`, of `_generated/api`.";
            self.refuse(codes::BAD_ARGUMENT, place, message, help);
            return None;
        };
        let (name, folders) = steps.get(1..).and_then(<[Name]>::split_last)?;
        let file = folders.iter().map(|step| &**step).collect::<Vec<_>>().join("/");
        let path = format!("{file}:{name}");
        match self.functions.iter().find(|function| function.path == path) {
            Some(function) if matches!(function.kind, FunctionKind::Mutation | FunctionKind::Action) => Some(path),
            Some(_) => {
                let message = format!("`{path}` is neither a mutation nor an action, and nobody would see its result");
                let help = "Name a mutation or an action; it may be internal.";
                self.refuse(codes::JOB_TARGET_INVALID, place, message, help);
                None
            }
            None => {
                if self.whole {
                    let known: Vec<&str> = self.functions.iter().map(|function| function.path.as_str()).collect();
                    let message = format!("there is no function `{path}`");
                    self.evaluator
                        .report(codes::UNKNOWN_FUNCTION, place, message, hint(&path, &known));
                }
                None
            }
        }
    }
}
