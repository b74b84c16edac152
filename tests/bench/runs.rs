//! Measures the profiles, each run in a process of its own with an etcd and an apiserver of its own.
//!
//! The environment has the parameters: PROFILES, N, DELAY, WORKERS and RUNS, as tools/bench.sh explains them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::figures::{Figures, Summary, summarized, table};
use crate::profiles::Profile;
use crate::settings::{Settings, number, variable};

/// The variables by which a process of one run receives its profile, and the file for its figures.
const PROFILE: &str = "BENCH_PROFILE";
const RESULT: &str = "BENCH_RESULT";

/// Where the results are written.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench")
}

#[test]
#[ignore = "a measurement, for make bench"]
fn measure() {
    let profiles = variable("PROFILES").unwrap_or_else(|| "all".to_owned());
    let profiles: Vec<_> = if profiles == "all" {
        Profile::ALL.to_vec()
    } else {
        profiles.split([' ', ',']).filter(|name| !name.is_empty()).map(Profile::of_name).collect()
    };
    let runs = number("RUNS").unwrap_or(1_usize).max(1);
    fs::create_dir_all(folder()).unwrap();
    let machine = machine();
    println!("{machine}");
    for profile in profiles {
        let name = profile.name();
        let measured: Vec<_> = (1..=runs).map(|run| measured_apart(profile, run)).collect();
        let summaries = summarized(&measured);
        println!("\n{}", table(name, &summaries));
        let file = folder().join(format!("{name}.json"));
        fs::write(&file, format!("{:#}\n", document(profile, &machine, &measured, &summaries))).unwrap();
    }
    println!("\nThe same as JSON, with each run: {}", folder().display());
}

/// Measures once in a process of its own.
fn measured_apart(profile: Profile, run: usize) -> Figures {
    let result = folder().join(format!("{}-{run}.run", profile.name()));
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["runs::one_run", "--exact", "--ignored", "--nocapture", "--quiet"])
        .env(PROFILE, profile.name())
        .env(RESULT, &result)
        .status()
        .unwrap();
    assert!(status.success(), "run {run} of {} failed", profile.name());
    let text = fs::read_to_string(&result).unwrap();
    fs::remove_file(&result).unwrap();
    Figures::of_json(&serde_json::from_str(&text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "one run of a measurement, which starts it with its profile"]
async fn one_run() {
    let profile = Profile::of_name(&variable(PROFILE).expect("make bench starts the runs"));
    let settings = Settings::of_environment();
    let figures = profile.run(&settings).await;
    fs::write(variable(RESULT).unwrap(), figures.to_json().to_string()).unwrap();
}

fn document(profile: Profile, machine: &str, runs: &[Figures], summaries: &[Summary]) -> Value {
    let settings = Settings::of_environment();
    let summary = |summary: &Summary| {
        json!({
            "name": summary.median.name, "unit": summary.median.unit, "median": summary.median.value,
            "lowest": summary.lowest, "highest": summary.highest,
        })
    };
    json!({
        "profile": profile.name(),
        "machine": machine,
        "settings": {
            "users": settings.users, "delayMilliseconds": settings.delay.as_millis(), "workers": settings.workers,
            "operator": settings.operator,
        },
        "figures": summaries.iter().map(summary).collect::<Vec<_>>(),
        "runs": runs.iter().map(Figures::to_json).collect::<Vec<_>>(),
    })
}

/// The machine in words.
fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let (_, model) = model.unwrap_or(("", "unknown processors"));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<_> = load.split(' ').take(3).collect();
    format!("{} processors ({model}), load average before: {}", crate::usage::processors(), load.join(" "))
}
