//! The operator's binary: parse, dispatch.

use std::io::Write as _;
use std::process::ExitCode;

use technical_user_operator::config::{
    CheckArgs, Cli, Command, PlanArgs, PreflightArgs, RunArgs, UnclaimedArgs,
};
use technical_user_operator::oneshot::{plan, unclaimed};
use technical_user_operator::{api, app, check, preflight, telemetry};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    // kube and reqwest each bring rustls; both use this provider.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match Cli::read().command {
        Command::Run(args) => run(*args),
        Command::Crds => print_crds(),
        Command::Check(args) => run_check(*args),
        Command::Preflight(args) => run_preflight(*args),
        Command::Plan(args) => run_plan(*args),
        Command::Unclaimed(args) => run_unclaimed(*args),
    }
}

/// Writes an error to standard error, before there is a log.
fn complain(what: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{what}");
    ExitCode::FAILURE
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

fn run(args: RunArgs) -> ExitCode {
    if let Err(error) = telemetry::init(&args.log) {
        return complain(&error);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    match runtime.block_on(app::run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "The operator ends");
            ExitCode::FAILURE
        }
    }
}

fn print_crds() -> ExitCode {
    let mut out = std::io::stdout().lock();
    for definition in api::definitions() {
        let written = serde_saphyr::to_string(definition)
            .map_err(std::io::Error::other)
            .and_then(|text| write!(out, "---\n{text}"));
        if let Err(error) = written {
            return complain(&error);
        }
    }
    ExitCode::SUCCESS
}

fn run_preflight(args: PreflightArgs) -> ExitCode {
    if let Err(error) = telemetry::init_warnings() {
        return complain(&error);
    }
    match runtime() {
        Ok(runtime) => ExitCode::from(runtime.block_on(preflight::run(args, &mut std::io::stdout()))),
        Err(error) => complain(&error),
    }
}

fn run_plan(args: PlanArgs) -> ExitCode {
    if let Err(error) = telemetry::init_warnings() {
        return complain(&error);
    }
    match runtime() {
        Ok(runtime) => ExitCode::from(runtime.block_on(plan::run(args, &mut std::io::stdout()))),
        Err(error) => complain(&error),
    }
}

fn run_unclaimed(args: UnclaimedArgs) -> ExitCode {
    if let Err(error) = telemetry::init_warnings() {
        return complain(&error);
    }
    let mut answers = std::io::BufReader::new(std::io::stdin());
    match runtime() {
        Ok(runtime) => {
            ExitCode::from(runtime.block_on(unclaimed::run(args, &mut answers, &mut std::io::stdout())))
        }
        Err(error) => complain(&error),
    }
}

fn run_check(args: CheckArgs) -> ExitCode {
    if let Err(error) = telemetry::init_warnings() {
        return complain(&error);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
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
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        biased;
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
