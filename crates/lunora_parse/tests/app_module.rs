//! `lunora/app.ts`, and whether the app takes mail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is a failed test")]

mod support;

const SCHEMA: &str = "import { defineSchema, defineTable, v } from \"lunorash/server\";\nexport const schema = defineSchema({ notes: defineTable({ text: v.string() }) });\n";

fn takes_mail(app: &str, others: &[(&str, &str)]) -> bool {
    let app = format!("import {{ defineApp }} from \"lunorash/server\";\n{app}");
    let mut files = vec![("lunora/schema.ts", SCHEMA), ("lunora/app.ts", &app)];
    files.extend_from_slice(others);
    let linked = support::link(&files);
    assert_eq!(linked.diagnostics, [], "{app}");
    assert!(linked.application.has_app_module);
    linked.application.takes_mail
}

#[test]
fn an_app_takes_mail_where_its_options_say_so() {
    for app in [
        "export default defineApp({ email: () => {} });",
        "export default defineApp({ email(message) { message.setReject(\"no\"); } });",
        "export default defineApp({ \"email\": handler() });",
        "const email = () => {};\nexport default defineApp({ email });",
        "const options = { email: () => {} };\nconst app = defineApp(options);\nexport default app;",
        "const more = { email: () => {} };\nexport { app as default };\nconst app = defineApp({ ...more, limits: {} });",
        "const undefined = () => {};\nexport default defineApp({ email: undefined });",
        "import * as server from \"lunorash/server\";\nexport default server.defineApp({ email: () => {} });",
        // What cannot be read may.
        "export default defineApp(options());",
        "export default wrapped({});",
        "export default defineApp({ ...options() });",
        "export default defineApp({ [name]: () => {} });",
        "export default defineApp({ get email() { return () => {}; } });",
        "export default defineApp(...options);",
        "export { app as default } from \"an-npm-package\";",
        "const a = b;\nconst b = a;\nexport default defineApp(a);",
    ] {
        assert!(takes_mail(app, &[]), "{app}");
    }
    let other = "import { defineApp } from \"lunorash/server\";\nexport const app = defineApp({ email: () => {} });";
    assert!(takes_mail(
        "export { app as default } from \"./other\";",
        &[("lunora/other.ts", other)]
    ));
}

#[test]
fn speaking_of_mail_takes_none() {
    for app in [
        "export default defineApp({});",
        "export default defineApp();",
        "// email\nexport default defineApp({ resolveIdentity: ({ token }) => ({ userId: token, email: \"x\" }) });",
        "const email = () => {};\nexport default defineApp({ limits: {} });",
        "export default defineApp({ email: undefined });",
        "const more = { limits: {} };\nexport default defineApp({ ...more });",
        "export default defineApp({ email: () => {}, email: undefined });",
    ] {
        assert!(!takes_mail(app, &[]), "{app}");
    }
    let linked = support::link(&[("lunora/schema.ts", SCHEMA)]);
    assert!(!linked.application.takes_mail && !linked.application.has_app_module);
}
