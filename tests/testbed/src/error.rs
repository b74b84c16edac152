//! What can go wrong in the testbed, with what a developer needs to find the cause.

use std::{fmt, io, time::Duration};

/// A failure of the testbed itself.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The programs under test could not be built or found.
    #[error("the test programs are not available: {0}")]
    Binaries(String),
    /// A server of the control plane ended or did not become ready.
    #[error("{name} {why}; the end of its log:\n{log}")]
    Component {
        /// The server.
        name: String,
        /// What happened to it.
        why: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// A condition did not come true.
    #[error("{what}: not within {limit:?}")]
    Timeout {
        /// The condition.
        what: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The apiserver refused a request of the testbed, or could not be reached.
    #[error("{what}: {source}")]
    Kube {
        /// What was asked.
        what: String,
        /// The answer.
        source: Box<kube::Error>,
    },
    /// A kubeconfig or a certificate was of no use.
    #[error("{what}: {why}")]
    Credentials {
        /// What was being made or read.
        what: String,
        /// Why it failed.
        why: String,
    },
    /// A process under test did not do what was waited for.
    #[error("{program} {why}; the end of its output:\n{output}")]
    Process {
        /// The program.
        program: String,
        /// What it did instead.
        why: String,
        /// The last lines that it wrote.
        output: String,
    },
    /// A command ended with a failure.
    #[error("{command} ended with {status}:\n{output}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// What it wrote.
        output: String,
    },
    /// A pattern or an argument handed to the testbed was not valid.
    #[error("{0}")]
    Argument(String),
}

impl Error {
    /// An `io::Error` with what was tried, for `map_err`.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }

    /// A `kube::Error` with what was asked, for `map_err`.
    pub(crate) fn kube(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Kube { what: what.into(), source: Box::new(source) }
    }

    /// Any failure around keys, certificates and kubeconfigs, for `map_err`.
    pub(crate) fn credentials<E: fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |source| Self::Credentials { what: what.into(), why: source.to_string() }
    }
}

// Tests unwrap these errors, and unwrap prints Debug: the text for people, with its line breaks, is wanted there.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The last `count` lines of a text.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(count)).copied().collect::<Vec<_>>().join("\n")
}
