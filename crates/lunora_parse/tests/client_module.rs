//! What of `mutators.ts` clients get.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lunora_parse::client_module;

const HEADER: &str = "import { mutator, query, v } from './_generated/server.js';\n";

fn code(text: &str) -> String {
    client_module("lunora/mutators.ts", &format!("{HEADER}{text}"))
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .to_string()
}

/// The code of the only error, and the text it points at.
fn error(text: &str) -> (&'static str, String) {
    let text = format!("{HEADER}{text}");
    let errors = client_module("lunora/mutators.ts", &text).unwrap_err();
    let [error] = &errors[..] else { panic!("{errors:?}") };
    let span = error.labels[0].span;
    assert!(error.help.is_some());
    (
        error.code.as_str(),
        text[span.start as usize..span.end as usize].to_owned(),
    )
}

#[test]
fn only_what_clients_run_is_left() {
    let text = r#"import { rls } from "lunorash/server";
import { charge } from "../billing/stripe";
import { rank, SECRET_WEIGHT } from "./lib/rank";
import type { Row } from "./lib/rank";
import "./side-effect";

const STRIPE_KEY = "sk_live_1";
const limit = 10, other = "server only";
const guard = async ({ ctx, next }) => next();

export const list = query.query(() => STRIPE_KEY);
export const send = mutator({
  args: { body: v.string() },
  apply: (ctx, args: { body: string }) => ctx.db.insert("posts", { ...args, rank: rank(args as Row, limit) }),
  server: async (ctx, args) => {
    await charge(STRIPE_KEY, SECRET_WEIGHT, other);
    return ctx.db.insert("posts", args);
  },
  use: [guard, rls([])],
});

audit("mutators are loaded", STRIPE_KEY);

export default guard;
"#;
    assert_eq!(
        code(text),
        "import { rank } from \"./lib/rank\";\nconst limit = 10;\nexport const send = {\n    apply: (ctx, args)=>ctx.db.insert(\"posts\", {\n            ...args,\n            rank: rank(args, limit)\n        })\n};\n"
    );
}

#[test]
fn every_way_to_write_a_mutator() {
    for text in [
        "export const one = mutator({ apply() { return 1; }, server: SECRET });",
        "const one = mutator({ apply: () => 1, server: SECRET });\nexport { one };",
        "const inner = mutator({ apply: () => 1, server: SECRET });\nexport { inner as one, SECRET };",
        "const inner = mutator({ apply: () => 1, server: SECRET });\nexport const one = inner;",
        "export const one = mutator({ 'apply': () => 1, server: SECRET } as const) satisfies unknown;",
        "const apply = () => 1;\nexport const one = mutator({ apply, server: SECRET });",
        "function apply() { return helper(); }\nconst helper = () => 1;\nexport const one = mutator({ apply, server: SECRET });",
        "import { defineMutator as m } from '@lunora/server';\nexport const one = m({ apply: () => 1, server: SECRET });",
        "import * as server from './_generated/server.js';\nexport const one = server.mutator({ apply: () => 1, server: SECRET });",
    ] {
        let code = code(&format!("const SECRET = () => 'sk_live';\n{text}"));
        assert!(code.contains("one") && code.contains("apply"), "{text}\n{code}");
        assert!(!code.contains("SECRET") && !code.contains("sk_live"), "{text}\n{code}");
        assert!(!code.contains("import"), "{text}\n{code}");
    }
}

#[test]
fn a_name_inside_means_itself() {
    // `key` of the server, and a parameter of the same name.
    let code = code(
        "const key = 'sk_live';\nexport const one = mutator({ apply: (ctx, key) => ctx.db.insert('t', { key }), server: () => key });",
    );
    assert!(!code.contains("sk_live"), "{code}");
}

#[test]
fn what_apply_uses_stays_whole() {
    let code = code(
        "enum Kind { A, B }\nclass Row { kind = Kind.A }\nconst { a, b } = { a: 1, b: 2 };\nexport const SHOWN = 3;\nexport const hidden = 4;\nexport const one = mutator({ apply: (ctx) => ctx.db.insert('t', { row: new Row(), a, shown: SHOWN }) });",
    );
    for part in ["Kind", "class Row", "b: 2", "export const SHOWN = 3"] {
        assert!(code.contains(part), "{part}\n{code}");
    }
    assert!(!code.contains("hidden"), "{code}");
}

