//! Adding what is missing, and taking away what was added and is not needed any more.

mod compatibility;
mod objects;

use jsonc_parser::ast::{Array, Object, ObjectProp};
use lunora_diagnostics::{Diagnostic, codes};
use serde_json::{Value, json};

use super::crons::CronPlan;
use super::databases::{DatabasePlan, added_warnings, entry, of_environment};
use super::document::Document;
use super::edit::{Edit, Item, append, apply};
use super::fresh::fresh_wrangler;
use super::owned::marked;
use super::style::Style;
use super::wanted::{Wanted, WantedDatabase};

/// One thing that was added, raised or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where, for example `env.staging.durable_objects.bindings`.
    pub path: String,
    /// What was done, for people.
    pub description: String,
}

/// A configuration that has everything an app needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// The new text; the old one, byte for byte, where nothing was missing.
    pub text: String,
    /// What was done, in the order of the sections.
    pub changes: Vec<Change>,
    /// What was left although it looks wrong.
    pub warnings: Vec<Diagnostic>,
}

/// Adds to a wrangler configuration what an app needs and it lacks, and leaves every other byte as
/// it is: comments, line endings, indentation, trailing commas, byte order mark. A second run
/// changes nothing. A text without anything in it becomes a fresh configuration.
///
/// Named environments: wrangler does not hand `durable_objects` and `d1_databases` down to them, so
/// each one that exists gets the bindings, and a database of its own. What it does hand down (`main`, the date, the flags, `migrations`) is
/// completed only in environments that state it themselves.
///
/// # Errors
/// When the text does not parse, a part has another form than wrangler asks for, a key that matters
/// is given twice, or something stated excludes what is needed. Keys given twice elsewhere are none
/// of our business.
pub fn reconcile_wrangler(file: &str, text: &str, wanted: &Wanted) -> Result<Reconciled, Diagnostic> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Ok(Reconciled {
            text: fresh_wrangler(wanted),
            changes: vec![Change {
                path: String::new(),
                description: "added everything: the file was empty".to_owned(),
            }],
            warnings: added_warnings(&wanted.databases).collect(),
        });
    }
    let document = Document::parse(file, text)?;
    let mut reconciler = Reconciler {
        style: Style::of(document.text, &document.root),
        document: &document,
        wanted,
        edits: Vec::new(),
        changes: Vec::new(),
        warnings: Vec::new(),
    };
    reconciler.run()?;
    let Reconciler {
        edits,
        changes,
        warnings,
        ..
    } = reconciler;
    let edited = apply(document.text, edits);
    Ok(Reconciled {
        text: format!("{}{edited}", document.mark()),
        changes,
        warnings,
    })
}

/// The top level or a named environment.
struct Section<'o, 'a> {
    object: &'o Object<'a>,
    /// `env.<name>.`, empty for the top level.
    prefix: String,
    is_top: bool,
    /// Properties to append in the end, all at once.
    added: Vec<Item>,
}

impl Section<'_, '_> {
    fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The environment's name; none at the top.
    fn environment(&self) -> Option<&str> {
        self.prefix.strip_prefix("env.")?.strip_suffix('.')
    }
}

struct Reconciler<'d, 'a> {
    document: &'d Document<'a>,
    style: Style<'d>,
    wanted: &'d Wanted,
    edits: Vec<Edit>,
    changes: Vec<Change>,
    warnings: Vec<Diagnostic>,
}

impl<'d, 'a> Reconciler<'d, 'a> {
    fn run(&mut self) -> Result<(), Diagnostic> {
        let document = self.document;
        let mut sections = vec![Section {
            object: &document.root,
            prefix: String::new(),
            is_top: true,
            added: Vec::new(),
        }];
        if let Some(environments) = document.object_property(&document.root, "env", "env")? {
            for ObjectProp { name, .. } in &environments.properties {
                let path = format!("env.{}", name.as_str());
                if let Some(object) = document.object_property(environments, &path, name.as_str())? {
                    sections.push(Section {
                        object,
                        prefix: format!("{path}."),
                        is_top: false,
                        added: Vec::new(),
                    });
                }
            }
        }
        for section in &mut sections {
            self.name(section)?;
            self.main(section)?;
            self.compatibility_date(section)?;
            self.compatibility_flags(section)?;
            self.assets(section)?;
            self.triggers(section)?;
            self.databases(section)?;
            self.durable_objects(section)?;
            self.migrations(section)?;
            let edits = append(document.text, self.style, &section.object.into(), &section.added);
            self.edits.extend(edits);
        }
        Ok(())
    }

    fn change(&mut self, path: String, description: impl Into<String>) {
        self.changes.push(Change {
            path,
            description: description.into(),
        });
    }

