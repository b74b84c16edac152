//! What the Kubernetes API refused, in words that hold nothing of what was sent.

use thiserror::Error;

use crate::api::ROLE_AGAIN;
use crate::api::conditions::cut;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// A call to the apiserver failed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum KubeError {
    /// 404.
    #[error("the object does not exist")]
    NotFound,
    /// 409: another client changed the object meanwhile, or the object is there already.
    #[error("another client changed the object meanwhile")]
    Conflict,
    /// 403 or 422: RBAC, quota, policy, validation. The words are the apiserver's.
    #[error("the Kubernetes API refuses: {message}")]
    Denied {
        /// The HTTP status.
        code: u16,
        /// What the apiserver says.
        message: String,
    },
    /// 429 or a 5xx: the apiserver, or a webhook that it calls, failed. What was asked for may have been done all the
    /// same. The words are the apiserver's.
    #[error("the Kubernetes API failed with status {code}: {message}")]
    Failed {
        /// The HTTP status.
        code: u16,
        /// What the apiserver says.
        message: String,
    },
    /// No answer: it is unknown what was done.
    #[error("the Kubernetes API did not answer: {reason}")]
    Unclear {
        /// What went wrong, without a body.
        reason: String,
    },
}

/// The longest words of an answer that are repeated, in bytes.
const MAX_WORDS: usize = 1024;

impl From<kube::Error> for KubeError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => match status.code {
                404 => Self::NotFound,
                409 => Self::Conflict,
                code @ (400 | 401 | 403 | 405 | 413 | 415 | 422) => {
                    Self::Denied { code, message: printable(&status.message) }
                }
                code => Self::Failed { code, message: printable(&status.message) },
            },
            // Decoding errors may quote what they could not decode.
            kube::Error::SerdeError(_) => {
                Self::Unclear { reason: "an answer that cannot be read".to_owned() }
            }
            other => Self::Unclear { reason: kind(&other).to_owned() },
        }
    }
}

impl KubeError {
    /// The same without the apiserver's words. About the real write of a Secret they may quote it.
    #[must_use]
    pub fn without_words(self) -> Self {
        let withheld = || "its words are withheld, as they may quote the Secret".to_owned();
        match self {
            Self::Denied { code, .. } => {
                Self::Denied { code, message: format!("refused with status {code}; {}", withheld()) }
            }
            Self::Failed { code, .. } => Self::Failed { code, message: withheld() },
            other @ (Self::NotFound | Self::Conflict | Self::Unclear { .. }) => other,
        }
    }

    /// What a condition says of it.
    #[must_use]
    pub fn blocker(&self) -> Blocker {
        let words = match self {
            Self::NotFound => {
                "The Kubernetes API no longer finds an object that the operator works with. The operator tries again."
                    .to_owned()
            }
            Self::Conflict => {
                "Another client changes the same objects again and again while the operator writes them. The operator tries again."
                    .to_owned()
            }
            Self::Denied { message, .. } => format!("The Kubernetes API refuses: {}", with_advice(message)),
            Self::Failed { .. } | Self::Unclear { .. } => format!("{self}. The operator tries again."),
        };
        Blocker::passing(Reason::KubernetesError, words)
    }
}

/// The words of a refusal, and what to do where they are about the operator's rights: of a quota or a webhook they are others.
#[must_use]
pub fn with_advice(message: &str) -> String {
    if is_of_rbac(message) { format!("{message}; {ROLE_AGAIN}") } else { message.to_owned() }
}

/// Whether the words of a refusal are those of RBAC about a right that is missing.
#[must_use]
pub fn is_of_rbac(message: &str) -> bool {
    message.contains(" cannot ") && message.contains(" resource ")
}

/// Words of an answer, in one line of bounded length.
fn printable(words: &str) -> String {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.is_empty() { "(no words)".to_owned() } else { cut(line, MAX_WORDS) }
}

fn kind(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::HyperError(_) | kube::Error::Service(_) => "the connection failed",
        kube::Error::Auth(_) => "authentication failed",
        _ => "the request failed",
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn answered(code: u16, message: &str) -> KubeError {
        let status = Status { code, message: message.to_owned(), ..Status::default() };
        kube::Error::Api(Box::new(status)).into()
    }

    #[test]
    fn the_apiservers_words_are_kept_whatever_its_status() {
        let webhook = "failed calling webhook \"policy.example.org\"";
        for code in [400, 401, 403, 422, 429, 500, 502, 503, 504] {
            let error = answered(code, webhook);
            assert!(error.to_string().contains(webhook), "{code}: {error}");
            let blocker = error.blocker();
            assert_eq!((blocker.reason, blocker.stalled), (Reason::KubernetesError, false));
            assert!(blocker.message.contains(webhook), "{code}: {}", blocker.message);
        }
        assert_eq!((answered(404, "x"), answered(409, "x")), (KubeError::NotFound, KubeError::Conflict));
    }

    #[test]
    fn a_missing_right_is_created_again_by_helm_upgrade() {
        let forbidden = "secrets is forbidden: User \"system:serviceaccount:tuo:tuo\" cannot list resource \"secrets\" in API \
                         group \"\" in the namespace \"connector\"";
        let words = answered(403, forbidden).blocker().message;
        assert!(words.contains(forbidden) && words.contains("helm upgrade with the same values"), "{words}");
        for other in ["exceeded quota: q", "admission webhook \"w\" denied the request"] {
            let words = answered(403, other).blocker().message;
            assert!(words.ends_with(other), "{words}");
            assert_eq!(with_advice(other), other);
        }
    }

    #[test]
    fn words_about_a_secret_are_withheld() {
        for code in [403, 422, 429, 500] {
            let error = answered(code, "data.client-secret: aGlkZGVu is not allowed").without_words();
            for text in [error.to_string(), error.blocker().message] {
                assert!(!text.contains("aGlkZGVu") && text.contains(&code.to_string()), "{text}");
            }
        }
    }

    #[test]
    fn words_are_one_line_of_bounded_length() {
        let KubeError::Failed { message, .. } = answered(500, &format!("a\n\u{1b}[31mb{}", "x".repeat(5000)))
        else {
            panic!("a failure")
        };
        assert!(message.len() <= MAX_WORDS && !message.chars().any(char::is_control), "{message}");
        assert!(answered(503, "\n").to_string().ends_with("(no words)"));
    }
}
