//! The program that behaves as the connector does, with an environment of the test.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use testbed::Process;

/// A connector that runs. It ends with this value.
pub struct Reader {
    process: Process,
    address: String,
}

impl Reader {
    /// Starts it with this environment and nothing else.
    ///
    /// # Errors
    ///
    /// What it says where it does not start.
    pub async fn start(environment: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut builder = Process::builder(program());
        // PATH is for the shell that starts it.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name != "PATH") {
            builder = builder.env_remove(name);
        }
        for (name, value) in environment {
            builder = builder.env(name, value);
        }
        let process = builder.env("LISTEN", "127.0.0.1:0").env("INTERVAL", "100ms").spawn().unwrap();
        let listening = "listening on ";
        match process.wait_for_line(|line| line.contains(listening)).await {
            Ok(line) => {
                let (_, address) = line.split_once(listening).unwrap();
                Ok(Self { address: address.to_owned(), process })
            }
            Err(_) => Err(process.lines().join("\n")),
        }
    }

    /// What it has come to so far.
    pub async fn outcome(&self) -> Value {
        let answer = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = answer.get(format!("http://{}/outcome", self.address)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Waits for an outcome.
    pub async fn until(&self, what: &str, check: impl Fn(&Value) -> bool) -> Value {
        let found = testbed::eventually(what, async || Some(self.outcome().await).filter(&check)).await;
        match found {
            Ok(outcome) => outcome,
            Err(error) => panic!("{error}: {}\n{}", self.outcome().await, self.process.lines().join("\n")),
        }
    }

    /// Waits until it has obtained more tokens than in an outcome of before.
    pub async fn obtains_more_than(&self, before: &Value) -> Value {
        let obtained = before["obtained"].as_u64().unwrap_or_default();
        self.until("one more token", |now| now["ready"] == true && now["obtained"].as_u64() > Some(obtained))
            .await
    }
}

/// The program, built where its sources have changed.
fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/connector");
        let mut sources: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        sources
            .retain(|path| path.extension().is_some_and(|extension| extension == "go" || extension == "mod"));
        sources.sort_unstable();
        let mut hasher = DefaultHasher::new();
        for path in &sources {
            fs::read(path).unwrap().hash(&mut hasher);
        }
        let program = format!("connector-{:016x}", hasher.finish());
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program);
        if !program.exists() {
            build(&folder, &program);
        }
        program
    })
}

/// Builds beside the final place and renames: other tests may build it at the same time.
fn build(folder: &Path, program: &Path) {
    let unfinished = program.with_extension(std::process::id().to_string());
    let output = Command::new("go")
        .args(["build", "-buildvcs=false", "-o"])
        .arg(&unfinished)
        .arg(".")
        .current_dir(folder)
        .envs([("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOFLAGS", "")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::rename(unfinished, program).unwrap();
}
