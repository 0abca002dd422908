//! The real workerd with a worker that is bound to a server's database (`OURS`) and to the D1 that workerd bundles
//! (`BUNDLED`), and to the services behind them (`…_HTTP`).
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use lunora_d1::DATABASE_HEADER;
use lunora_workerd::find_workerd;

use super::Client;

/// Ends the process when it is dropped.
pub struct Workerd {
    process: Child,
    socket: PathBuf,
}

impl Drop for Workerd {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Workerd {
    /// Runs the first of the modules, with its files in a folder.
    pub fn run(folder: &Path, d1: &Path, modules: &[(&str, &str)]) -> Self {
        for (name, source) in modules {
            std::fs::write(folder.join(name), source).unwrap();
        }
        let config_file = folder.join("config.capnp");
        std::fs::write(&config_file, config(folder, d1, modules)).unwrap();
        std::fs::create_dir(folder.join("disk")).unwrap();
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let found = find_workerd(None, &root, SystemTime::now()).expect("workerd is installed");
        let process = Command::new(found.path)
            .args(["serve", "--experimental"])
            .arg(config_file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            process,
            socket: folder.join("w.sock"),
        }
    }

    /// A connection to the worker.
    pub async fn connect(&mut self) -> Client {
        loop {
            if let Ok(client) = Client::connect(&self.socket).await {
                return client;
            }
            assert_eq!(self.process.try_wait().unwrap(), None, "workerd ended");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn config(folder: &Path, d1: &Path, modules: &[(&str, &str)]) -> String {
    let (folder, d1) = (folder.display(), d1.display());
    let modules: Vec<String> = modules
        .iter()
        .map(|(name, _)| format!(r#"(name = "{name}", esModule = embed "{name}")"#))
        .collect();
    let modules = modules.join(", ");
    let bundled = r#"(name = "bundled", props = (json = "{\"database\":\"DB\"}"))"#;
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [{modules}],
      compatibilityDate = "2026-01-01",
      bindings = [
        (name = "OURS", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [
          (name = "fetcher", service = "ours")])),
        (name = "BUNDLED", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [
          (name = "fetcher", service = {bundled})])),
        (name = "OURS_HTTP", service = "ours"),
        (name = "BUNDLED_HTTP", service = {bundled})])),
    (name = "ours", external = (address = "unix:{d1}", http = (
      injectRequestHeaders = [(name = "{DATABASE_HEADER}", value = "DB")]))),
    (name = "bundled", worker = (
      modules = [(name = "d1.js", bundled = "/workerd/d1.js")],
      compatibilityDate = "2026-01-01",
      bindings = [(name = "DATABASE", durableObjectNamespace = "D1Database")],
      durableObjectNamespaces = [(className = "D1Database", uniqueKey = "d1", enableSql = true)],
      durableObjectStorage = (localDisk = "disk"))),
    (name = "disk", disk = (path = "{folder}/disk", writable = true))],
  sockets = [(name = "http", address = "unix:{folder}/w.sock", http = (), service = "main")]);
"#
    )
}
