//! Keys and certificates of one control plane.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::{
    Error,
    components::{KUBERNETES_SERVICE, Site},
};

/// Where the files are.
#[derive(Debug, Clone)]
pub(crate) struct Pki {
    /// The certificate authority that signed everything, PEM.
    pub(crate) ca: PathBuf,
    /// The apiserver's certificate and key.
    pub(crate) server: Pair,
    /// A client certificate of group `system:masters`.
    pub(crate) admin: Pair,
    /// The controller manager's client certificate.
    pub(crate) controller_manager: Pair,
    /// What a node adds.
    pub(crate) node: Option<NodePairs>,
    /// The key that signs service account tokens.
    pub(crate) service_account_key: PathBuf,
    /// The key that verifies them.
    pub(crate) service_account_public_key: PathBuf,
}

/// The client certificates of what a node adds.
#[derive(Debug, Clone)]
pub(crate) struct NodePairs {
    pub(crate) scheduler: Pair,
    pub(crate) kubelet: Pair,
    pub(crate) proxy: Pair,
}

/// A certificate with its key, both PEM.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pki {
    /// Makes a new set in a directory.
    pub(crate) fn create(dir: &Path, site: Site<'_>) -> Result<Self, Error> {
        let mut params = parameters("testbed-ca", None)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = key()?;
        let certificate = params.self_signed(&key).map_err(Error::credentials("signing the CA"))?;
        let issuer = Issuer::new(params, key);
        let ca = dir.join("ca.crt");
        write_private(&ca, &certificate.pem())?;

        let mut server = parameters("kube-apiserver", None)?;
        let mut names =
            ["127.0.0.1", "::1", "localhost", "kubernetes.default.svc"].map(String::from).to_vec();
        if site.node.is_some() {
            names.extend([site.address.to_string(), KUBERNETES_SERVICE.to_string()]);
        }
        server.subject_alt_names = CertificateParams::new(names)
            .map_err(Error::credentials("naming the apiserver"))?
            .subject_alt_names;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];

        let key = self::key()?;
        let service_account_key = dir.join("service-account.key");
        write_private(&service_account_key, &key.serialize_pem())?;
        let service_account_public_key = dir.join("service-account.pub");
        write_private(&service_account_public_key, &key.public_key_pem())?;

        let sign_client = |name: &str, group, file: &str| sign(client(name, group)?, &issuer, dir, file);
        let node = match site.node {
            None => None,
            Some(node) => Some(NodePairs {
                scheduler: sign_client("system:kube-scheduler", None, "scheduler")?,
                kubelet: sign_client(&format!("system:node:{node}"), Some("system:nodes"), "kubelet")?,
                proxy: sign_client("system:kube-proxy", None, "kube-proxy")?,
            }),
        };

        Ok(Self {
            server: sign(server, &issuer, dir, "apiserver")?,
            admin: sign_client("testbed-admin", Some("system:masters"), "admin")?,
            controller_manager: sign_client("system:kube-controller-manager", None, "controller-manager")?,
            ca,
            node,
            service_account_key,
            service_account_public_key,
        })
    }
}

fn key() -> Result<KeyPair, Error> {
    KeyPair::generate().map_err(Error::credentials("making a key"))
}

fn parameters(name: &str, group: Option<&str>) -> Result<CertificateParams, Error> {
    let mut params =
        CertificateParams::new(Vec::new()).map_err(Error::credentials("preparing a certificate"))?;
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    Ok(params)
}

fn client(name: &str, group: Option<&str>) -> Result<CertificateParams, Error> {
    let mut params = parameters(name, group)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn sign(
    mut params: CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
    dir: &Path,
    file: &str,
) -> Result<Pair, Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = key()?;
    let signed = params.signed_by(&key, issuer).map_err(Error::credentials(format!("signing {file}")))?;
    let pair = Pair { certificate: dir.join(format!("{file}.crt")), key: dir.join(format!("{file}.key")) };
    write_private(&pair.certificate, &signed.pem())?;
    write_private(&pair.key, &key.serialize_pem())?;
    Ok(pair)
}

/// Writes a new file that only this user can read.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<(), Error> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(Error::io(format!("writing {}", path.display())))
}
