//! Linking again after an edit gives what linking from scratch gives, and does only what it must.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::sync::Arc;

use lunora_parse::{AnalyzeOptions, Linker, ParseCache, ProjectFiles, SourceText, build_application};

const SCHEMA: &str = "import { defineSchema, defineTable, v } from 'lunorash/server';
import { fields } from './lib/fields';
export const schema = defineSchema({
  rooms: defineTable({ name: v.string() }),
  posts: defineTable({ roomId: v.id('rooms'), ...fields }).shardBy('roomId'),
});";

fn app() -> Vec<SourceText> {
    let text = |path: &str, text: &str| SourceText {
        path: path.into(),
        text: text.into(),
    };
    vec![
        text("lunora/schema.ts", SCHEMA),
        text(
            "lunora/lib/fields.ts",
            "import { v } from 'lunorash/server'; export const fields = { body: v.string() };",
        ),
        text(
            "lunora/lib/help.ts",
            "export const first = (ctx) => ctx.db.query('posts').first();",
        ),
        text(
            "lunora/a.ts",
            "import { query, v } from './_generated/server'; import { first } from './lib/help';
export const list = query.input({ roomId: v.id('rooms') }).query(({ ctx }) => first(ctx));",
        ),
        text(
            "lunora/b.ts",
            "import { query } from './_generated/server'; export const rooms = query.query(({ ctx }) => ctx.db.query('rooms').collect());",
        ),
        text(
            "lunora/c.ts",
            "import { query } from './_generated/server'; import { api } from './_generated/api';
export const through = query.query(({ ctx }) => ctx.runQuery(api.b.rooms, {}));",
        ),
    ]
}

struct Session {
    cache: ParseCache,
    linker: Linker,
    files: Vec<SourceText>,
}

impl Session {
    fn new() -> Self {
        Self {
            cache: ParseCache::default(),
            linker: Linker::default(),
            files: app(),
        }
    }

    fn edit(&mut self, path: &str, text: &str) {
        self.files.iter_mut().find(|file| &*file.path == path).unwrap().text = text.into();
    }

    fn link(&mut self) -> lunora_parse::LinkOutcome {
        let files = self.cache.update(&self.files, &AnalyzeOptions::default());
        let project = ProjectFiles {
            directory: "lunora".to_owned(),
            files,
        };
        let outcome = self.linker.link(&project);
        let (application, diagnostics) = build_application(&project);
        assert_eq!(outcome.application, application);
        assert_eq!(outcome.diagnostics, diagnostics);
        outcome
    }
}

#[test]
fn an_edit_links_the_file_and_what_looked_at_it() {
    let mut session = Session::new();
    let first = session.link();
    assert_eq!(first.relinked_files, 6);
    assert!(first.diagnostics.is_empty(), "{:?}", first.diagnostics);
    assert_eq!(session.link().relinked_files, 0);

    let text = session.files[4].text.to_string();
    session.edit("lunora/b.ts", &format!("{text}\n// a comment"));
    let edited = session.link();
    // `c` calls a function of `b`.
    assert_eq!(edited.relinked_files, 2);
    let pairs = first.application.functions.iter().zip(&edited.application.functions);
    assert!(pairs.into_iter().all(|(before, now)| Arc::ptr_eq(before, now)));

    session.edit(
        "lunora/lib/help.ts",
        "export const first = (ctx) => ctx.db.query('rooms').first();",
    );
    let edited = session.link();
    assert_eq!(edited.relinked_files, 2);
    assert_eq!(edited.application.functions[0].tables, ["rooms"]);

    // The schema looked at the fields.
    session.edit(
        "lunora/lib/fields.ts",
        "import { v } from 'lunorash/server'; export const fields = { body: v.number() };",
    );
    assert_eq!(session.link().relinked_files, 6);
    session.edit("lunora/schema.ts", "export const schema = ;");
    let broken = session.link();
    assert_eq!(broken.diagnostics.len(), 1, "{:?}", broken.diagnostics);
    session.edit("lunora/schema.ts", SCHEMA);
    assert!(session.link().diagnostics.is_empty());
}

#[test]
fn random_edits_agree_with_linking_from_scratch() {
    let seed: u64 = std::env::var("LUNORA_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| {
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .subsec_nanos()
                .into()
        });
    eprintln!("LUNORA_SEED={seed}");
    let mut state = seed;
    let mut random = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let texts: Vec<Arc<str>> = app().into_iter().map(|file| file.text).collect();
    let paths = [
        "lunora/schema.ts",
        "lunora/lib/fields.ts",
        "lunora/lib/help.ts",
        "lunora/a.ts",
        "lunora/b.ts",
        "lunora/c.ts",
        "lunora/d.ts",
        "lunora/b/rooms.ts",
        "lunora/app.ts",
    ];
    let mut session = Session::new();
    for _ in 0..400 {
        let path = paths[random(paths.len())];
        session.files.retain(|file| random(12) > 0 || &*file.path != path);
        let text = match random(6) {
            0 => texts[random(texts.len())].replace("posts", "rooms"),
            1 => texts[random(texts.len())].replace("'./lib/help'", "'./b'"),
            2 => "export const broken = {".to_owned(),
            _ => texts[random(texts.len())].to_string(),
        };
        match session.files.iter_mut().find(|file| &*file.path == path) {
            Some(file) => file.text = text.into(),
            None => session.files.push(SourceText {
                path: path.into(),
                text: text.into(),
            }),
        }
        session.link();
    }
}
