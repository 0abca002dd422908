//! The configuration on disk.

use camino::Utf8PathBuf;
use lunora_config::{find_wrangler_config, plan_wrangler, reconcile_wrangler, update_wrangler};
use lunora_diagnostics::codes;
use lunora_testing::TempProject;

use crate::wanted;

fn root(project: &TempProject) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(project.root().to_path_buf()).unwrap()
}

#[test]
fn a_new_file_is_complete() {
    let project = TempProject::new([]);
    let update = update_wrangler(&root(&project), &wanted()).unwrap();
    assert!(update.created);
    assert!(update.path.ends_with("wrangler.jsonc"));
    let text = project.read("wrangler.jsonc");
    let again = reconcile_wrangler("wrangler.jsonc", &text, &wanted()).unwrap();
    assert_eq!((again.text, again.changes), (text, Vec::new()));
    let update = update_wrangler(&root(&project), &wanted()).unwrap();
    assert!(!update.created && update.changes.is_empty());
}

#[test]
fn a_complete_file_is_not_written() {
    let project = TempProject::new([]);
    update_wrangler(&root(&project), &wanted()).unwrap();
    let path = project.path("wrangler.jsonc");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(1_000);
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let before = path.metadata().unwrap().modified().unwrap();
    update_wrangler(&root(&project), &wanted()).unwrap();
    assert_eq!(path.metadata().unwrap().modified().unwrap(), before);
}

#[test]
fn json_comes_before_jsonc_and_toml_is_not_edited() {
    let project = TempProject::new([("wrangler.toml", "name = \"x\"")]);
    let diagnostic = update_wrangler(&root(&project), &wanted()).unwrap_err();
    assert_eq!(diagnostic.code, codes::WRANGLER_TOML);
    assert_eq!(project.files(), ["wrangler.toml"]);
    for name in ["wrangler.jsonc", "wrangler.json"] {
        project.write(name, "{}");
        let found = find_wrangler_config(&root(&project)).unwrap().unwrap();
        assert_eq!(found.file_name(), Some(name));
    }
    let update = update_wrangler(&root(&project), &wanted()).unwrap();
    assert_eq!(update.path.file_name(), Some("wrangler.json"));
    assert_eq!(update.changes.len(), 6);
    assert_eq!(project.read("wrangler.jsonc"), "{}");
}

#[test]
fn a_refused_file_is_as_it_was() {
    let text = "{ \"durable_objects\": [] }";
    let project = TempProject::new([("wrangler.jsonc", text)]);
    let diagnostic = update_wrangler(&root(&project), &wanted()).unwrap_err();
    assert_eq!(diagnostic.code, codes::WRANGLER_SHAPE);
    assert_eq!(project.read("wrangler.jsonc"), text);
}

#[test]
fn a_plan_says_what_an_update_does_and_writes_nothing() {
    for text in [None, Some("{ \"name\": \"mine\" }")] {
        let project = TempProject::new([]);
        if let Some(text) = text {
            project.write("wrangler.jsonc", text);
        }
        let before = project.files();
        let plan = plan_wrangler(&root(&project), &wanted()).unwrap();
        assert_eq!(project.files(), before);
        assert_eq!(text, before.first().map(|file| project.read(file)).as_deref());
        assert_eq!(plan, update_wrangler(&root(&project), &wanted()).unwrap());
    }
}
