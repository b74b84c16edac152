//! Listeners and connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::http::{Part, Reply, Request};
use crate::pipeline;

/// A host of the simulator: one address, which can be taken away and given back.
pub(crate) struct Host {
    /// `None`: all parts, distinguished by their paths.
    part: Option<Part>,
    pub(crate) address: SocketAddr,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
    accepting: Option<JoinHandle<()>>,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection cut")]
struct Cut;

impl Host {
    /// Takes an address; nothing is answered before [`Host::serve`].
    pub(crate) async fn bind(
        serves: Option<Part>,
        address: (IpAddr, u16),
        tls: Option<TlsAcceptor>,
    ) -> io::Result<(Self, TcpListener)> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((Self { part: serves, address, tls, stop: CancellationToken::new(), accepting: None }, listener))
    }

    pub(crate) fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Accepts connections until stopped.
    pub(crate) fn serve(&mut self, core: &Arc<Core>, listener: TcpListener) {
        let server = Server {
            core: Arc::clone(core),
            part: self.part,
            tls: self.tls.clone(),
            stop: self.stop.clone(),
        };
        self.accepting = Some(tokio::spawn(server.accept(listener)));
    }

    /// Refuses new connections and cuts the open ones.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        // Only when the listener is gone is the address free, and refused.
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.await;
        }
    }

    /// Serves again on the same address.
    pub(crate) async fn restart(&mut self, core: &Arc<Core>) -> io::Result<()> {
        if !self.stop.is_cancelled() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.address).await?;
        self.stop = CancellationToken::new();
        self.serve(core, listener);
        Ok(())
    }
}

#[derive(Clone)]
struct Server {
    core: Arc<Core>,
    part: Option<Part>,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
}

impl Server {
    async fn accept(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.core.end.cancelled() => return,
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            // An error here is of one connection (it went before it was taken), not of the listener.
            if let Ok((stream, _)) = accepted {
                tokio::spawn(self.clone().connection(stream));
            }
        }
    }

    async fn connection(self, stream: TcpStream) {
        let (end, stop) = (self.core.end.clone(), self.stop.clone());
        tokio::select! {
            () = end.cancelled() => {}
            () = stop.cancelled() => {}
            () = self.serve(stream) => {}
        }
    }

    async fn serve(self, stream: TcpStream) {
        // Without it the answers of a test's many small calls wait for the peer's acknowledgement.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.http(stream).await,
            Some(tls) => {
                // A client that does not trust the certificate hangs up here.
                if let Ok(stream) = tls.accept(stream).await {
                    self.http(stream).await;
                }
            }
        }
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) {
        let service = service_fn(|request| self.call(request));
        // Ends with an error whenever a call was cut or the caller went: nothing to do about either.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn call(&self, request: hyper::Request<Incoming>) -> Result<Response<Full<bytes::Bytes>>, Cut> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let path = head.uri.path().to_owned();
        let request = Request {
            part: self.part.unwrap_or_else(|| part_of(&path)),
            method: head.method,
            path,
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            body,
        };
        let reply = pipeline::serve(&self.core, request).await;
        reply.map(Reply::into_response).ok_or(Cut)
    }
}

/// Part that a path belongs to, where one address serves all.
fn part_of(path: &str) -> Part {
    if path.starts_with("/auth/") {
        Part::Idp
    } else if path.starts_with("/oauth/") {
        Part::Wallet
    } else {
        Part::Portal
    }
}
