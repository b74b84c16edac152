//! The simulator as a process of its own.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use portal_simulator::{Config, Simulator, Tls, Version, seed};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Plays the portal, its identity provider and the wallet on one port of the local host.
#[derive(Parser)]
#[command(disable_version_flag = true)]
struct Arguments {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Version of the portal: 2.0 to 2.6, or main.
    #[arg(long, default_value_t = Version::Main)]
    version: Version,
    /// File with companies and callers.
    #[arg(long)]
    seed: PathBuf,
    /// Serve https, with certificates of an authority created at the start.
    #[arg(long)]
    tls: bool,
    /// Let calls cost the time that they cost at the real service.
    #[arg(long)]
    latency: bool,
}

/// Exit code of arguments or a seed that cannot be used.
const UNUSABLE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match configuration(&arguments) {
        Ok(config) => config,
        Err(error) => return complain(&error, UNUSABLE),
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stopped::Setup(error)) => complain(&error, UNUSABLE),
        Err(Stopped::Running(error)) => complain(&error, 1),
    }
}

enum Stopped {
    Setup(String),
    Running(String),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Running(error.to_string())
    }
}

fn complain(error: &str, code: u8) -> ExitCode {
    // No output is left to report that this fails too.
    let _ = writeln!(io::stderr(), "portal-simulator: {error}");
    ExitCode::from(code)
}

fn configuration(arguments: &Arguments) -> Result<Config, String> {
    let file = arguments.seed.display();
    let text = fs::read_to_string(&arguments.seed).map_err(|error| format!("cannot read {file}: {error}"))?;
    let config = seed::parse(arguments.version, &text).map_err(|error| format!("{file}: {error}"))?;
    let tls = if arguments.tls { Tls::OneAuthority } else { Tls::Off };
    Ok(config.one_port(arguments.port).tls(tls).latency(arguments.latency))
}

async fn serve(config: Config) -> Result<(), Stopped> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let simulator = Simulator::start(config).await.map_err(|error| match error {
        portal_simulator::StartError::Setup(error) => Stopped::Setup(error.to_string()),
        error => Stopped::Running(error.to_string()),
    })?;
    let mut addresses = json!({
        "portal": simulator.api_url(), "token": simulator.token_url(), "wallet": simulator.wallet_url(),
    });
    let authority = authority_file(&simulator)?;
    if let (Some(path), Some(map)) = (&authority, addresses.as_object_mut()) {
        map.insert("ca".to_owned(), json!(path));
    }
    announce(&addresses.to_string());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    if let Some(path) = authority {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Writes the authority's certificate into a file of this process.
fn authority_file(simulator: &Simulator) -> io::Result<Option<PathBuf>> {
    let pem = simulator.ca_pem();
    if pem.is_empty() {
        return Ok(None);
    }
    let path = std::env::temp_dir().join(format!("portal-simulator-{}-ca.pem", std::process::id()));
    fs::write(&path, pem)?;
    Ok(Some(path))
}

/// The one line that a caller of the binary reads.
#[allow(clippy::print_stdout, reason = "the line of addresses is the binary's interface")]
fn announce(line: &str) {
    println!("{line}");
}
