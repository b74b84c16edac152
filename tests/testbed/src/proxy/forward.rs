//! The life of one request in the proxy.

use std::{future::pending, sync::Arc};

use futures::{StreamExt, stream};
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, BodyStream, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Incoming};

use super::{
    Shared,
    rules::{Action, Effect, Stage},
};

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// Why a connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    #[error("cut by a rule")]
    Rule,
    #[error("the request could not be read: {0}")]
    Request(#[from] hyper::Error),
    #[error("the request was lost while it was forwarded")]
    Lost,
}

/// Serves one request. An error closes the connection.
pub(super) async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let sequence = shared.records.arrived(&request);
    let target = request.uri().to_string();
    let effect = shared.rules.effect(request.method().as_str(), &target);
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let request = Request::from_parts(parts, Full::new(body));
    shared.running().await;

    let mut after = None;
    match effect {
        None => {}
        Some(Effect::Act(Action::Status { code, body })) => {
            shared.records.update(sequence, |record| record.answered_code = Some(code));
            return Ok(answer(code, body.to_string()));
        }
        Some(Effect::Act(Action::DropBefore)) => return Err(Cut::Rule),
        Some(Effect::Act(Action::Hang)) => pending().await,
        Some(Effect::Act(Action::Delay(time))) => tokio::time::sleep(time).await,
        Some(Effect::Hold(Stage::Before, gate)) => gate.pass().await,
        Some(other) => after = Some(other),
    }

    let response = forward(&shared, sequence, request).await?;
    match after {
        Some(Effect::Hold(_, gate)) => gate.pass().await,
        Some(Effect::Act(_)) => return Err(Cut::Rule),
        None => {}
    }
    shared.running().await;
    shared.records.update(sequence, |record| record.answered_code = Some(response.status().as_u16()));
    Ok(response.map(|body| pausable(shared, body)))
}

/// Forwards a request in a task of its own: when the client goes away, the server drops the future that serves it, but
/// the apiserver must still be given the whole request and the time to carry it out.
async fn forward(
    shared: &Arc<Shared>,
    sequence: usize,
    request: Request<Full<Bytes>>,
) -> Result<Response<Upstream>, Cut> {
    let shared = Arc::clone(shared);
    let task = tokio::spawn(async move {
        shared.records.update(sequence, |record| record.forwarded = true);
        let response = shared.upstream.send(request).await;
        if let Ok(response) = &response {
            let code = response.status().as_u16();
            shared.records.update(sequence, |record| record.apiserver_code = Some(code));
        }
        response
    });
    match task.await {
        Ok(Ok(response)) => Ok(response.map(Upstream::Stream)),
        // The apiserver has ended or is ending: report it to the client as a gateway does.
        Ok(Err(error)) => Ok(answer(502, error.to_string()).map(Upstream::Text)),
        Err(_) => Err(Cut::Lost),
    }
}

/// The body of an answer on its way to the client.
enum Upstream {
    Stream(Incoming),
    Text(Body),
}

/// Passes a body on piece by piece as it comes, and holds the pieces back while the network is cut.
fn pausable(shared: Arc<Shared>, body: Upstream) -> Body {
    let body = match body {
        Upstream::Stream(body) => body,
        Upstream::Text(body) => return body,
    };
    let frames = stream::unfold((shared, BodyStream::new(body)), |(shared, mut frames)| async move {
        let frame = frames.next().await?;
        shared.running().await;
        Some((frame, (shared, frames)))
    });
    StreamBody::new(frames).boxed_unsync()
}

fn answer(code: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Full::from(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
