//! The operator's binary: parse, dispatch.

use std::process::ExitCode;

use technical_user_operator::api;
use technical_user_operator::config::{Cli, Command};

fn main() -> ExitCode {
    // kube and reqwest each bring rustls; both use this provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match Cli::read().command {
        Command::Crds => print_crds(),
        Command::Run(_) | Command::Check(_) => ExitCode::FAILURE,
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
