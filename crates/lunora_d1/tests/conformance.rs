//! The same calls of the real binding in the real workerd, to this server and to the D1 that workerd bundles. Where the
//! two answer differently, [`differences`] says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "conformance/differences.rs"]
mod differences;
mod support;

use differences::DIFFERENCES;
use lunora_d1::D1Limits;
use lunora_testing::Random;
use serde_json::Value;
use support::start_with;
use support::workerd::Workerd;

const MODULES: [(&str, &str); 3] = [
    ("worker.js", include_str!("conformance/worker.js")),
    ("probes.js", include_str!("conformance/probes.js")),
    ("scenarios.js", include_str!("conformance/scenarios.js")),
];

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_the_d1_that_workerd_bundles() {
    let seed = Random::anew("conformance").next_u64() >> 32;
    let folder = tempfile::tempdir().unwrap();
    let limits = D1Limits {
        body_bytes: 4 << 20,
        ..D1Limits::default()
    };
    let server = start_with(folder.path(), limits).await;
    let mut workerd = Workerd::run(folder.path(), server.socket(), &MODULES);
    let mut client = workerd.connect().await;
    let answer = client.post(&format!("/?seed={seed}"), "").await;
    drop(workerd);
    server.close().await;

    let told: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
    assert!(told.len() > 300, "{} cases", told.len());
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for case in &told {
        let name = case["name"].as_str().unwrap();
        let (ours, bundled) = (&case["ours"], &case["bundled"]);
        let listed = DIFFERENCES.iter().find_map(|known| Some((known, known.name_of(name)?)));
        match listed {
            None if ours == bundled => {}
            None => wrong.push(format!("{name}\n  ours    {ours}\n  bundled {bundled}")),
            Some((known, listed)) => {
                seen.insert(listed);
                if ours == bundled {
                    wrong.push(format!("{name}\n  is listed ({}) and no difference: {ours}", known.why));
                } else if !ours.to_string().replace("\\\"", "\"").contains(known.ours) {
                    wrong.push(format!("{name}\n  ours    {ours}\n  listed  {}", known.ours));
                }
            }
        }
    }
    for name in DIFFERENCES.iter().flat_map(|known| known.cases) {
        if !seen.contains(name) {
            wrong.push(format!(
                "{name}\n  is listed as a difference, and there is no such case"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        told.len(),
        wrong.join("\n")
    );
}
