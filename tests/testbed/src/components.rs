//! The command lines of the servers of a control plane.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use crate::{
    access::Kubeconfig,
    pki::{Pair, Pki},
};

/// Where a control plane stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The address that the apiserver listens on and is known by.
    pub(crate) address: IpAddr,
    /// The name of its node if it has one, and so scheduling, endpoints and volumes.
    pub(crate) node: Option<&'a str>,
}

impl Site<'_> {
    /// By itself, for this machine only.
    pub(crate) const ALONE: Self = Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), node: None };

    /// The same by IPv6 alone.
    pub(crate) const ALONE_BY_IPV6: Self = Self { address: IpAddr::V6(Ipv6Addr::LOCALHOST), node: None };

    /// The apiserver's address on this port.
    pub(crate) fn server(&self, port: u16) -> String {
        format!("https://{}", SocketAddr::new(self.address, port))
    }

    /// etcd's address on this port: this machine, by the apiserver's IP version.
    fn etcd(&self, port: u16) -> String {
        let host: IpAddr =
            if self.address.is_ipv6() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        format!("http://{}", SocketAddr::new(host, port))
    }

    fn services(&self) -> &'static str {
        if self.address.is_ipv6() { SERVICES_BY_IPV6 } else { SERVICES }
    }
}

/// The first address of the range below, which becomes that of the Service `kubernetes`.
pub(crate) const KUBERNETES_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

const SERVICES: &str = "10.0.0.0/24";
const SERVICES_BY_IPV6: &str = "fd00:10::/112";

/// etcd on two ports of this machine with its data in `data`.
pub(crate) fn etcd(data: &Path, site: Site<'_>, client_port: u16, peer_port: u16) -> Vec<String> {
    let client = site.etcd(client_port);
    let peer = site.etcd(peer_port);
    vec![
        "--name=testbed".to_owned(),
        flag("data-dir", data.display()),
        flag("listen-client-urls", &client),
        flag("advertise-client-urls", &client),
        flag("listen-peer-urls", &peer),
        flag("initial-advertise-peer-urls", &peer),
        format!("--initial-cluster=testbed={peer}"),
        // The data die with the test: waiting for the disk would only slow it down.
        "--unsafe-no-fsync".to_owned(),
    ]
}

/// The line in etcd's log after which it answers.
pub(crate) const ETCD_READY: &str = "ready to serve client requests";

/// The apiserver, with what a cluster that kubeadm set up switches on where an operator can notice.
pub(crate) fn apiserver(pki: &Pki, dir: &Path, etcd_port: u16, site: Site<'_>, port: u16) -> Vec<String> {
    let mut args = vec![
        flag("etcd-servers", site.etcd(etcd_port)),
        flag("bind-address", site.address),
        flag("secure-port", port),
        flag("advertise-address", site.address),
        flag("service-cluster-ip-range", site.services()),
        "--authorization-mode=Node,RBAC".to_owned(),
        flag("cert-dir", dir.display()),
        flag("tls-cert-file", pki.server.certificate.display()),
        flag("tls-private-key-file", pki.server.key.display()),
        flag("client-ca-file", pki.ca.display()),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        flag("service-account-signing-key-file", pki.service_account_key.display()),
        flag("service-account-key-file", pki.service_account_public_key.display()),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
    ];
    if site.node.is_some() {
        args.push("--kubelet-preferred-address-types=InternalIP".to_owned());
        args.push(flag("kubelet-client-certificate", pki.admin.certificate.display()));
        args.push(flag("kubelet-client-key", pki.admin.key.display()));
    } else {
        // Nothing here reaches the apiserver by its Service, and a loopback address is refused as an endpoint.
        args.push("--endpoint-reconciler-type=none".to_owned());
    }
    args
}

/// The controller manager: every controller that runs by default, each with its own service account as in a cluster.
pub(crate) fn controller_manager(pki: &Pki, kubeconfig: &Path, site: Site<'_>) -> Vec<String> {
    let mut args = vec![
        flag("kubeconfig", kubeconfig.display()),
        "--use-service-account-credentials=true".to_owned(),
        flag("service-account-private-key-file", pki.service_account_key.display()),
        flag("root-ca-file", pki.ca.display()),
        "--leader-elect=false".to_owned(),
        // No port of its own: it serves no requests, so no port can collide.
        "--secure-port=0".to_owned(),
        // The default of 20 requests a second makes deletions of namespaces slow right after the start.
        "--kube-api-qps=200".to_owned(),
        "--kube-api-burst=400".to_owned(),
        "--profiling=false".to_owned(),
    ];
    if site.node.is_none() {
        // Without these fewer informers run.
        args.push(
            "--controllers=*,-node-ipam-controller,-node-lifecycle-controller,\
             -persistentvolume-attach-detach-controller,-persistentvolume-binder-controller,\
             -persistentvolume-expander-controller,-ephemeral-volume-controller,\
             -horizontal-pod-autoscaler-controller,-ttl-controller"
                .to_owned(),
        );
    }
    args
}

/// The scheduler.
pub(crate) fn scheduler(kubeconfig: &Path) -> Vec<String> {
    vec![
        flag("kubeconfig", kubeconfig.display()),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

/// A kubeconfig that authenticates by certificate.
pub(crate) fn certificate_kubeconfig(server: &str, ca: &Path, pair: &Pair) -> Kubeconfig {
    Kubeconfig::new(server, ca).with_certificate(&pair.certificate, &pair.key)
}

pub(crate) fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}
