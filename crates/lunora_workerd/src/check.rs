//! Refuses descriptions that workerd would accept and then get wrong, and says early what it would
//! say late.

use std::collections::{BTreeMap, BTreeSet};

use lunora_diagnostics::{Diagnostic, codes};

use crate::calendar_date::CalendarDate;
use crate::config::{region_key, service_names};
use crate::storage_folders::UNPINNED;
use crate::worker_description::{BindingValue, ModuleBody, WorkerDescription};

/// How many days after its build a binary accepts as compatibility date.
const DAYS_BEYOND_BUILD: i64 = 7;

/// A description that may be started.
#[derive(Debug)]
pub(crate) struct CheckedDescription {
    /// With the compatibility date clamped.
    pub description: WorkerDescription,
    /// What was changed on the way.
    pub warnings: Vec<Diagnostic>,
}

/// Checks `description` for a binary built on `build_date`, today being `today` in UTC.
pub(crate) fn check_description(
    mut description: WorkerDescription,
    build_date: CalendarDate,
    today: CalendarDate,
) -> Result<CheckedDescription, Diagnostic> {
    check_service_name(&description)?;
    check_jurisdictions(&description)?;
    check_modules(&description)?;
    check_durable_objects(&description)?;
    check_bindings(&description)?;
    check_flags(&mut description)?;
    let warnings = clamp_date(&mut description, build_date, today)?.into_iter().collect();
    Ok(CheckedDescription { description, warnings })
}

fn invalid(message: String) -> Diagnostic {
    Diagnostic::error(codes::WORKER_DESCRIPTION_INVALID, message)
}

fn check_service_name(description: &WorkerDescription) -> Result<(), Diagnostic> {
    let name = &description.service_name;
    if name.is_empty() || name == "internet" {
        return Err(invalid(format!(
            "A service cannot be named `{name}`: the name is empty or used by workerd itself."
        )));
    }
    Ok(())
}

/// A jurisdiction names a folder and services.
fn check_jurisdictions(description: &WorkerDescription) -> Result<(), Diagnostic> {
    let mut seen = BTreeSet::new();
    for name in &description.jurisdictions {
        let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !is_plain || name == UNPINNED || name == "root" {
            return Err(invalid(format!(
                "`{}` cannot be the name of a jurisdiction: small letters and `-`, and neither `{UNPINNED}` nor `root`.",
                name.escape_debug()
            )));
        }
        if !seen.insert(name) {
            return Err(invalid(format!("The jurisdiction `{name}` is declared twice.")));
        }
        for object in &description.durable_objects {
            let key = region_key(&object.unique_key, Some(name));
            if description.durable_objects.iter().any(|other| other.unique_key == key) {
                return Err(invalid(format!(
                    "The unique key `{key}` is what `{}` has in `{name}`: objects of both would have the same ids.",
                    object.class_name
                )));
            }
        }
    }
    let services = service_names(description);
    let distinct: BTreeSet<&String> = services.iter().collect();
    if distinct.len() < services.len() {
        return Err(invalid(format!(
            "Two services would have one name: {}.",
            services.join(", ")
        )));
    }
    Ok(())
}

fn check_modules(description: &WorkerDescription) -> Result<(), Diagnostic> {
    let Some(entry) = description.modules.first() else {
        return Err(invalid(
            "The worker has no modules, and the first one is its entry.".to_owned(),
        ));
    };
    if !matches!(entry.body, ModuleBody::EsModule(_)) {
        return Err(invalid(format!(
            "The entry module `{}` is of kind `{}`, but only an ES module can export handlers.",
            entry.name,
            entry.body.kind()
        )));
    }
    let mut seen = std::collections::HashSet::with_capacity(description.modules.len());
    for module in &description.modules {
        if module.name.is_empty() || module.name.contains('\0') {
            return Err(invalid(format!(
                "`{}` is not a module name.",
                module.name.escape_debug()
            )));
        }
        if !seen.insert(&module.name) {
            return Err(invalid(format!(
                "Two modules are named `{}`, and imports could reach only one of them.",
                module.name
            )));
        }
    }
    Ok(())
}

/// workerd accepts a class that is bound twice and silently gives both bindings the data of the last.
fn check_durable_objects(description: &WorkerDescription) -> Result<(), Diagnostic> {
    let mut classes = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for object in &description.durable_objects {
        if let Some(other) = classes.insert(&object.class_name, &object.binding) {
            return Err(Diagnostic::error(
                codes::WORKER_CLASS_BOUND_TWICE,
                format!(
                    "The class `{}` is bound as `{other}` and as `{}`: both would share the data of one of them.",
                    object.class_name, object.binding
                ),
            )
            .with_help("Bind each Durable Object class once; export a subclass for a second set of objects."));
        }
        if let Some(other) = keys.insert(&object.unique_key, &object.class_name) {
            return Err(invalid(format!(
                "The classes `{other}` and `{}` have the same unique key `{}` and would share one folder of data.",
                object.class_name, object.unique_key
            )));
        }
        let key = &object.unique_key;
        if key.is_empty() || key == "." || key == ".." || key.contains(['/', '\0']) {
            return Err(invalid(format!(
                "The unique key `{}` of the class `{}` cannot be the name of a folder.",
                key.escape_debug(),
                object.class_name
            )));
        }
    }
    Ok(())
}

