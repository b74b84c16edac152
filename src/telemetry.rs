//! The log, to standard error.

use std::io::IsTerminal;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, ParseError, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry};

use crate::config::{LogArgs, LogFormat};

/// The log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not in tracing's syntax.
    #[error("the log filter cannot be used: {0}")]
    Filter(#[from] ParseError),
    /// A log exists already.
    #[error(transparent)]
    Init(#[from] TryInitError),
}

/// Sets up the process's log, once.
pub fn init(settings: &LogArgs) -> Result<(), TelemetryError> {
    let terminal = std::io::stderr().is_terminal();
    subscriber(settings, std::io::stderr, terminal)?.try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// One line for a panic: its place, and its message if that is a fixed text. A composed message may quote anything, even a
/// secret, and is left out.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "Panic: {}", fixed_text(panic.payload()));
}

fn fixed_text(payload: &(dyn std::any::Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(text left out)")
}

/// Sets up the log of a command whose result goes to standard output: warnings and errors, without what the log of [`init`]
/// leaves out.
pub fn init_warnings() -> Result<(), TelemetryError> {
    init(&warnings())
}

fn warnings() -> LogArgs {
    LogArgs { format: LogFormat::Text, filter: "warn".to_owned() }
}

fn subscriber<W>(settings: &LogArgs, writer: W, ansi: bool) -> Result<impl Subscriber, ParseError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.filter)?.and(filter_fn(may_be_logged));
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Text => layer.with_ansi(ansi).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    Ok(tracing_subscriber::registry().with(layer.with_filter(filter)))
}

/// Events that no setting can add to the log.
///
/// kube's client prints whole answers, Secrets included, at WARN where they do not decode and at TRACE elsewhere. Its
/// watcher repeats at each try what `k8s::watch` logs once.
fn may_be_logged(event: &Metadata<'_>) -> bool {
    let silenced = ["kube_client::client", "kube_runtime::watcher"];
    *event.level() == Level::ERROR || !silenced.iter().any(|target| event.target().starts_with(target))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is logged with these settings.
    fn logged(format: LogFormat, filter: &str, say: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let settings = LogArgs { format, filter: filter.into() };
        let subscriber = subscriber(&settings, move || writer.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, say);
        String::from_utf8(log.0.lock().clone()).unwrap()
    }

    #[test]
    fn no_filter_lets_answers_bodies_into_the_log() {
        for filter in [
            "info",
            "trace",
            "kube_client=trace",
            "kube_client::client=trace",
            "[HTTP]=trace,kube_client=warn",
        ] {
            let text = logged(LogFormat::Text, filter, || {
                let span = tracing::error_span!(target: "kube_client::client::builder", "HTTP");
                let _in = span.enter();
                tracing::warn!(target: "kube_client::client", "the secret");
                tracing::trace!(target: "kube_client::client", "the secret");
                tracing::error!(target: "kube_client::client", "the fault");
            });
            assert!(text.contains("the fault") && !text.contains("the secret"), "{filter}: {text}");
        }
    }

    #[test]
    fn the_log_of_check_and_preflight_is_filtered_too() {
        let warnings = warnings();
        let text = logged(warnings.format, &warnings.filter, || {
            tracing::warn!(target: "kube_client::client", "the secret");
            tracing::info!("a detail");
            tracing::warn!("the warning");
        });
        assert!(text.contains("the warning") && !text.contains("the secret") && !text.contains("a detail"));
    }

    #[test]
    fn the_filter_is_obeyed() {
        let say = || {
            tracing::info!(target: "a", "one");
            tracing::info!(target: "b", "two");
        };
        let text = logged(LogFormat::Text, "warn,b=info", say);
        assert!(text.contains("two") && !text.contains("one"));
    }

    #[test]
    fn json_is_an_object_a_line() {
        let text = logged(LogFormat::Json, "info", || {
            tracing::info!(answer = 42, "said");
            tracing::info!("again");
        });
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["message"], &lines[0]["answer"]), (&"said".into(), &42.into()));
    }

    #[test]
    fn a_panic_is_logged_without_what_it_quotes() {
        let value = "s3cret".to_owned();
        let quoted = std::panic::catch_unwind(|| panic!("unexpected {value}")).unwrap_err();
        assert_eq!(fixed_text(quoted.as_ref()), "(text left out)");
        let fixed = std::panic::catch_unwind(|| panic!("out of order")).unwrap_err();
        assert_eq!(fixed_text(fixed.as_ref()), "out of order");
    }

    #[test]
    fn a_bad_filter_is_reported() {
        let settings = LogArgs { format: LogFormat::Text, filter: "a=loud".into() };
        assert!(subscriber(&settings, std::io::sink, false).is_err());
    }
}
