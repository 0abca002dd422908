//! Paths that lead elsewhere.

use crate::{CANARY, guarded};

/// Paths that have made servers read what they should not, and spellings of the API that a guard might not see.
const PATHS: [&str; 40] = [
    "/%61pi/status",
    "//api/status",
    "/./api/status",
    "/x/../api/status",
    "/api%2fstatus",
    "/API/status",
    "/api;/status",
    "/.lunora/inspector.json",
    "/../.lunora/inspector.json",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/..\\..\\etc\\passwd",
    "/..%5c..%5cetc%5cpasswd",
    "/assets/../../../Cargo.toml",
    "/assets/..%2f..%2fCargo.toml",
    "/@fs/etc/passwd",
    "/@fs/etc/passwd?raw",
    "/@fs/etc/passwd?raw??",
    "/@fs/etc/passwd?import&raw??",
    "/@fs/etc/passwd?.svg?.wasm?init",
    "/@fs/etc/passwd?import&?inline=1.wasm?init",
    "/@fs/x/x/x/vite/../../../../../etc/passwd",
    "/@fs//etc/passwd",
    "/@fs/C://windows/win.ini",
    "/@id/__x00__/etc/passwd",
    "/@vite/client",
    "/etc/passwd?url",
    "/file:///etc/passwd",
    "/.env",
    "/.git/config",
    "/index.html%00.js",
    "/index.html%2f..%2f..",
    "/....//....//etc/passwd",
    "/%c0%ae%c0%ae/etc/passwd",
    "/%252e%252e/etc/passwd",
    "/..;/etc/passwd",
    "/?/../etc/passwd",
    "/__open-in-editor?file=/etc/passwd",
    "/__lunora/",
    "/_lunora/admin/info",
];

#[tokio::test]
async fn no_path_leads_around() {
    let running = guarded().await;
    for path in PATHS {
        let answer = running.ask(&format!("GET {path}"), &[], "").await;
        let text = String::from_utf8_lossy(&answer.body);
        let secrets = [CANARY, "root:", "[workspace]", &running.token];
        assert!(
            secrets.iter().all(|secret| !text.contains(secret)),
            "{path}: {answer:?}"
        );
        let is_page = answer
            .header("content-type")
            .is_some_and(|value| value.starts_with("text/html"));
        assert!(is_page || answer.status >= 400, "{path}: {answer:?}");
    }
}
