//! The configuration files of what runs in the box. They are seen there below /var/lib/testbed.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::Parts;
use crate::{
    ControlPlane, Error,
    components::certificate_kubeconfig,
    pki::{Pair, write_private},
};

/// The pods' addresses, the same in every box because they are seen inside only.
const PODS: &str = "10.1.0.0/24";

const INSIDE: &str = "/var/lib/testbed";

fn inside(dir: &Path) -> PathBuf {
    dir.join("box/lib/testbed")
}

/// What containerd reads: its own configuration and that of the pods' network.
pub(super) fn write_containerd(dir: &Path, parts: &Parts) -> Result<(), Error> {
    let plugins = parts.cni.display();
    let runc = parts.bin.join("runc");
    let runc = runc.display();
    let toml = format!(
        r#"version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/testbed/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  enable_selinux = false
  disable_tcp_service = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
  BinaryName = "{runc}"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{plugins}"
  conf_dir = "{INSIDE}/cni"
"#
    );
    // Pods are routed rather than bridged: a Service then works between pods without a module of the whole machine's
    // that shows bridged packets to the rules, and a rule sees the packets between pods too.
    let network = json!({
        "cniVersion": "0.4.0",
        "name": "testbed",
        "plugins": [{
            "type": "ptp",
            "ipMasq": false,
            "ipam": { "type": "host-local", "ranges": [[{ "subnet": PODS }]], "routes": [{ "dst": "0.0.0.0/0" }] },
        }],
    });
    let inside = inside(dir);
    let cni = inside.join("cni");
    fs::create_dir(&cni).map_err(Error::io(format!("making {}", cni.display())))?;
    write_private(&inside.join("containerd.toml"), &toml)?;
    write_private(&cni.join("testbed.conflist"), &network.to_string())
}

/// What the kubelet and kube-proxy read.
pub(super) fn write_agents(control_plane: &ControlPlane, node: &str, address: Ipv4Addr) -> Result<(), Error> {
    let pki = control_plane.pki();
    let Some(pairs) = &pki.node else {
        return Err(Error::Argument(format!("the control plane has no certificates for the node {node}")));
    };
    let inside = inside(control_plane.dir());
    // Copies, because the directory itself need not be visible in the box.
    copy(&pki.ca, &inside)?;
    for (name, pair) in [("kubelet", &pairs.kubelet), ("kube-proxy", &pairs.proxy)] {
        copy(&pair.certificate, &inside)?;
        copy(&pair.key, &inside)?;
        let pair = Pair { certificate: seen(&pair.certificate), key: seen(&pair.key) };
        certificate_kubeconfig(control_plane.server(), &seen(&pki.ca), &pair)
            .write(&inside.join(format!("{name}.kubeconfig")))?;
    }
    write_private(&inside.join("kubelet.json"), &kubelet(&seen(&pki.ca), address).to_string())?;
    write_private(&inside.join("kube-proxy.json"), &proxy().to_string())
}

fn kubelet(ca: &Path, address: Ipv4Addr) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": ca },
        },
        "authorization": { "mode": "Webhook" },
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": false,
        "failSwapOn": false,
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "makeIPTablesUtilChains": false,
        // A machine that is short of disk is no reason to evict pods or to delete images that cannot be pulled again.
        "evictionHard": { "memory.available": "50Mi", "nodefs.available": "50Mi", "imagefs.available": "50Mi" },
        "imageGCHighThresholdPercent": 100,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "registerNode": true,
        // There is no DNS. Pods use their own address, where nothing listens, and are refused at once.
        "clusterDNS": ["127.0.0.1"],
        "clusterDomain": "cluster.local",
        "resolvConf": "/etc/resolv.conf",
        "serializeImagePulls": false,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "enableDebuggingHandlers": true,
    })
}

fn proxy() -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": { "kubeconfig": format!("{INSIDE}/kube-proxy.kubeconfig") },
        "mode": "nftables",
        "clusterCIDR": PODS,
        // These limits belong to the whole machine.
        "conntrack": {
            "maxPerCore": 0, "min": 0,
            "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
            "udpTimeout": "0s", "udpStreamTimeout": "0s",
        },
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    })
}

/// Where a file of the host's is seen in the box once it was copied there.
fn seen(path: &Path) -> PathBuf {
    Path::new(INSIDE).join(path.file_name().unwrap_or_default())
}

fn copy(path: &Path, to: &Path) -> Result<(), Error> {
    let target = to.join(path.file_name().unwrap_or_default());
    fs::copy(path, &target).map(drop).map_err(Error::io(format!("writing {}", target.display())))
}
