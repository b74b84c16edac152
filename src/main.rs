//! The operator's binary: parse, dispatch.

use std::process::ExitCode;

use technical_user_operator::config::{CheckArgs, Cli, Command};
use technical_user_operator::{api, check};

fn main() -> ExitCode {
    // kube and reqwest each bring rustls; both use this provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match Cli::read().command {
        Command::Crds => print_crds(),
        Command::Check(args) => run_check(*args),
        Command::Run(_) => ExitCode::FAILURE,
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "the command's very purpose")]
fn print_crds() -> ExitCode {
    for definition in api::definitions() {
        match serde_saphyr::to_string(&definition) {
            Ok(text) => print!("---\n{text}"),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Its log goes to standard error, from warnings on: standard output is the result.
#[allow(clippy::print_stderr, reason = "there is no other place to tell it")]
fn run_check(args: CheckArgs) -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let pace = check::Pace::default();
    let stop = pace.stop.clone();
    runtime.spawn(async move {
        // The first Ctrl-C or SIGTERM ends the check in good order, the second at once.
        if signalled().await.is_ok() {
            stop.cancel();
            if signalled().await.is_ok() {
                std::process::exit(130);
            }
        }
    });
    ExitCode::from(runtime.block_on(check::run(args, &mut std::io::stdout(), pace)))
}

/// Ctrl-C or SIGTERM.
async fn signalled() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