#[test]
fn every_kind_of_declaration_is_found() {
    for (declaration, used) in [
        ("namespace limits { export const most = helper(); }", "limits.most"),
        ("enum Level { Low = 1 }\nenum Level { High = helper() }", "Level.High"),
        (
            "function rank(a: string): number;\nfunction rank(a: unknown) { return helper(a); }",
            "rank(1)",
        ),
        ("export default function rank() { return helper(); }", "rank()"),
        ("export default class Rank { by = helper(); }", "new Rank()"),
        ("let rank = helper(), other = 1;", "rank"),
        ("const { a: { b: [rank] } } = helper();", "rank"),
        ("async function* rank() { yield helper(); }", "rank()"),
    ] {
        let code = code(&format!(
            "const helper = (...all) => all.length;\n{declaration}\nexport const one = mutator({{ apply: () => {used} }});"
        ));
        assert!(code.contains("const helper"), "{declaration}\n{code}");
        let name = used.trim_start_matches("new ").split(['.', '(']).next().unwrap();
        assert!(code.matches(name).count() >= 2, "{declaration}\n{code}");
    }
}

#[test]
fn a_module_without_mutators_is_empty() {
    assert_eq!(code("export const list = query.query(() => 1);"), "");
    // A function of the app that happens to be called so.
    assert_eq!(
        client_module(
            "m.ts",
            "import { mutator } from './mine';\nexport const one = mutator({ apply: 1 });"
        )
        .unwrap()
        .to_string(),
        ""
    );
}

#[test]
fn what_belongs_to_the_server_is_refused() {
    for (text, at) in [
        ("export const one = mutator({ apply: () => v.string() });", "v"),
        (
            "import { LunoraError } from 'lunorash/server';\nexport const one = mutator({ apply: () => { throw new LunoraError('A', 'b'); } });",
            "LunoraError",
        ),
        (
            "import * as all from '@lunora/runtime';\nexport const one = mutator({ apply: () => all });",
            "* as all",
        ),
        (
            "import { env } from 'cloudflare:workers';\nexport const one = mutator({ apply: () => env.KEY });",
            "env",
        ),
        (
            "import { schema } from './_generated/worker.js';\nexport const one = mutator({ apply: () => schema });",
            "schema",
        ),
        (
            "const options = new Map();\noptions.set('key', 'sk_live');\nexport const one = mutator({ apply: () => options.size });",
            "options.set('key', 'sk_live');",
        ),
    ] {
        assert_eq!(error(text), ("CLIENT_REACHES_SERVER", at.to_owned()), "{text}");
    }
    for text in [
        "import { LunoraError } from 'lunorash/errors';\nexport const one = mutator({ apply: () => { throw new LunoraError('A', 'b'); } });",
        "import type { MutatorCtx } from './_generated/server.js';\nexport const one = mutator({ apply: (ctx: MutatorCtx) => ctx.now });",
        "import { MutatorCtx } from './_generated/server.js';\nexport const one = mutator({ apply: (ctx: MutatorCtx) => ctx.now });",
        "import { api } from './_generated/api.js';\nexport const one = mutator({ apply: () => api });",
    ] {
        assert!(!code(text).contains("_generated/server"), "{text}");
    }
}

#[test]
fn an_apply_that_is_not_visible_is_refused() {
    for (text, at) in [
        ("export const one = mutator(options);", "mutator(options)"),
        ("export const one = mutator({ ...options });", "...options"),
        (
            "export const one = mutator({ server: () => 1 });",
            "{ server: () => 1 }",
        ),
    ] {
        assert_eq!(error(text), ("NOT_STATIC", at.to_owned()), "{text}");
    }
}

#[test]
fn a_broken_text_is_a_finding() {
    let errors = client_module("lunora/mutators.ts", "export const one = ;").unwrap_err();
    assert_eq!(errors[0].code.as_str(), "SYNTAX_ERROR");
    let errors = client_module("m.ts", &"[".repeat(100_000)).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "NESTING_TOO_DEEP");
}