fn check_bindings(description: &WorkerDescription) -> Result<(), Diagnostic> {
    let mut seen = BTreeSet::new();
    let objects = description.durable_objects.iter().map(|object| &object.binding);
    let databases = description.d1.iter().flat_map(|d1| &d1.bindings);
    let others = description.bindings.iter().map(|binding| &binding.name);
    for name in objects.chain(others).chain(databases.map(|binding| &binding.name)) {
        if name.is_empty() {
            return Err(invalid("A binding has no name.".to_owned()));
        }
        if !seen.insert(name) {
            return Err(invalid(format!(
                "Two bindings are named `{name}`, and `env.{name}` can hold only one of them."
            )));
        }
    }
    for binding in &description.bindings {
        match &binding.value {
            BindingValue::Json(text) => {
                if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
                    return Err(invalid(format!(
                        "The value of `env.{}` is not JSON: {error}.",
                        binding.name
                    )));
                }
            }
            BindingValue::Secret(text) => {
                if text.contains('\0') {
                    return Err(invalid(format!(
                        "The secret `{}` contains a NUL character, which no environment variable can hold.",
                        binding.name
                    )));
                }
            }
            BindingValue::Text(_) => {}
        }
    }
    Ok(())
}

fn check_flags(description: &mut WorkerDescription) -> Result<(), Diagnostic> {
    description.compatibility_flags.retain(|flag| {
        let registry = flag == "new_module_registry";
        description.new_module_registry |= registry;
        !registry
    });
    description.experimental |= description.new_module_registry;
    if let Some(flag) = description.compatibility_flags.iter().find(|flag| {
        flag.is_empty()
            || !flag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    }) {
        return Err(Diagnostic::error(
            codes::COMPATIBILITY_FLAG_UNKNOWN,
            format!("`{}` is not a compatibility flag.", flag.escape_debug()),
        ));
    }
    Ok(())
}

fn clamp_date(
    description: &mut WorkerDescription,
    build_date: CalendarDate,
    today: CalendarDate,
) -> Result<Option<Diagnostic>, Diagnostic> {
    let Ok(wanted) = description.compatibility_date.parse::<CalendarDate>() else {
        return Err(Diagnostic::error(
            codes::COMPATIBILITY_DATE_INVALID,
            format!(
                "The compatibility date `{}` is not a day.",
                description.compatibility_date
            ),
        )
        .with_help(format!(
            "Write it as YYYY-MM-DD, for example `{}`.",
            newest(build_date, today)
        )));
    };
    let newest = newest(build_date, today);
    if wanted <= newest {
        return Ok(None);
    }
    description.compatibility_date = newest.to_string();
    let reason = if newest == today {
        "it lies in the future".to_owned()
    } else {
        format!("the installed workerd was built on {build_date} and knows no later one than {newest}")
    };
    Ok(Some(
        Diagnostic::warning(
            codes::COMPATIBILITY_DATE_CLAMPED,
            format!(
                "The compatibility date `{wanted}` cannot be used here because {reason}; `{newest}` is used instead."
            ),
        )
        .with_help("Set an earlier date, or update the `workerd` package."),
    ))
}