    fn add(&mut self, section: &mut Section<'_, 'a>, key: &'static str, value: Value, description: String) {
        self.change(section.path(key), format!("added {description}"));
        section.added.push(Item { key: Some(key), value });
    }

    fn append_to(&mut self, list: &Array<'a>, values: impl IntoIterator<Item = Value>) {
        let items: Vec<_> = values.into_iter().map(|value| Item { key: None, value }).collect();
        self.edits
            .extend(append(self.document.text, self.style, &list.into(), &items));
    }

    fn name(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        let found = self
            .document
            .string_property(section.object, section.path("name"), "name")?;
        if let (None, true, Some(name)) = (found, section.is_top, &self.wanted.name) {
            self.add(section, "name", json!(name), format!("the Worker's name, `{name}`"));
        }
        Ok(())
    }

    fn main(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        let found = self
            .document
            .string_property(section.object, section.path("main"), "main")?;
        let Some(main) = &self.wanted.main else {
            return Ok(());
        };
        match found {
            None if section.is_top => {
                self.add(section, "main", json!(main), format!("the Worker's entry, `{main}`"));
            }
            Some(found) if plain_path(&found.value) != plain_path(main) => {
                let document = self.document;
                self.warnings.push(
                    Diagnostic::warning(
                        codes::WRANGLER_MAIN_KEPT,
                        format!("`{}` is `{}` and was left so; the generated entry is `{main}`", section.path("main"), found.value),
                    )
                    .at(document.file(), document.span(found.range))
                    .with_help("Let that file export what the generated entry exports, or remove `main` to use the generated one"),
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn assets(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        const KEY: &str = "assets";
        let found = self.document.property(section.object, section.path(KEY), KEY)?;
        if let (None, true, Some(assets)) = (found, section.is_top, self.wanted.assets()) {
            let directory = self.wanted.client_directory.as_deref().unwrap_or_default();
            self.add(section, KEY, assets, format!("the client in `{directory}`"));
        }
        Ok(())
    }

    /// Times that were added here carry a mark, and go when no cron has them any more; what else is there stays.
    /// Environments inherit the times unless they state `triggers` themselves.
    fn triggers(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        const KEY: &str = "triggers";
        let path = section.path(KEY);
        let document = self.document;
        let object = document.object_property(section.object, &path, KEY)?;
        let list_path = format!("{path}.crons");
        let list = match object {
            Some(object) => document.array_property(object, &list_path, "crons")?,
            None => None,
        };
        let plan = CronPlan::of(document, list, &list_path, &self.wanted.crons)?;
        if plan.is_empty() {
            return Ok(());
        }
        let times: Value = plan.missing.iter().map(|time| marked(time)).collect();
        match (object, list) {
            (_, Some(list)) => self.edits.extend(plan.edits(document, self.style, list)),
            (Some(object), None) => {
                let item = Item {
                    key: Some("crons"),
                    value: times,
                };
                self.edits
                    .extend(append(document.text, self.style, &object.into(), &[item]));
            }
            (None, None) if section.is_top => {
                section.added.push(Item {
                    key: Some(KEY),
                    value: json!({ "crons": times }),
                });
            }
            (None, None) => return Ok(()),
        }
        let place = if object.is_some() { list_path } else { path };
        self.change(place, plan.description());
        Ok(())
    }

    /// A binding that is there stays, and says by a warning when it cannot be deployed to.
    fn databases(&mut self, section: &mut Section<'_, 'a>) -> Result<(), Diagnostic> {
        const KEY: &str = "d1_databases";
        let path = section.path(KEY);
        let list = self.document.array_property(section.object, &path, KEY)?;
        let all = self.wanted.databases.iter();
        let wanted: Vec<WantedDatabase> = match section.environment() {
            None => all.cloned().collect(),
            Some(name) => all.map(|database| of_environment(database, name)).collect(),
        };
        let DatabasePlan { missing, warnings } = DatabasePlan::of(self.document, list, &path, &wanted)?;
        self.warnings.extend(warnings);
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<WantedDatabase> = missing.into_iter().cloned().collect();
        self.warnings.extend(added_warnings(&missing));
        let description = format!(
            "the D1 databases {}",
            listed(missing.iter().map(|database| database.binding.as_str()))
        );
        let entries: Vec<Value> = missing.iter().map(entry).collect();
        match list {
            Some(list) => {
                self.append_to(list, entries);
                self.change(path, format!("added {description}"));
            }
            None => self.add(section, KEY, json!(entries), description),
        }
        Ok(())
    }
}

fn plain_path(path: &str) -> &str {
    path.trim_start_matches("./")
}

fn listed<'t>(names: impl Iterator<Item = &'t str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
