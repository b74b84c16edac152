//! A program under test as a child process that can be killed at any moment, and never outlives the test.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};
use rustix::process::{Pid, Signal, kill_process};

use self::output::Output;
use crate::{Error, LIMIT, eventually};

pub(crate) mod output;

/// A program with its arguments and environment, not yet started.
#[derive(Debug, Clone)]
pub struct ProcessBuilder {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, Option<OsString>)>,
    log: Option<PathBuf>,
}

impl ProcessBuilder {
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Keeps an environment variable of the test process from the program.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), None));
        self
    }

    /// Also appends every line of output to a file.
    #[must_use]
    pub fn log_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Starts it.
    pub fn spawn(&self) -> Result<Process, Error> {
        let name = self.program.display().to_string();
        let mut command = Command::new("bash");
        command
            .args(["-c", include_str!("watchdog.sh"), "testbed-watchdog"])
            .arg(&self.program)
            .args(&self.args)
            .env_remove("BASH_ENV")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (variable, value) in &self.env {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        // Signals from a terminal are for the test process; the watchdog sees to the rest.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(Error::io(format!("starting {name}")))?;
        let output = Output::new(self.log.as_deref())?;
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            output.read(stdout);
            output.read(stderr);
        }
        let leash = child.stdin.take();
        Ok(Process { name, pid: child.id(), output, running: Mutex::new(Running { child, leash }) })
    }
}

/// A running program. Dropping it kills the program; so does the end of the test process, whatever its cause.
pub struct Process {
    name: String,
    pid: u32,
    output: Arc<Output>,
    running: Mutex<Running>,
}

/// What a [`Process`] writes, also after its end.
#[derive(Clone)]
pub struct Transcript(Arc<Output>);

impl Transcript {
    /// Every line so far, of both outputs in the order they were read.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lines()
    }
}

struct Running {
    child: Child,
    /// The watchdog's pipe.
    leash: Option<ChildStdin>,
}

impl Process {
    /// Begins to describe a program to start.
    pub fn builder(program: impl AsRef<Path>) -> ProcessBuilder {
        ProcessBuilder { program: program.as_ref().to_owned(), args: Vec::new(), env: Vec::new(), log: None }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// Every line it has written so far, of both outputs in the order they were read.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.output.lines()
    }

    /// What it writes, for a caller that outlives it.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        Transcript(Arc::clone(&self.output))
    }

    /// How many lines it has written so far: a mark for [`Process::wait_for_line_after`].
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.output.lines().len()
    }

    /// Waits until it has written a line of which `matches` is true, counting lines already written, and returns it.
    pub async fn wait_for_line(&self, matches: impl Fn(&str) -> bool) -> Result<String, Error> {
        self.wait_for_line_after(0, matches).await
    }

    /// The same without the first `mark` lines.
    pub async fn wait_for_line_after(
        &self,
        mark: usize,
        matches: impl Fn(&str) -> bool,
    ) -> Result<String, Error> {
        match tokio::time::timeout(LIMIT, self.output.find(mark, matches)).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err(self.error("closed its output without the line that was waited for")),
            Err(_) => Err(self.error(format!("did not write the line that was waited for within {LIMIT:?}"))),
        }
    }

    /// How it ended, if it has.
    pub fn try_wait(&self) -> Result<Option<ExitStatus>, Error> {
        self.running().poll().map_err(Error::io(format!("waiting for {}", self.name)))
    }

    /// Waits until it ends on its own.
    pub async fn wait(&self) -> Result<ExitStatus, Error> {
        let ended = eventually("ended", || async { self.try_wait().transpose() }).await;
        match ended {
            Ok(status) => status,
            Err(_) => Err(self.error(format!("did not end within {LIMIT:?}"))),
        }
    }

    /// Ends it with SIGKILL and returns once it is gone.
    pub fn kill9(&self) -> Result<(), Error> {
        self.running().kill().map_err(Error::io(format!("killing {}", self.name)))
    }

    /// Asks it to end with SIGTERM and waits until it has.
    pub async fn sigterm_and_wait(&self) -> Result<ExitStatus, Error> {
        self.signal(Signal::TERM)?;
        self.wait().await
    }

    /// Stops it in its tracks.
    pub fn sigstop(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// Lets it continue after [`Process::sigstop`].
    pub fn sigcont(&self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let mut running = self.running();
        let what = || format!("signalling {}", self.name);
        // Asking first, under the lock, makes sure that the process id is still its own.
        if running.poll().map_err(Error::io(what()))?.is_some() {
            return Err(self.error("had ended before it could be signalled"));
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Error::Argument(format!("{} is no process id", self.pid)))?;
        kill_process(pid, signal).map_err(|errno| Error::io(what())(errno.into()))
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock()
    }

    fn error(&self, why: impl Into<String>) -> Error {
        Error::Process { program: self.name.clone(), why: why.into(), output: self.output.tail() }
    }
}

impl Running {
    fn poll(&mut self) -> std::io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.release();
        }
        Ok(status)
    }

    fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.release();
        Ok(())
    }

    /// Sends the watchdog home: the program is gone, and its process id may soon be another's.
    fn release(&mut self) {
        if let Some(mut leash) = self.leash.take() {
            // It may have been killed with the program's process group.
            let _ = leash.write_all(b"done\n");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // If this fails, the watchdog does it when its pipe closes a moment later.
        let _ = self.running().kill();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("name", &self.name).field("pid", &self.pid).finish_non_exhaustive()
    }
}
