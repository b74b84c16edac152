//! What the Kubernetes API refused, in words that hold nothing of what was sent.

use thiserror::Error;

/// A call to the apiserver failed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum KubeError {
    /// 404.
    #[error("not found")]
    NotFound,
    /// 409: somebody else wrote meanwhile, or the object is there already.
    #[error("somebody else wrote meanwhile")]
    Conflict,
    /// 403 or 422: RBAC, quota, policy, validation. The words are the apiserver's.
    #[error("{message}")]
    Denied {
        /// The HTTP status.
        code: u16,
        /// What the apiserver says.
        message: String,
    },
    /// No answer, or a 5xx: nobody knows what was done.
    #[error("the Kubernetes API did not answer: {reason}")]
    Unclear {
        /// What went wrong, without a body.
        reason: String,
    },
}

impl From<kube::Error> for KubeError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => match status.code {
                404 => Self::NotFound,
                409 => Self::Conflict,
                code @ (400 | 401 | 403 | 405 | 413 | 415 | 422) => {
                    Self::Denied { code, message: status.message }
                }
                code => Self::Unclear { reason: format!("status {code}") },
            },
            // Decoding errors may quote what they could not decode.
            kube::Error::SerdeError(_) => {
                Self::Unclear { reason: "an answer that cannot be read".to_owned() }
            }
            other => Self::Unclear { reason: kind(&other).to_owned() },
        }
    }
}

fn kind(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::HyperError(_) | kube::Error::Service(_) => "the connection failed",
        kube::Error::Auth(_) => "authentication failed",
        _ => "the request failed",
    }
}
