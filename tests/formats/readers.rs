//! A program that reads files as Docker Compose and Helm do.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// The program, which ends with this value.
pub struct Readers {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Readers {
    pub fn start() -> Self {
        let program = testbed::readers().unwrap();
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    /// What is in a file of this syntax.
    pub fn read(&mut self, syntax: &str, text: &str) -> Result<Value, String> {
        writeln!(self.input, "{}", json!({"syntax": syntax, "text": text})).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        match &answer["error"] {
            Value::String(error) => Err(error.clone()),
            _ => Ok(answer["content"].take()),
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
