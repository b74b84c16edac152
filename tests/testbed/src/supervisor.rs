//! The process that ends the servers when this one is gone.
//!
//! A destructor does not run when a test process is killed, and a parent-death signal cannot be set without unsafe
//! code. So the servers belong to a small shell that ends them when a pipe from this process closes, which the kernel
//! does in every case.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use parking_lot::Mutex;
use rustix::process::{Pid, test_kill_process};

use crate::{Error, error::tail};

/// A running supervisor with its directory.
#[derive(Debug)]
pub(crate) struct Supervisor {
    dir: PathBuf,
    prefix: Vec<String>,
    child: Mutex<Child>,
    talk: Mutex<Talk>,
}

#[derive(Debug)]
struct Talk {
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// A server that the supervisor started.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    name: String,
    pid: i32,
    log: PathBuf,
}

impl Supervisor {
    /// Starts a supervisor, which makes itself a temporary directory whose name begins with `name`.
    pub(crate) fn start(name: &str) -> Result<Self, Error> {
        let mut child = Command::new("bash")
            .args(["-c", include_str!("supervisor.sh"), "testbed-supervisor", name])
            .env_remove("BASH_ENV")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Control-C in a terminal goes to the whole foreground group; the supervisor must live on to clean up.
            .process_group(0)
            .spawn()
            .map_err(Error::io("starting the supervisor (bash)"))?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Argument("the supervisor was started without pipes".to_owned()));
        };
        let mut talk = Talk { commands, answers: BufReader::new(answers) };
        let dir = PathBuf::from(talk.answer()?);
        Ok(Self { dir, prefix: Vec::new(), child: Mutex::new(child), talk: Mutex::new(talk) })
    }

    /// The temporary directory, removed at the end.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Has every server from now on started by a program that becomes the rest of its arguments.
    pub(crate) fn set_prefix(&mut self, prefix: Vec<String>) {
        self.prefix = prefix;
    }

    /// Starts a server.
    pub(crate) fn run(&self, name: &str, program: &Path, args: &[String]) -> Result<Server, Error> {
        let program = program.display().to_string();
        self.run_command(name, self.prefix.iter().chain([&program]).chain(args))
    }

    /// Starts a server by its whole command line, without the prefix.
    pub(crate) fn run_command<'a>(
        &self,
        name: &str,
        command: impl IntoIterator<Item = &'a String>,
    ) -> Result<Server, Error> {
        self.write_command(name, command)?;
        let answer = self.ask(&format!("start {name}"))?;
        let pid = answer
            .parse()
            .map_err(|_| Error::Argument(format!("the supervisor answered {answer:?} instead of a pid")))?;
        Ok(Server { name: name.to_owned(), pid, log: self.dir.join(format!("{name}.log")) })
    }

    /// Has a command run at the very end, when all servers are dead, whatever this process dies of.
    pub(crate) fn finally(&self, name: &str, command: &[String]) -> Result<(), Error> {
        self.write_command(name, command)?;
        self.ask(&format!("finally {name}")).map(drop)
    }

    fn write_command<'a>(
        &self,
        name: &str,
        words: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), Error> {
        let mut text = Vec::new();
        for word in words {
            text.extend_from_slice(word.as_bytes());
            text.push(0);
        }
        fs::write(self.dir.join(format!("{name}.argv")), text)
            .map_err(Error::io(format!("writing the command line of {name}")))
    }

    /// Kills one server and waits until it is gone.
    pub(crate) fn stop(&self, server: &Server) -> Result<(), Error> {
        self.ask(&format!("stop {}", server.pid)).map(drop)
    }

    /// Ends all servers, removes the directory and waits until that is done.
    pub(crate) fn finish(self) -> Result<(), Error> {
        drop(self.talk);
        let mut child = self.child.into_inner();
        child.wait().map(drop).map_err(Error::io("waiting for the supervisor"))
    }

    fn ask(&self, command: &str) -> Result<String, Error> {
        let mut talk = self.talk.lock();
        writeln!(talk.commands, "{command}").map_err(Error::io("speaking to the supervisor"))?;
        talk.answer()
    }
}

impl Talk {
    fn answer(&mut self) -> Result<String, Error> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(Error::io("listening to the supervisor"))?;
        match line.trim_end() {
            "" => Err(Error::Argument("the supervisor ended".to_owned())),
            line => Ok(line.to_owned()),
        }
    }
}

impl Server {
    /// The process id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it is still running. The supervisor collects its dead children at once.
    pub(crate) fn is_running(&self) -> bool {
        Pid::from_raw(self.pid).is_some_and(|pid| test_kill_process(pid).is_ok())
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// An error about this server, with the end of its log.
    pub(crate) fn error(&self, why: impl Into<String>) -> Error {
        Error::Component { name: self.name.clone(), why: why.into(), log: tail(&self.log(), 30) }
    }
}
