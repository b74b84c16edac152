//! The operator's binary: parse, dispatch.

use std::io::Write as _;
use std::process::ExitCode;

use technical_user_operator::config::{Cli, Command, RunArgs};
use technical_user_operator::{api, app, telemetry};

fn main() -> ExitCode {
    // kube and reqwest each bring rustls; both use this provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match Cli::read().command {
        Command::Run(args) => run(*args),
        Command::Crds => print_crds(),
        Command::Check(_) => ExitCode::FAILURE,
    }
}

fn run(args: RunArgs) -> ExitCode {
    if let Err(error) = telemetry::init(&args.log) {
        let _ = writeln!(std::io::stderr(), "the log cannot be set up: {error}");
        return ExitCode::FAILURE;
    }
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map(|runtime| runtime.block_on(app::run(args)));
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            tracing::error!(%error, "the operator ends");
            ExitCode::FAILURE
        }
        Err(error) => {
            tracing::error!(%error, "no runtime");
            ExitCode::FAILURE
        }
    }
}

fn print_crds() -> ExitCode {
    let mut out = std::io::stdout().lock();
    for definition in api::definitions() {
        let written = serde_saphyr::to_string(&definition)
            .map_err(std::io::Error::other)
            .and_then(|text| write!(out, "---\n{text}"));
        if written.is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
