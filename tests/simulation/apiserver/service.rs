//! The way of a request: to the server, through it, and back.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use http::{Request, Response, header};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::time::Instant;

use super::refusal::{Answer, Refusal};
use super::request::{Call, Verb};
use super::state::State;
use super::watch::Watching;
use super::{BoxError, Fault, HEADERS_WITHIN, discovery};
use crate::kill::{Kill, Point};
use crate::record::Record;

/// The body of an answer.
pub type Answered = StreamBody<BoxStream<'static, Result<Frame<Bytes>, BoxError>>>;

/// The apiserver, as one caller reaches it.
#[derive(Clone)]
pub struct Service {
    pub state: Arc<Mutex<State>>,
    pub record: Record,
    pub caller: String,
    pub kill: Kill,
}

impl tower::Service<Request<Body>> for Service {
    type Response = Response<Answered>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        let kill = self.kill.clone();
        Box::pin(async move {
            let name = format!("{} {}", request.method(), request.uri().path());
            kill.pass(Point::Unsent, &name).await;
            // A task of its own: what has been sent continues when the caller ends.
            let (began, state) = (Instant::now(), Arc::clone(&service.state));
            let answering = tokio::spawn(service.answer(request));
            kill.pass(Point::Sent, &name).await;
            let answer = answering.await?;
            kill.pass(Point::Answered, &name).await;
            // After a pause the answer is there and the time is over, and either may be seen first.
            if began.elapsed() > HEADERS_WITHIN && state.lock().faults.chance() < 0.5 {
                return Err("no answer in time".into());
            }
            answer
        })
    }
}

impl Service {
    async fn answer(self, request: Request<Body>) -> Result<Response<Answered>, BoxError> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (there, restores) = {
            let state = self.state.lock();
            (state.faults.way(&self.caller), state.store.restores())
        };
        tokio::time::sleep(there).await;
        if self.state.lock().store.restores() != restores {
            return Err("the connection was cut".into());
        }
        let (fault, back) = {
            let faults = &mut self.state.lock().faults;
            (faults.draw(&self.caller), faults.way(&self.caller))
        };
        let call = Call::read(&self.caller, &self.state.lock().kinds, &head, body);
        let number = self.arrived(call.as_ref(), head.uri.path(), fault);
        match fault {
            Some(Fault::Cut) => return Err("the connection was cut".into()),
            Some(Fault::Silent) => silence().await?,
            Some(Fault::Busy) => return Ok(self.reply(number, Err(Refusal::too_many_requests()))),
            Some(Fault::Broken) => {
                return Ok(self.reply(number, Err(Refusal::internal("etcdserver: request timed out"))));
            }
            Some(Fault::Lost | Fault::DoneSilent) | None => {}
        }
        let answer = match &call {
            Some(call) => self.carry_out(call),
            None => discovery::answer(&self.state.lock().kinds, head.uri.path())
                .unwrap_or_else(|| Err(Refusal::no_such_path())),
        };
        tokio::time::sleep(back).await;
        if let Some(call) = call.filter(|call| call.verb == Verb::Watch)
            && answer.is_ok()
        {
            let watching = Watching::begin(&self.state, call, fault);
            return Ok(response(200, watching.stream().boxed()));
        }
        match fault {
            Some(Fault::Lost) => return Err("the connection was cut before the answer".into()),
            Some(Fault::DoneSilent) => silence().await?,
            _ => {}
        }
        Ok(self.reply(number, answer))
    }

    /// Does what the call asks for, and notifies the observer.
    fn carry_out(&self, call: &Call) -> Answer {
        let (answer, changes, observer) = {
            let mut state = self.state.lock();
            let before = state.store.version();
            let answer = state.answer(call);
            (answer, state.store.since(before).to_vec(), state.observer.clone())
        };
        if let Some(observer) = observer {
            for change in &changes {
                observer.changed(&self.caller, change);
            }
            observer.answered(call, answer.as_ref().map_or_else(|refusal| refusal.code, |(code, _)| *code));
        }
        answer
    }

    /// Writes the call into the record.
    fn arrived(&self, call: Option<&Call>, path: &str, fault: Option<Fault>) -> usize {
        let line = call.map_or_else(|| format!("{} get {path}", self.caller), ToString::to_string);
        self.record.add(fault.map_or(line.clone(), |fault| format!("{line} !{fault:?}")))
    }

    fn reply(&self, number: usize, answer: Answer) -> Response<Answered> {
        let (code, body) = answer.unwrap_or_else(|refusal| (refusal.code, Arc::new(refusal.body())));
        self.record.end(number, code);
        let body = Bytes::from(body.to_string());
        response(code, stream::once(async move { Ok(Frame::data(body)) }).boxed())
    }
}

/// No answer.
async fn silence() -> Result<(), Infallible> {
    std::future::pending().await
}

fn response(code: u16, body: BoxStream<'static, Result<Frame<Bytes>, BoxError>>) -> Response<Answered> {
    let mut response = Response::new(StreamBody::new(body));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
