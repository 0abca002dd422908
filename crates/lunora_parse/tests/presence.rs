//! Kinds of rooms, found wherever they are declared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Linked, link};

const SCHEMA: &str = "import { defineSchema } from \"lunorash/server\";\nexport const schema = defineSchema({});\n";

fn app(files: &[(&str, &str)]) -> Linked {
    let mut all = vec![("lunora/schema.ts", SCHEMA)];
    all.extend(files);
    link(&all)
}

fn paths(linked: &Linked) -> Vec<&str> {
    linked
        .application
        .presence
        .iter()
        .map(|presence| presence.path.as_str())
        .collect()
}

fn classes(linked: &Linked) -> Vec<&'static str> {
    linked
        .application
        .object_classes()
        .iter()
        .map(|class| class.binding)
        .collect()
}

const ROOM: &str = "import { definePresence, v } from \"lunorash/server\";
export const room = definePresence({ data: v.object({ name: v.string() }), authorize: () => true });
";

#[test]
fn they_are_known_by_path_and_bring_their_class() {
    let linked = app(&[("lunora/chat.ts", ROOM), ("lunora/admin/desk.ts", ROOM)]);
    linked.assert_sound();
    assert_eq!(paths(&linked), ["admin/desk:room", "chat:room"]);
    assert_eq!(classes(&linked), ["SHARD", "SHARD_REGISTRY", "SESSION"]);
    assert!(linked.application.functions.is_empty());
    let none = app(&[("lunora/chat.ts", "export const room = 1;")]);
    assert_eq!(
        (paths(&none), classes(&none)),
        (vec![], vec!["SHARD", "SHARD_REGISTRY"])
    );
}

#[test]
fn one_that_is_not_exported_is_none() {
    let linked = app(&[("lunora/chat.ts", &ROOM.replace("export const", "const"))]);
    assert_eq!(paths(&linked), Vec::<&str>::new());
}

#[test]
fn one_that_is_exported_again_is_another() {
    let linked = app(&[
        ("lunora/chat.ts", ROOM),
        ("lunora/again.ts", "export { room as desk } from \"./chat.js\";"),
    ]);
    linked.assert_sound();
    assert_eq!(paths(&linked), ["again:desk", "chat:room"]);
}

#[test]
fn what_is_missing_is_told() {
    let room = |options: &str| {
        app(&[(
            "lunora/chat.ts",
            &format!(
                "import {{ definePresence, v }} from \"lunorash/server\";\nexport const room = definePresence({options});"
            ),
        )])
    };
    assert_eq!(
        room("{ authorize: () => true }").only("BAD_ARGUMENT").1,
        "definePresence"
    );
    let closed = room("{ data: v.any() }");
    assert_eq!(closed.only("PRESENCE_CLOSED").1, "definePresence");
    assert_eq!(paths(&closed), ["chat:room"]);
    assert_eq!(
        room("{ data: v.any(), authorize: () => true, allow: 1 }")
            .only("UNKNOWN_OPTION")
            .1,
        "allow"
    );
    assert_eq!(room("...options").codes(), ["NOT_STATIC"]);
}

#[test]
fn one_by_default_has_no_name() {
    let linked = app(&[("lunora/chat.ts", &ROOM.replace("export const room =", "export default"))]);
    assert_eq!(paths(&linked), Vec::<&str>::new());
}