/// The latest compatibility date that can be used.
pub(crate) fn newest(build_date: CalendarDate, today: CalendarDate) -> CalendarDate {
    build_date.plus_days(DAYS_BEYOND_BUILD).min(today)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::worker_description::{Binding, D1, D1Binding, DurableObject, Module};

    fn description() -> WorkerDescription {
        WorkerDescription::new(Module::javascript("worker.js", "export default {}"), "2026-11-01")
    }

    fn check(description: WorkerDescription) -> Result<CheckedDescription, Diagnostic> {
        check_description(
            description,
            "2026-11-17".parse().unwrap(),
            "2026-11-21".parse().unwrap(),
        )
    }

    fn object(binding: &str, class_name: &str, unique_key: &str) -> DurableObject {
        DurableObject {
            binding: binding.to_owned(),
            class_name: class_name.to_owned(),
            unique_key: unique_key.to_owned(),
        }
    }

    #[test]
    fn a_class_bound_twice_is_refused() {
        let mut one = description();
        one.durable_objects = vec![object("A", "Shard", "a"), object("B", "Shard", "b")];
        assert_eq!(check(one).unwrap_err().code, codes::WORKER_CLASS_BOUND_TWICE);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        type Change = fn(&mut WorkerDescription);
        let changes: Vec<(&str, Change)> = vec![
            ("no modules", |one| one.modules.clear()),
            ("entry is text", |one| one.modules[0].body = ModuleBody::Text("".into())),
            ("module twice", |one| {
                one.modules.push(Module::javascript("worker.js", ""));
            }),
            ("empty module name", |one| one.modules.push(Module::javascript("", ""))),
            ("key twice", |one| {
                one.durable_objects = vec![object("A", "A", "k"), object("B", "B", "k")];
            }),
            ("slash in key", |one| {
                one.durable_objects = vec![object("A", "A", "../k")];
            }),
            ("key is the parent", |one| {
                one.durable_objects = vec![object("A", "A", "..")];
            }),
            ("empty key", |one| one.durable_objects = vec![object("A", "A", "")]),
            ("binding twice", |one| {
                one.durable_objects = vec![object("A", "A", "k")];
                one.bindings = vec![Binding {
                    name: "A".into(),
                    value: BindingValue::Text("".into()),
                }];
            }),
            ("database with the name of a variable", |one| {
                one.bindings = vec![Binding {
                    name: "DB".into(),
                    value: BindingValue::Text("".into()),
                }];
                one.d1 = Some(D1 {
                    socket: "/d1".into(),
                    header: "x".into(),
                    bindings: vec![D1Binding {
                        name: "DB".into(),
                        database: "DB".into(),
                    }],
                });
            }),
            ("broken json", |one| {
                one.bindings = vec![Binding {
                    name: "A".into(),
                    value: BindingValue::Json("{".into()),
                }];
            }),
            ("NUL in a secret", |one| {
                one.bindings = vec![Binding {
                    name: "A".into(),
                    value: BindingValue::Secret("a\0b".into()),
                }];
            }),
            ("reserved service", |one| one.service_name = "internet".into()),
            ("jurisdiction that is a path", |one| {
                one.jurisdictions = vec!["../eu".into()];
            }),
            ("jurisdiction without a name", |one| {
                one.jurisdictions = vec![String::new()];
            }),
            ("jurisdiction that is none", |one| {
                one.jurisdictions = vec!["none".into()];
            }),
            ("jurisdiction that is the root", |one| {
                one.jurisdictions = vec!["root".into()];
            }),
            ("jurisdiction twice", |one| {
                one.jurisdictions = vec!["eu".into(), "eu".into()];
            }),
            ("key of another region", |one| {
                one.jurisdictions = vec!["eu".into()];
                one.durable_objects = vec![object("A", "A", "k"), object("B", "B", "k-eu")];
            }),
        ];
        for (name, change) in changes {
            let mut one = description();
            change(&mut one);
            assert_eq!(
                check(one).unwrap_err().code,
                codes::WORKER_DESCRIPTION_INVALID,
                "{name}"
            );
        }
    }

    #[test]
    fn the_registry_flag_becomes_the_switch_and_needs_experimental() {
        let mut one = description();
        one.new_module_registry = false;
        one.experimental = false;
        one.compatibility_flags = vec!["nodejs_als".into(), "new_module_registry".into()];
        let checked = check(one).unwrap().description;
        assert!(checked.new_module_registry && checked.experimental);
        assert_eq!(checked.compatibility_flags, ["nodejs_als"]);
    }

    #[test]
    fn a_flag_of_strange_characters_is_refused() {
        let mut one = description();
        one.compatibility_flags = vec!["no such\nflag".into()];
        assert_eq!(check(one).unwrap_err().code, codes::COMPATIBILITY_FLAG_UNKNOWN);
    }

    #[test]
    fn dates_are_clamped_to_build_plus_seven_days_and_today() {
        let cases = [
            // wanted, build, today, used
            ("2026-11-01", "2026-11-17", "2026-11-21", "2026-11-01"),
            ("2026-11-21", "2026-11-17", "2026-11-21", "2026-11-21"),
            ("2026-11-22", "2026-11-17", "2026-11-21", "2026-11-21"),
            ("2026-12-31", "2026-11-17", "2027-01-01", "2026-11-24"),
            ("9999-12-31", "2026-11-17", "2027-01-01", "2026-11-24"),
        ];
        for (wanted, build, today, used) in cases {
            let mut one = description();
            one.compatibility_date = wanted.to_owned();
            let checked = check_description(one, build.parse().unwrap(), today.parse().unwrap()).unwrap();
            assert_eq!(checked.description.compatibility_date, used, "{wanted}");
            assert_eq!(checked.warnings.len(), usize::from(wanted != used), "{wanted}");
        }
        let mut one = description();
        one.compatibility_date = "latest".to_owned();
        assert_eq!(check(one).unwrap_err().code, codes::COMPATIBILITY_DATE_INVALID);
    }
}
