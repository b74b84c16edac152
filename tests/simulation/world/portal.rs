//! The portal, its identity provider and the wallet, as a process reaches them: the simulator without a socket.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, Request, header};
use hyper::body::Bytes;
use portal_simulator::Simulator;
use secrecy::ExposeSecret as _;
use technical_user_operator::portal::{
    Bounded, Fault, HttpRequest, HttpResponse, Payload, PlainHttp, Transport, Transports,
};
use technical_user_operator::process::Random;
use technical_user_operator::transport::Cause;

use crate::kill::{Kill, Point};
use crate::record::Record;

/// The longest time that a request or an answer is on its way.
const LONGEST_WAY: Duration = Duration::from_millis(300);

/// The network of one process.
#[derive(Clone)]
pub struct Network {
    pub portal: Arc<Simulator>,
    pub record: Record,
    pub random: Random,
    pub kill: Kill,
    pub caller: String,
}

impl Network {
    async fn way(&self) {
        tokio::time::sleep(LONGEST_WAY.mul_f64(self.random.fraction())).await;
    }

    async fn exchange(&self, request: Request<Bytes>) -> Option<http::Response<Bytes>> {
        self.way().await;
        let answer = self.portal.exchange(request).await;
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
        let exchanging = tokio::spawn(async move { network.exchange(sent).await });
        self.kill.pass(Point::Sent, &name).await;
        let answer = tokio::time::timeout(request.timeout, exchanging).await;
        self.kill.pass(Point::Answered, &name).await;
        let fault = |reason: &str, brief| Fault {
            cause: Cause::Unreachable { endpoint: format!("{endpoint}:443"), reason: reason.to_owned() },
            sent: true,
            brief,
        };
        let Ok(answer) = answer else {
            self.record.end(line, "no answer in time");
            return Err(fault("no answer in time", false));
        };
        let Some(answer) = answer.ok().flatten() else {
            self.record.end(line, "cut");
            return Err(fault("the connection was cut", true));
        };
        let (head, bytes) = answer.into_parts();
        self.record.end(line, head.status.as_u16());
        let mut body = Bounded::new(request.limit, head.status.as_u16());
        body.take(&bytes)?;
        Ok(HttpResponse { status: head.status.as_u16(), headers: head.headers, body: body.into_body() })
    }
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
