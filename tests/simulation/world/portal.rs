//! The portal, its identity provider, the wallet and the Vault, as a process reaches them: simulated, without a socket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method, Request, header};
use hyper::body::Bytes;
use portal_simulator::Simulator;
use secrecy::ExposeSecret as _;
use technical_user_operator::portal::{
    Bounded, Fault, HttpRequest, HttpResponse, Payload, PlainHttp, Transport, Transports,
};
use technical_user_operator::process::Random;
use technical_user_operator::transport::Cause;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::moments::Moments;
use super::neighbours::Neighbours;
use super::vault::{self, VaultServer};
use crate::kill::{Kill, Point};
use crate::record::Record;

/// The longest time that a request or an answer is on its way.
const LONGEST_WAY: Duration = Duration::from_millis(300);

/// The network of one process.
#[derive(Clone)]
pub struct Network {
    pub portal: Arc<Simulator>,
    pub vault: VaultServer,
    pub record: Record,
    pub random: Random,
    pub kill: Kill,
    pub caller: String,
    pub neighbours: Neighbours,
    pub moments: Moments,
}

impl Network {
    async fn way(&self) {
        tokio::time::sleep(LONGEST_WAY.mul_f64(self.random.fraction())).await;
    }

    /// Takes a request to the server, and its answer back. The server sees when the caller has gone.
    async fn exchange(
        &self,
        request: Request<Bytes>,
        gone: CancellationToken,
    ) -> Option<http::Response<Bytes>> {
        self.way().await;
        if request.uri().host() == Some(vault::HOST) {
            let answer = tokio::select! {
                biased;
                answer = self.vault.exchange(&self.caller, &request, &self.moments) => answer,
                () = gone.cancelled() => None,
            };
            self.way().await;
            return answer;
        }
        if *request.method() == Method::GET && request.uri().path().ends_with("/serviceaccounts") {
            self.neighbours.before_a_page();
        }
        self.moments.arrives(&self.caller, request.method(), request.uri().path());
        let login = login_of(&request);
        let answer = tokio::select! {
            biased;
            answer = self.portal.exchange(request) => answer,
            () = gone.cancelled() => None,
        };
        if let (Some((client_id, secret)), Some(200)) =
            (login, answer.as_ref().map(|answer| answer.status().as_u16()))
        {
            self.moments.obtained_token(&self.caller, &client_id, &secret);
        }
        self.way().await;
        answer
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let name = format!(
            "{} {}{}",
            request.method,
            request.url.host_str().unwrap_or_default(),
            request.url.path()
        );
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let endpoint = request.url.host_str().unwrap_or_default().to_owned();
        self.kill.pass(Point::Unsent, &name).await;
        let line = self.record.add(format!("{} {name}{query}", self.caller));
        // A task of its own: what has been sent arrives when the caller is gone.
        let (network, sent) = (self.clone(), on_the_wire(&request));
        self.moments.request();
        self.moments.sent(&request.method, request.url.path(), sent.body());
        let gone = CancellationToken::new();
        let exchanging = tokio::spawn({
            let gone = gone.clone();
            async move { network.exchange(sent, gone).await }
        });
        let _gone_at_the_end = gone.drop_guard();
        let began = Instant::now();
        self.kill.pass(Point::Sent, &name).await;
        let answer = tokio::time::timeout(request.timeout, exchanging).await;
        self.kill.pass(Point::Answered, &name).await;
        let fault = |reason: &str, brief| Fault {
            cause: Cause::Unreachable { endpoint: format!("{endpoint}:443"), reason: reason.to_owned() },
            sent: true,
            brief,
        };
        // After a pause the answer is there and the time is over, and either may be seen first.
        let is_late = began.elapsed() > request.timeout && self.random.fraction() < 0.5;
        let Some(answer) = answer.ok().filter(|_| !is_late) else {
            self.record.end(line, "no answer in time");
            return Err(fault("no answer in time", false));
        };
        let Some(answer) = answer.ok().flatten() else {
            self.record.end(line, "cut");
            return Err(fault("the connection was cut", true));
        };
        let (head, bytes) = answer.into_parts();
        self.record.end(line, head.status.as_u16());
        if request.method == Method::GET
            && request.url.path().ends_with("/serviceaccounts")
            && head.status == 200
        {
            self.moments.listed(&self.caller, request.url.query().unwrap_or_default(), &bytes);
        }
        if request.method == Method::POST && request.url.path().ends_with("/serviceaccounts") {
            self.moments.created(&self.caller, &bytes);
        }
        let mut body = Bounded::new(request.limit, head.status.as_u16());
        body.take(&bytes)?;
        Ok(HttpResponse { status: head.status.as_u16(), headers: head.headers, body: body.into_body() })
    }
}

/// The login of a request for a token.
fn login_of(request: &Request<Bytes>) -> Option<(String, String)> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let of_form = || Some((form.get("client_id")?.clone(), form.get("client_secret")?.clone()));
    let of_header = || {
        let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
        let text = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let text = String::from_utf8(text).ok()?;
        let (client_id, secret) = text.split_once(':')?;
        Some((client_id.to_owned(), secret.to_owned()))
    };
    form.contains_key("grant_type").then(|| of_form().or_else(of_header))?
}

/// A request as the server receives it.
fn on_the_wire(request: &HttpRequest) -> Request<Bytes> {
    let (media_type, body) = match &request.payload {
        Payload::None => (None, Bytes::new()),
        Payload::Json(json) => (Some("application/json"), json.clone().into()),
        Payload::MergePatch(json) => (Some("application/merge-patch+json"), json.clone().into()),
        Payload::SecretJson(json) => (Some("application/json"), json.expose_secret().to_owned().into()),
        Payload::Form(form) => {
            (Some("application/x-www-form-urlencoded"), form.expose_secret().to_owned().into())
        }
    };
    let mut sent = Request::new(body);
    *sent.method_mut() = request.method.clone();
    *sent.uri_mut() = request.url.as_str().parse().unwrap();
    *sent.headers_mut() = request.headers.clone();
    if let Some(media_type) = media_type {
        sent.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    if let Some(bearer) = &request.bearer {
        let bearer = format!("Bearer {}", bearer.expose_secret());
        sent.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_str(&bearer).unwrap());
    }
    sent
}

impl Transports for Network {
    fn plain_http(&self) -> PlainHttp {
        PlainHttp::Refused
    }

    fn open(&self, _: Option<&str>, _: PlainHttp) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(self.clone()))
    }
}
