//! Another clock for operators, by libfaketime.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::WorldBuilder;

/// The library that gives a process another clock.
pub fn library() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/faketime.sh");
    let output = Command::new("bash").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The clocks of an operator that a test moves while the operator runs, also the one by which it measures durations.
pub struct MovedClock(TempDir);

impl MovedClock {
    /// The clocks of a world's operators, which are right at first.
    pub fn new(builder: WorldBuilder) -> (Self, WorldBuilder) {
        let clock = Self(TempDir::new().unwrap());
        clock.ahead_by("+0");
        let file = clock.0.path().join("offset");
        let builder = builder
            .env("LD_PRELOAD", &library())
            .env("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap())
            .env("FAKETIME_NO_CACHE", "1");
        (clock, builder)
    }

    /// Moves the clocks: `+50m` is 50 minutes ahead of everybody else's.
    pub fn ahead_by(&self, offset: &str) {
        let next = self.0.path().join("next");
        std::fs::write(&next, offset).unwrap();
        // The operator reads the file at any time, and never half of it.
        std::fs::rename(next, self.0.path().join("offset")).unwrap();
    }
}
