//! Classes of the top level: what their instances hold and what their methods do with it.

use swc_core::ecma::ast;

use super::body::{Body, Walker, parameter_value, parameters_of, private};
use super::collect::Collector;
use super::expression::text;
use super::{ClassFacts, Name, Root};

impl Collector<'_> {
    /// The facts of a class, by index.
    pub(super) fn class(&mut self, class: &ast::Class) -> u32 {
        let mut facts = ClassFacts {
            is_hidden: class.super_class.is_some() || !class.decorators.is_empty(),
            ..ClassFacts::default()
        };
        for member in &class.body {
            self.class_member(member, &mut facts);
        }
        let mut walker = Walker::new(self.positions, Some(Root::This));
        let mut fields = Vec::new();
        let constructor = class.body.iter().find_map(|member| match member {
            ast::ClassMember::Constructor(constructor) if constructor.body.is_some() => Some(constructor),
            _ => None,
        });
        // `constructor(private readonly ctx: MutationCtx)`
        for (index, parameter) in constructor.iter().flat_map(|found| &found.params).enumerate() {
            if let ast::ParamOrTsParamProp::TsParamProp(property) = parameter {
                let identifier = match &property.param {
                    ast::TsParamPropParam::Ident(identifier) => Some(identifier),
                    ast::TsParamPropParam::Assign(assign) => assign.left.as_ident(),
                };
                if let Some(identifier) = identifier {
                    fields.push((identifier.sym.clone(), parameter_value(index)));
                }
            }
        }
        walker.fields = Some(fields);
        // Initialisers see the names of the module, not the parameters.
        for member in &class.body {
            match member {
                ast::ClassMember::ClassProp(property) if !property.is_static => {
                    if let (Some(name), Some(value)) = (name_of(&property.key), &property.value) {
                        walker.field(name, value);
                    }
                }
                ast::ClassMember::PrivateProp(property) if !property.is_static => {
                    if let Some(value) = &property.value {
                        walker.field(private(&property.key.name), value);
                    }
                }
                _ => {}
            }
        }
        if let Some(constructor) = constructor {
            for (index, parameter) in constructor.params.iter().enumerate() {
                match parameter {
                    ast::ParamOrTsParamProp::Param(parameter) => {
                        // `...all` holds any number of arguments.
                        facts.is_hidden |= parameter.pat.is_rest();
                        walker.bind(&parameter.pat, &parameter_value(index));
                    }
                    ast::ParamOrTsParamProp::TsParamProp(property) => match &property.param {
                        ast::TsParamPropParam::Ident(identifier) => {
                            walker.bind_name(&identifier.sym, parameter_value(index));
                        }
                        ast::TsParamPropParam::Assign(assign) => walker.bind(&assign.left, &parameter_value(index)),
                    },
                }
            }
            if let Some(body) = &constructor.body {
                walker.body(Body::Statements(&body.stmts));
            }
        }
        facts.fields = walker.fields.take().unwrap_or_default();
        // A setter does with its value what it likes.
        facts.is_hidden |= facts.fields.iter().any(|(name, _)| facts.accessors.contains(name));
        facts.constructor = self.finish(class.span, walker, None);
        self.facts.classes.push(facts);
        u32::try_from(self.facts.classes.len() - 1).unwrap_or(u32::MAX)
    }

    fn class_member(&mut self, member: &ast::ClassMember, facts: &mut ClassFacts) {
        match member {
            ast::ClassMember::Method(method) if !method.is_static => {
                facts.is_hidden |= !method.function.decorators.is_empty();
                match name_of(&method.key) {
                    Some(name) => self.method(name, method.kind, &method.function, facts),
                    None => facts.is_hidden = true,
                }
            }
            ast::ClassMember::PrivateMethod(method) if !method.is_static => {
                self.method(private(&method.key.name), method.kind, &method.function, facts);
            }
            ast::ClassMember::ClassProp(property) if !property.is_static => {
                facts.is_hidden |= !property.decorators.is_empty() || name_of(&property.key).is_none();
            }
            ast::ClassMember::AutoAccessor(_) => facts.is_hidden = true,
            _ => {}
        }
    }

    fn method(&mut self, name: Name, kind: ast::MethodKind, function: &ast::Function, facts: &mut ClassFacts) {
        let Some(body) = &function.body else { return };
        if kind != ast::MethodKind::Method {
            facts.accessors.push(name);
            return;
        }
        let mut walker = Walker::new(self.positions, Some(Root::This));
        walker.parameters(&parameters_of(function));
        walker.body(Body::Statements(&body.stmts));
        let index = self.finish(function.span, walker, None);
        facts.methods.push((name, index));
    }
}

fn name_of(key: &ast::PropName) -> Option<Name> {
    match key {
        ast::PropName::Ident(name) => Some(name.sym.clone()),
        ast::PropName::Str(string) => Some(text(&string.value)),
        _ => None,
    }
}
