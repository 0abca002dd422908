//! Who may depend on what: the edges that keep the native boundary, the parser, the worker's process
//! and sockets each in one place.

#![allow(clippy::unwrap_used)]

mod workspace;

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package};

/// Dependencies by the start of their name, and the only crates that may name them, in tests too.
const HOMES: [(&str, &[&str]); 8] = [
    ("napi", &["lunora_binding"]),
    ("swc_", &["lunora_parse"]),
    ("capnp", &["lunora_workerd"]),
    ("notify", &["lunora_watch"]),
    ("clap", &["lunora_cli"]),
    ("jsonc-parser", &["lunora_config"]),
    // Nobody depends on the addon, and what is for tests does not ship.
    ("lunora_binding", &[]),
    ("lunora_testing", &[]),
];

/// Crates that speak over sockets.
const SOCKET_CRATES: [&str; 12] = [
    "axum",
    "h2",
    "http-body-util",
    "hyper",
    "hyper-util",
    "mio",
    "quinn",
    "reqwest",
    "socket2",
    "tokio-tungstenite",
    "tungstenite",
    "ureq",
];

/// The only crates that open sockets.
const SOCKET_HOMES: [&str; 5] = [
    "lunora_client",
    "lunora_d1",
    "lunora_inspector",
    "lunora_local",
    "lunora_workerd",
];

/// Crates that hold plain data and pure functions.
const PURE: [&str; 3] = ["lunora_diagnostics", "lunora_ir", "lunora_lint"];

/// Crates that reach outside the process.
const EFFECTS: [&str; 6] = ["ignore", "notify", "rustix", "tempfile", "tokio", "which"];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(workspace::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
}

/// Every dependency of every crate of ours for which the rule does not hold.
fn broken(metadata: &Metadata, holds: impl Fn(&Package, &Dependency) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            if !holds(package, dependency) {
                broken.push(format!("{} names {}", package.name, dependency.name));
            }
        }
    }
    broken
}

fn is_for_tests(dependency: &Dependency) -> bool {
    dependency.kind == DependencyKind::Development
}

#[test]
fn each_boundary_has_one_home() {
    let metadata = metadata();
    assert!(metadata.packages.len() >= 11, "the workspace has its crates");
    for (prefix, homes) in HOMES {
        let holds = |package: &Package, dependency: &Dependency| {
            !dependency.name.starts_with(prefix)
                || homes.contains(&package.name.as_str())
                || (dependency.name == "lunora_testing" && is_for_tests(dependency))
        };
        assert_eq!(
            broken(&metadata, holds),
            Vec::<String>::new(),
            "only {homes:?} may name {prefix}"
        );
    }
}

#[test]
fn the_homes_are_lived_in() {
    let metadata = metadata();
    for (name, home) in [
        ("napi", "lunora_binding"),
        ("swc_core", "lunora_parse"),
        ("axum", "lunora_inspector"),
        ("hyper", "lunora_workerd"),
        ("tokio-tungstenite", "lunora_client"),
    ] {
        let package = metadata.packages.iter().find(|package| package.name == home).unwrap();
        assert!(
            package.dependencies.iter().any(|dependency| dependency.name == name),
            "{home} names {name}"
        );
    }
}

#[test]
fn only_five_crates_open_sockets() {
    let may = |name: &str| SOCKET_HOMES.contains(&name);
    let holds = |package: &Package, dependency: &Dependency| {
        may(&package.name) || is_for_tests(dependency) || !SOCKET_CRATES.contains(&dependency.name.as_str())
    };
    assert_eq!(broken(&metadata(), holds), Vec::<String>::new());

    // The standard library and tokio offer sockets to everybody.
    let words = [
        "TcpListener",
        "TcpStream",
        "TcpSocket",
        "UdpSocket",
        "UnixListener",
        "UnixStream",
    ];
    for package in metadata().packages.iter().filter(|package| !may(&package.name)) {
        let source = package.manifest_path.parent().unwrap().join("src");
        for file in workspace::sources(source.as_std_path(), ".rs") {
            let text = std::fs::read_to_string(&file).unwrap();
            let named = words.iter().find(|word| text.contains(**word));
            assert_eq!(named, None, "{} opens a socket", file.display());
        }
    }
}

#[test]
fn the_model_and_diagnostics_reach_nothing_outside() {
    let holds = |package: &Package, dependency: &Dependency| {
        !PURE.contains(&package.name.as_str())
            || is_for_tests(dependency)
            || !EFFECTS.contains(&dependency.name.as_str())
    };
    assert_eq!(broken(&metadata(), holds), Vec::<String>::new());
}
