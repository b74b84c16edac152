//! The way of a call: log, faults, gates, latency, work, answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderName, StatusCode, header};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::auth;
use crate::calls::{Answer, Call, Endpoint};
use crate::core::Core;
use crate::endpoints::{self, Context};
use crate::errors::{PortalError, SERVICE};
use crate::faults::{Action, Canned, CannedBody};
use crate::gates::Stage;
use crate::http::{HTML, Part, Reply, Request};
use crate::route::{self, Route};
use crate::version::Version;
use crate::{idp, latency, wallet};

/// Hands a request to a task of its own, which continues when the caller ends. `None`: the connection is to be cut.
pub(crate) async fn serve(core: &Arc<Core>, request: Request) -> Option<Reply> {
    let gone = CancellationToken::new();
    let guard = gone.clone().drop_guard();
    let core = Arc::clone(core);
    let end = core.end.clone();
    let work = tokio::spawn(async move {
        tokio::select! {
            biased;
            () = end.cancelled() => None,
            reply = run(core, request, gone) => reply,
        }
    });
    let reply = work.await;
    guard.disarm();
    reply.ok().flatten()
}

/// Carries one request to its end. `gone` is cancelled when the caller has gone. `None`: the connection is to be
/// cut.
async fn run(core: Arc<Core>, request: Request, gone: CancellationToken) -> Option<Reply> {
    let (endpoint, route) = classify(&request);
    let (call, action) = arrive(&core, &request, endpoint);
    core.gate(Stage::Arrived, &call).await;
    let work = async || {
        latency::spend(&core, endpoint, &call.path).await;
        let reply = work(&core, &request, route, &call).await;
        core.change(|state| {
            if let Some(call) = state.call_mut(call.number) {
                call.done = Some(reply.status.as_u16());
            }
        });
        reply
    };
    let version = core.read(|state| state.version);
    let reply = match action {
        None => Some(work().await),
        Some(Action::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            Some(work().await)
        }
        Some(Action::Status(canned)) => Some(canned_reply(&canned, version)),
        Some(Action::HtmlInstead) => Some(canned_reply(&Canned::html(200), version)),
        Some(Action::Hang) => {
            gone.cancelled().await;
            None
        }
        Some(Action::CutConnection) => None,
        Some(Action::DoneButAnswerLost) => {
            work().await;
            None
        }
        Some(Action::DoneOnlyAfterCallerGone(pause)) => {
            after_caller_gone(&gone, pause).await;
            work().await;
            None
        }
        Some(Action::DoneThen(canned)) => {
            work().await;
            Some(canned_reply(&canned, version))
        }
    };
    core.gate(Stage::Done, &call).await;
    let answer = reply.as_ref().map_or(Answer::Cut, |reply| Answer::Status(reply.status.as_u16()));
    core.change(|state| state.answer_call(call.number, answer, gone.is_cancelled()));
    reply
}

async fn after_caller_gone(gone: &CancellationToken, pause: Duration) {
    gone.cancelled().await;
    tokio::time::sleep(pause).await;
}

fn classify(request: &Request) -> (Endpoint, Route) {
    match request.part {
        Part::Idp => (idp::endpoint::classify(request), Route::Unknown),
        Part::Wallet => (wallet::classify(request), Route::Unknown),
        Part::Portal => match route::find(&request.method, &request.path) {
            Route::Endpoint(endpoint, params) => (endpoint, Route::Endpoint(endpoint, params)),
            route => (Endpoint::Other, route),
        },
    }
}

/// Writes the call into the log and takes its fault, in the order of arrival.
fn arrive(core: &Core, request: &Request, endpoint: Endpoint) -> (Call, Option<Action>) {
    core.change(|state| {
        let caller = match request.part {
            Part::Portal => auth::caller(state, request),
            Part::Idp | Part::Wallet => idp::endpoint::caller(state, request),
        };
        let body = matches!(endpoint, Endpoint::Create | Endpoint::Update)
            .then(|| serde_json::from_slice::<Value>(&request.body).ok())
            .flatten();
        let call = Call {
            number: state.calls.len() as u64 + 1,
            arrived: Instant::now(),
            endpoint,
            method: request.method.clone(),
            path: request.path_and_query(),
            caller,
            body,
            answer: None,
            answered: None,
            done: None,
            caller_gone: false,
        };
        state.calls.push(call.clone());
        let action = state.faults.take(&call);
        (call, action)
    })
}

async fn work(core: &Arc<Core>, request: &Request, route: Route, call: &Call) -> Reply {
    match request.part {
        Part::Idp => return idp::endpoint::handle(core, request),
        Part::Wallet => return wallet::handle(core, request),
        Part::Portal => {}
    }
    let (endpoint, params) = match route {
        Route::Unknown => return Reply::empty(StatusCode::NOT_FOUND),
        Route::WrongMethod(allowed) => {
            return Reply::empty(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, &allowed);
        }
        Route::Endpoint(endpoint, params) => (endpoint, params),
    };
    // The content type takes part in the routing, so it comes before the check of the caller.
    if !endpoints::takes_media_type(endpoint, request.media_type().as_deref()) {
        return Reply::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let identity = match auth::check(core, request, endpoint) {
        Ok(identity) => identity,
        Err(refusal) => return refusal,
    };
    let version = core.read(|state| state.version);
    let context = Context { core, version, request, endpoint, params, identity, call };
    endpoints::handle(&context).await
}

fn canned_reply(canned: &Canned, version: Version) -> Reply {
    let status = StatusCode::from_u16(canned.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = match canned.body {
        CannedBody::Empty => Reply::empty(status),
        CannedBody::PortalError => {
            PortalError::plain(status, SERVICE, ["a fault on demand".to_owned()]).reply(version)
        }
        CannedBody::Html => Reply::typed(
            status,
            HTML,
            format!(
                "<html>\r\n<head><title>{status}</title></head>\r\n<body><h1>{status}</h1></body>\r\n</html>\r\n"
            ),
        ),
    };
    for (name, value) in &canned.headers {
        if let Ok(name) = HeaderName::try_from(name.as_str()) {
            reply = reply.with(name, value);
        }
    }
    reply
}
