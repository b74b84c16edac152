//! An answer, as the clients of portal, identity provider and wallet read it.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};

use super::exchange::HttpResponse;
use super::retry_after;
use crate::process::Clock;

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Retry-After`, as a pause from now.
    pub(crate) retry_after: Option<Duration>,
    /// The content type says HTML.
    html_type: bool,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The answer in a response that came just now.
    pub(crate) fn of_response(response: HttpResponse, clock: &Clock) -> Self {
        let HttpResponse { status, headers, body } = response;
        let html_type = header(&headers, &CONTENT_TYPE)
            .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"));
        let retry_after = header(&headers, &RETRY_AFTER)
            .and_then(|value| retry_after::pause(value, header(&headers, &DATE), clock));
        Self { status, retry_after, html_type, body }
    }

    /// A web page, not an API's answer: by its type or by how it begins.
    pub(crate) fn is_html(&self) -> bool {
        let start = self.body.trim_ascii_start();
        let begins =
            |with: &[u8]| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
        begins(b"<!doctype html") || begins(b"<html") || (self.html_type && !begins(b"{") && !begins(b"["))
    }

    pub(crate) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }

    #[cfg(test)]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self { status, retry_after: None, html_type: false, body: body.as_bytes().to_vec() }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
