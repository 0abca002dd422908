//! The built client, served beside the worker as the platform serves it in production.
//!
//! The folder is listed once: a build does not change while it is served, and a path that is not in the list leads to
//! no file whatever it is made of.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use hyper::{Method, Response, StatusCode};

use crate::proxy::body::ProxyBody;

/// What belongs to the worker even where a file has the name.
const WORKER_PREFIXES: [&str; 2] = ["/_lunora/", "/api/"];
const START_PAGE: &str = "/index.html";

#[derive(Debug)]
struct Asset {
    file: PathBuf,
    content_type: &'static str,
    tag: HeaderValue,
}

/// The files of a client by their path in the address.
#[derive(Debug)]
pub(crate) struct Assets {
    files: HashMap<String, Asset>,
}

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.unwrap_or_default() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

/// `%2e` and the like become what they stand for; `None` for what is no text.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            let text = std::str::from_utf8(&pair).ok()?;
            bytes.push(u8::from_str_radix(text, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl Assets {
    /// Lists a folder. Links and names that are no text are left out.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let mut files = HashMap::new();
        let mut open = vec![(folder.to_path_buf(), String::new())];
        while let Some((folder, prefix)) = open.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let path = format!("{prefix}/{name}");
                let metadata = entry.metadata()?;
                if metadata.is_dir() {
                    open.push((entry.path(), path));
                } else if metadata.is_file() {
                    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                    let tag = format!("\"{:x}-{:x}\"", metadata.len(), changed.as_nanos());
                    let asset = Asset {
                        content_type: content_type(&entry.path()),
                        file: entry.path(),
                        tag: HeaderValue::try_from(tag).map_err(io::Error::other)?,
                    };
                    files.insert(path, asset);
                }
            }
        }
        Ok(Self { files })
    }

    /// The file of a path: itself, the page of that name, or the start page for a navigation to anywhere else, whose
    /// router is the client's own.
    fn find(&self, path: &str, headers: &HeaderMap) -> Option<&Asset> {
        if WORKER_PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
            return None;
        }
        let path = decoded(path)?;
        let bare = path.trim_end_matches('/');
        let candidates = [path.clone(), format!("{bare}/index.html"), format!("{bare}.html")];
        if let Some(asset) = candidates.iter().find_map(|candidate| self.files.get(candidate)) {
            return Some(asset);
        }
        let navigates = headers
            .get(HeaderName::from_static("sec-fetch-mode"))
            .is_some_and(|mode| mode == "navigate");
        if navigates { self.files.get(START_PAGE) } else { None }
    }

    /// The answer, where a file has it; else the worker is asked.
    pub(crate) async fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<ProxyBody>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let asset = self.find(path, headers)?;
        let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| *tag == asset.tag);
        let mut response = if known {
            let mut response = Response::new(ProxyBody::whole(Vec::new()));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            // A file that is gone is the worker's to miss.
            Response::new(ProxyBody::whole(tokio::fs::read(&asset.file).await.ok()?))
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=0, must-revalidate"),
        );
        headers.insert(ETAG, asset.tag.clone());
        headers.insert(
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        );
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn site() -> (tempfile::TempDir, Assets) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("client");
        std::fs::create_dir_all(folder.join("assets")).unwrap();
        std::fs::create_dir_all(folder.join("api")).unwrap();
        for (name, text) in [
            ("client/index.html", "start"),
            ("client/about.html", "about"),
            ("client/assets/a b.js", "script"),
            ("client/api/x.js", "never"),
            ("secret.txt", "secret"),
        ] {
            std::fs::write(root.path().join(name), text).unwrap();
        }
        std::os::unix::fs::symlink(root.path().join("secret.txt"), folder.join("link.txt")).unwrap();
        let assets = Assets::of(&folder).unwrap();
        (root, assets)
    }

    fn found(assets: &Assets, path: &str, navigates: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        if navigates {
            headers.insert("sec-fetch-mode", HeaderValue::from_static("navigate"));
        }
        let asset = assets.find(path, &headers)?;
        Some(std::fs::read_to_string(&asset.file).unwrap())
    }

    #[test]
    fn paths_lead_to_files_pages_and_the_start_page() {
        let (_root, assets) = site();
        for (path, navigates, expected) in [
            ("/", false, Some("start")),
            ("/index.html", false, Some("start")),
            ("/about", false, Some("about")),
            ("/about/", false, Some("about")),
            ("/assets/a%20b.js", false, Some("script")),
            ("/rooms/7", true, Some("start")),
            ("/rooms/7", false, None),
            ("/api/x.js", true, None),
            ("/_lunora/health", true, None),
        ] {
            assert_eq!(found(&assets, path, navigates).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn nothing_outside_the_folder_is_reached() {
        let (_root, assets) = site();
        for path in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/assets/../../secret.txt",
            "/..\\secret.txt",
            "//secret.txt",
            "/link.txt",
            "/%00",
            "/%",
            "/%zz",
            "/%ff",
            "",
        ] {
            let found = found(&assets, path, false);
            assert!(
                found.is_none() || found.as_deref() == Some("start"),
                "{path}: {found:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_known_file_is_not_sent_again_and_others_are_the_workers() {
        let (_root, assets) = site();
        let none = HeaderMap::new();
        let first = assets.answer(&Method::GET, "/", &none).await.unwrap();
        assert_eq!(first.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        let mut again = HeaderMap::new();
        again.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        let second = assets.answer(&Method::GET, "/", &again).await.unwrap();
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert!(assets.answer(&Method::POST, "/", &none).await.is_none());
        assert!(assets.answer(&Method::GET, "/nothing", &none).await.is_none());
    }
}
