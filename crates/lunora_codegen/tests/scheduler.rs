//! The scheduler is in the worker of an app that uses it, and in no other.

#![allow(clippy::unwrap_used)]

use lunora_codegen::{GenerateOptions, PackagePrefix, generate};
use lunora_ir::{Application, Cron};

fn worker(application: &Application) -> String {
    let options = GenerateOptions {
        package_prefix: PackagePrefix::Umbrella,
        directory: "lunora".to_owned(),
        title: "Chat".to_owned(),
    };
    let files = generate(application, &options).unwrap();
    let file = files.into_iter().find(|file| file.path == "worker.ts").unwrap();
    file.contents.to_string()
}

fn cron(name: &str) -> Cron {
    Cron {
        name: name.to_owned(),
        expression: "0 3 * * *".to_owned(),
        function: "jobs:tidy".to_owned(),
    }
}

#[test]
fn an_app_that_schedules_nothing_has_none() {
    let text = worker(&Application::default());
    assert!(!text.contains("chedul"), "{text}");
    assert!(!text.contains("cron"), "{text}");
}

#[test]
fn an_app_that_schedules_has_the_object_and_its_part_of_the_definition() {
    let application = Application {
        schedules: true,
        ..Application::default()
    };
    let text = worker(&application);
    for part in [
        "import { createSchedulerObject, scheduling } from \"lunorash/scheduler\";",
        ", scheduling,",
        "export class SchedulerDO extends createSchedulerObject(definition) {}",
        "export default createWorker(definition",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("cron"), "{text}");
}

#[test]
fn crons_bring_the_scheduler_and_a_handler() {
    let application = Application {
        crons: vec![cron("tidy"), cron("mail")],
        ..Application::default()
    };
    let text = worker(&application);
    for part in [
        "import { createCronHandler, createSchedulerObject, scheduling } from \"lunorash/scheduler\";",
        "import crons from \"../crons.js\";",
        "export class SchedulerDO",
        "export default { ...worker, scheduled: createCronHandler(definition, crons) };",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(application.cron_triggers(), ["0 3 * * *"]);
}
