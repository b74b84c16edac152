//! Requests and replies.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;

/// The hosts that the simulator plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The portal's Administration service.
    Portal,
    /// The identity provider.
    Idp,
    /// The wallet.
    Wallet,
}

impl Part {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Portal, Self::Idp, Self::Wallet];
}

/// A request that has been read whole.
pub(crate) struct Request {
    pub(crate) part: Part,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body without its parameters, in lower case.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.header(header::CONTENT_TYPE)?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    pub(crate) fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The fields of a form body, if the body is a form.
    pub(crate) fn form(&self) -> Option<Vec<(String, String)>> {
        (self.media_type().as_deref() == Some("application/x-www-form-urlencoded"))
            .then(|| form_urlencoded::parse(&self.body).into_owned().collect())
    }
}

/// First value of a form's field.
pub(crate) fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// Content type of what the portal's controllers answer.
pub(crate) const JSON: &str = "application/json; charset=utf-8";
/// Content type of web pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::typed(status, JSON, body.to_string())
    }

    pub(crate) fn typed(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let mut reply = Self::empty(status);
        reply.headers.push((header::CONTENT_TYPE, HeaderValue::from_static(content_type)));
        reply.body = body.into();
        reply
    }

    /// Adds a header; a value that HTTP does not allow is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}
