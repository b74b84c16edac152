//! The proxy's way to its server.

use std::{fs, path::Path};

use http::{Request, Response, Uri, uri::PathAndQuery};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{Error, install_crypto_provider};

/// A client of one server, without credentials of its own.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    server: Uri,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Upstream {
    /// `ca` is the certificate to trust, if the server speaks HTTPS.
    pub(super) fn new(server: &str, ca: Option<&Path>) -> Result<Self, Error> {
        install_crypto_provider();
        let server = server.parse().map_err(Error::credentials(format!("reading the address {server}")))?;
        let mut roots = RootCertStore::empty();
        if let Some(ca) = ca {
            let reading = || format!("reading {}", ca.display());
            let pem = fs::read(ca).map_err(Error::io(reading()))?;
            let certificate = CertificateDer::from_pem_slice(&pem).map_err(Error::credentials(reading()))?;
            roots.add(certificate).map_err(Error::credentials(reading()))?;
        }
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self { server, client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// Sends a request on, with the server's address in place of the proxy's.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        let mut parts = self.server.clone().into_parts();
        parts.path_and_query =
            request.uri().path_and_query().cloned().or(Some(PathAndQuery::from_static("/")));
        *request.uri_mut() = Uri::from_parts(parts)?;
        // The client sets the right one; what belongs to the other connection has no place on this one.
        request.headers_mut().remove(http::header::HOST);
        request.headers_mut().remove(http::header::CONNECTION);
        Ok(self.client.request(request).await?)
    }
}
