//! The embedded UI. What a path names is looked up among the embedded files; the disk is never asked.

use std::borrow::Cow;
use std::io::Read as _;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, VARY};
use axum::http::{HeaderValue, Response};
use flate2::read::GzDecoder;
use lunora_diagnostics::{Diagnostic, codes};
use rust_embed::RustEmbed;

use crate::reply::{Refused, coded, not_found};

/// Each file compressed.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/ui"]
struct Files;

const INDEX: &str = "index.html";

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    /// A file of this name.
    File(&'a str),
    /// The page: the path is one of its own.
    Page,
    /// Nothing that could be here.
    Nothing,
}

/// Paths of the page have no dot in their last part; files do.
fn wanted(path: &str) -> Wanted<'_> {
    let Some(name) = path.strip_prefix('/') else {
        return Wanted::Nothing;
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    // A name of a shard in a deep link may hold anything that a URL can.
    if !last.contains('.') && !name.starts_with("assets/") {
        return Wanted::Page;
    }
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if name.split('/').all(is_plain) {
        Wanted::File(name)
    } else {
        Wanted::Nothing
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "map" | "webmanifest" => "application/json",
        "woff2" => "font/woff2",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        // `q=0` is how a client says that it does not.
        is_gzip
            && parts.all(|weight| !matches!(weight.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// The answer to a request for `path`.
pub(crate) fn answer(path: &str, headers: &HeaderMap) -> Response<Body> {
    match serve(path, headers) {
        Ok(response) => response,
        Err(Refused(diagnostic)) => coded(&diagnostic),
    }
}

fn serve(path: &str, headers: &HeaderMap) -> Result<Response<Body>, Refused> {
    let nothing = || not_found("there is nothing of the inspector at this path");
    let name = match wanted(path) {
        Wanted::File(name) => name,
        Wanted::Page => INDEX,
        Wanted::Nothing => return Err(nothing()),
    };
    let Some(file) = Files::get(&format!("{name}.gz")) else {
        return Err(if Files::get("index.html.gz").is_some() {
            nothing()
        } else {
            Diagnostic::error(
                codes::INSPECTOR_PAGE_MISSING,
                "this addon was built without the inspector's page",
            )
            .into()
        });
    };
    let compressed = takes_gzip(headers);
    let bytes = if compressed {
        file.data
    } else {
        let mut bytes = Vec::new();
        let read = GzDecoder::new(&*file.data).read_to_end(&mut bytes);
        read.map_err(|error| Diagnostic::error(codes::INTERNAL, format!("an embedded file is damaged: {error}")))?;
        Cow::Owned(bytes)
    };
    let mut response = Response::new(match bytes {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Shapes that have led out of a served folder, in dev servers and elsewhere.
    const TRAVERSALS: [&str; 44] = [
        "/../etc/passwd",
        "/..",
        "/.",
        "/./index.html",
        "/../../../../../../etc/passwd",
        "/assets/../../../../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd.txt",
        "/%2e%2e%2fetc%2fpasswd.txt",
        "/..%2f..%2fetc.txt",
        "/..%5c..%5cwindows.ini",
        "/..\\..\\windows.ini",
        "/assets\\..\\x.js",
        "/....//....//etc.txt",
        "/..;/..;/etc.txt",
        "/.%00./etc.txt",
        "/index.html%00.js",
        "/index.html/",
        "//etc/passwd.txt",
        "///etc/passwd.txt",
        "//evil.test/x.js",
        "/assets//x.js",
        "/@fs/etc/passwd.txt",
        "/@fs/etc/passwd?raw??.js",
        "/@fs//etc/passwd.txt",
        "/@fs/etc/passwd?import&raw??.js",
        "/@fs/x/x/x/vite/../../../../etc/passwd.svg",
        "/@fs/etc/passwd?.svg?.wasm?init.js",
        "/@fs/etc/passwd#/.env.js",
        "/.env",
        "/.git/config",
        "/.lunora/inspector.json",
        "/assets/.env",
        "/.vite/deps/x.js",
        "/@id/__x00__x.js",
        "/@vite/client.js",
        "/node_modules/.vite/x.js",
        "/__open-in-editor?file=/etc/passwd.txt",
        "/%c0%ae%c0%ae/etc.txt",
        "/%uff0e%uff0e/etc.txt",
        "/C:/windows/win.ini",
        "/file:///etc/passwd.txt",
        "/~root/.ssh/id.pub",
        "/assets/%2e%2e/index.html",
    ];

    #[test]
    fn paths_lead_to_embedded_files_or_the_page() {
        for path in TRAVERSALS {
            // Never a file of another name than one that could be embedded.
            match wanted(path) {
                Wanted::Nothing | Wanted::Page => {}
                Wanted::File(name) => assert!(
                    !name.contains("..") && Files::get(&format!("{name}.gz")).is_none(),
                    "{path}"
                ),
            }
        }
        for path in [
            "/",
            "/shards",
            "/shards/messages/general",
            "/shards/a%2Fb",
            "/data/x:y",
            "//",
            "/a//b",
        ] {
            assert_eq!(wanted(path), Wanted::Page, "{path}");
        }
        for path in ["", "x", "*", "/assets/", "/a/.x.js", "/a b/x.js"] {
            assert_eq!(wanted(path), Wanted::Nothing, "{path}");
        }
        assert_eq!(wanted("/assets/index-Ab_3.js"), Wanted::File("assets/index-Ab_3.js"));
    }

    #[test]
    fn gzip_is_given_to_those_who_take_it() {
        let accepts = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
            takes_gzip(&headers)
        };
        assert!(accepts("gzip") && accepts("br, GZIP;q=0.5") && accepts("deflate, gzip; q=1"));
        assert!(!accepts("br") && !accepts("gzip;q=0") && !accepts("gzip; q=0.0") && !accepts("xgzip"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
