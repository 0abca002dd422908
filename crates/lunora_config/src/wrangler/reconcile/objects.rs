//! Bindings of Durable Objects, and the migrations that create their classes.

use jsonc_parser::ast::{Array, Object};
use jsonc_parser::common::Ranged as _;
use lunora_diagnostics::Diagnostic;
use serde_json::{Value, json};

use super::super::edit::{Item, append};
use super::super::migrations::MigrationHistory;
use super::super::wanted::WantedObject;
use super::{Reconciler, Section, listed};

impl<'a> Reconciler<'_, 'a> {
    pub(super) fn durable_objects(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        const KEY: &str = "durable_objects";
        let path = section.path(KEY);
        let object = self.document.object_property(section.object, &path, KEY)?;
        let list_path = format!("{path}.bindings");
        let list = match object {
            Some(object) => self.document.array_property(object, &list_path, "bindings")?,
            None => None,
        };
        let mut missing = Vec::new();
        for wanted in &self.wanted.durable_objects {
            if self.binding(list, &list_path, wanted)?.is_none() {
                missing.push(wanted);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let values = missing
            .iter()
            .map(|wanted| json!({ "name": wanted.binding, "class_name": wanted.class_name }));
        let description = format!(
            "the bindings {}",
            listed(missing.iter().map(|wanted| wanted.binding.as_str()))
        );
        match (object, list) {
            (_, Some(list)) => {
                self.append_to(list, values);
                self.change(list_path, format!("added {description}"));
            }
            (Some(object), None) => {
                let item = Item {
                    key: Some("bindings"),
                    value: values.collect(),
                };
                self.edits
                    .extend(append(self.document.text, self.style, &object.into(), &[item]));
                self.change(list_path, format!("added {description}"));
            }
            (None, None) => {
                let bindings: Value = values.collect();
                self.add(section, KEY, json!({ "bindings": bindings }), description);
            }
        }
        Ok(())
    }

    /// The binding with the wanted name. `Some(true)`: the class is another Worker's.
    fn binding(&self, list: Option<&Array<'a>>, path: &str, wanted: &WantedObject) -> Result<Option<bool>, Diagnostic> {
        let document = self.document;
        for (position, element) in list.iter().flat_map(|list| list.elements.iter().enumerate()) {
            let path = format!("{path}[{position}]");
            let binding = document.object(element, &path)?;
            let name = document.required_string(binding, &path, "name")?;
            let class = document.required_string(binding, &path, "class_name")?;
            if *name.value != *wanted.binding {
                continue;
            }
            if *class.value != *wanted.class_name {
                return Err(document.conflict(
                    binding.range(),
                    format!(
                        "the binding `{}` leads to the class `{}`, and the app needs it to lead to `{}`",
                        name.value, class.value, wanted.class_name
                    ),
                    "Give your own class another binding name; this one is reserved",
                ));
            }
            let script = document.string_property(binding, format!("{path}.script_name"), "script_name")?;
            return Ok(Some(script.is_some()));
        }
        Ok(None)
    }

    /// The classes that this Worker itself has to create, in a section or the environments that
    /// share its migrations.
    pub(super) fn migrations(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        const KEY: &str = "migrations";
        let path = section.path(KEY);
        let list = self.document.array_property(section.object, &path, KEY)?;
        if list.is_none() && !section.is_top {
            return Ok(());
        }
        let history = MigrationHistory::read(self.document, list, &path)?;
        let mut classes: Vec<&str> = Vec::new();
        for wanted in &self.wanted.durable_objects {
            let class = wanted.class_name.as_str();
            if !classes.contains(&class)
                && !self.is_elsewhere(section.object, wanted)?
                && history.needs(self.document, class)?
            {
                classes.push(class);
            }
        }
        if classes.is_empty() {
            return Ok(());
        }
        let tag = history.next_tag();
        let description = format!(
            "the migration `{tag}`, which creates {}",
            listed(classes.iter().copied())
        );
        let value = json!({ "tag": tag, "new_sqlite_classes": classes });
        match list {
            Some(list) => {
                self.change(path, format!("added {description}"));
                self.append_to(list, [value]);
            }
            None => self.add(section, KEY, json!([value]), description),
        }
        Ok(())
    }

    /// Whether a section binds the class of another Worker, which migrates it itself.
    fn is_elsewhere(&self, object: &Object<'a>, wanted: &WantedObject) -> Result<bool, Diagnostic> {
        let Some(objects) = self
            .document
            .object_property(object, "durable_objects", "durable_objects")?
        else {
            return Ok(false);
        };
        let list = self
            .document
            .array_property(objects, "durable_objects.bindings", "bindings")?;
        Ok(self.binding(list, "durable_objects.bindings", wanted)? == Some(true))
    }
}
