//! What the operator needs of Kubernetes without its own kinds: client, caches, leader election, events.

pub mod account;
pub mod client;
pub mod definitions;
pub mod events;
pub mod leader;
pub mod stored;
pub mod watch;

/// What went wrong, in one line for people: the apiserver's message, otherwise the whole chain of causes.
///
/// Never a value out of an answer that does not decode: it may be a Secret's.
#[must_use]
pub fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => return format!("{} ({})", status.message, status.code),
        kube::Error::SerdeError(error) => {
            return format!("the answer does not decode at line {} column {}", error.line(), error.column());
        }
        _ => {}
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn an_error_is_reported_in_one_line() {
        let status = Status { code: 403, message: "you may not".into(), ..Status::default() };
        assert_eq!(words(&kube::Error::Api(Box::new(status))), "you may not (403)");
        let cause = std::io::Error::other("no route");
        assert_eq!(words(&kube::Error::Service(Box::new(cause))), "ServiceError: no route");
        let bad = serde_json::from_str::<bool>("\"c2VjcmV0\"").unwrap_err();
        let text = words(&kube::Error::SerdeError(bad));
        assert!(text.contains("line 1") && !text.contains("c2VjcmV0"), "{text}");
    }
}
