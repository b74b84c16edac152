//! A node beside a control plane, so that pods run: kubelet, containerd and kube-proxy in a box of their own.
//!
//! The control plane, with a scheduler, runs on the host and listens on the host's end of the pair of interfaces that
//! joins the box to the host; so it is reached alike from the host, from the box and from pods. Inside the box pods
//! are routed, not bridged: every packet passes the box's rules, even between two pods.

use std::{fs, net::Ipv4Addr, path::Path};

use k8s_openapi::api::core::v1::Node as NodeObject;
use kube::Api;

use self::{box_command::BoxCommand, parts::parts};
use crate::{
    CommandOutput, ControlPlane, Error,
    commands::output,
    components::Site,
    control_plane::found_binaries,
    eventually,
    supervisor::{Server, Supervisor},
};

mod box_command;
mod configuration;
mod images;
mod memory;
mod missing;
mod network;
mod parts;

pub use parts::Parts;

/// A control plane with one node. It ends when this value is dropped, and when the process that owns it ends.
#[derive(Debug)]
pub struct Node {
    name: String,
    control_plane: ControlPlane,
    command: BoxCommand,
    parts: Parts,
    /// The outermost process of the box, whose end is the end of all in it.
    outer: Server,
    host: Ipv4Addr,
    address: Ipv4Addr,
}

impl Node {
    /// What this machine lacks for a node, in one line. Fetches the parts of a node if they are not there, and blocks.
    /// The answer is kept for the life of the process.
    #[must_use]
    pub fn missing() -> Option<String> {
        missing::missing()
    }

    /// Starts a control plane and a node, and waits until the node is ready, the pause image is there and pods can be
    /// made in the namespace `default`. What a crashed node of that name has left is removed first.
    pub async fn start(name: &str) -> Result<Self, Error> {
        check_name(name)?;
        if let Some(missing) = blocking(|| Ok(Self::missing())).await? {
            return Err(Error::Argument(missing));
        }
        let parts = blocking(parts).await?;
        let binaries = found_binaries().await?;
        let mut supervisor = Supervisor::start(&format!("testbed-node-{name}"))?;
        let dir = supervisor.dir().to_owned();
        let command = BoxCommand::install(name, &dir, &parts)?;

        supervisor.finally("end", &command.words("end", &[]))?;
        let up = command.words("up", &[&dir.display().to_string()]);
        let outer = supervisor.run_command("box", &up)?;
        let (host, address) = addresses(&outer, &dir).await?;
        // Those that follow go down with the box even if the supervisor is killed.
        supervisor.set_prefix(command.words("serve", &[]));

        let site = Site { address: host.into(), node: Some(name) };
        configuration::write_containerd(&dir, &parts)?;
        let program = parts.bin.join("containerd").display().to_string();
        let containerd = command.enter(&outer, &program, &["--config=/var/lib/testbed/containerd.toml"]);
        let containerd = supervisor.run_command("containerd", &containerd)?;
        let control_plane = ControlPlane::launch(supervisor, binaries, site).await?;
        let mut node = Self { name: name.to_owned(), control_plane, command, parts, outer, host, address };
        node.control_plane.adopt("containerd", containerd);
        node.start_agents().await?;
        Ok(node)
    }

    async fn start_agents(&mut self) -> Result<(), Error> {
        configuration::write_agents(&self.control_plane, &self.name, self.address)?;
        let name = format!("--hostname-override={}", self.name);
        let kubelet = [
            "--config=/var/lib/testbed/kubelet.json",
            "--kubeconfig=/var/lib/testbed/kubelet.kubeconfig",
            &format!("--node-ip={}", self.address),
            &name,
        ];
        let proxy = ["--config=/var/lib/testbed/kube-proxy.json", &name];
        // The kubelet gives up if containerd does not answer.
        self.import_image(&self.parts.pause).await?;
        let binaries = self.control_plane.binaries();
        let servers = [
            ("kubelet", binaries.kubelet.clone(), kubelet.as_slice()),
            ("kube-proxy", binaries.kube_proxy.clone(), proxy.as_slice()),
        ];
        for (server, program, args) in servers {
            let words = self.command.enter(&self.outer, &program.display().to_string(), args);
            let started = self.control_plane.supervisor().run_command(server, &words)?;
            self.control_plane.adopt(server, started);
        }
        self.control_plane.wait_for_default_objects("default").await?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&self) -> Result<(), Error> {
        let nodes = Api::<NodeObject>::all(self.control_plane.admin_client().await?);
        eventually(&format!("the node {} is ready", self.name), || async {
            if let Err(dead) = self.check() {
                return Some(Err(dead));
            }
            let node = nodes.get_opt(&self.name).await.ok().flatten()?;
            let conditions = node.status?.conditions?;
            let ready = conditions.iter().any(|each| each.type_ == "Ready" && each.status == "True");
            // Until the controllers have seen it ready as well, no pod is placed there.
            let tainted = node.spec.and_then(|spec| spec.taints).is_some_and(|taints| !taints.is_empty());
            (ready && !tainted).then_some(Ok(()))
        })
        .await
        .map_err(|error| self.explained(&error))?
    }

    /// A time-out with the kubelet's own words.
    fn explained(&self, error: &Error) -> Error {
        let log = crate::error::tail(&self.control_plane.log("kubelet"), 30);
        Error::Component { name: "kubelet".to_owned(), why: error.to_string(), log }
    }

    /// An error if the box, or a server in it or of the control plane, has ended.
    pub fn check(&self) -> Result<(), Error> {
        if !self.outer.is_running() {
            return Err(self.outer.error("ended"));
        }
        self.control_plane.check_servers()
    }

    /// Its name, also that of the node's object.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The control plane. Its apiserver has the same address for the host and for pods.
    #[must_use]
    pub fn control_plane(&self) -> &ControlPlane {
        &self.control_plane
    }

    /// The host's address on the way to the box: where pods reach servers of the host.
    #[must_use]
    pub fn host_address(&self) -> Ipv4Addr {
        self.host
    }

    /// The node's own address.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// What the node consists of, with an image of busybox for tests.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The command line that runs what follows it inside the box, for people and scripts.
    #[must_use]
    pub fn enter(&self) -> Vec<String> {
        self.command.enter(&self.outer, "env", &[])
    }

    /// Runs a command inside the box, where `nft`, `ip`, `ctr` and `runc` are those of the node.
    pub async fn run(&self, program: &str, args: &[&str]) -> Result<CommandOutput, Error> {
        let words = self.command.enter(&self.outer, program, args);
        let mut process = tokio::process::Command::new("env");
        process.args(words.iter().skip(1));
        output(format!("{program} {}", args.join(" ")), &mut process, None).await
    }

    /// Ends everything, removes its files and waits for that.
    pub async fn stop(self) -> Result<(), Error> {
        self.control_plane.stop().await
    }

    /// Ends the node of that name, if there is one, and removes what it has left if it crashed. Blocks.
    pub fn down(name: &str) -> Result<(), Error> {
        check_name(name)?;
        box_command::down(name, &parts()?)
    }
}

/// Names become those of interfaces' aliases, cgroups, directories, hosts and objects.
fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty()
        || name.len() > 30
        || !name.chars().all(allowed)
        || name.starts_with('-')
        || name.ends_with('-')
    {
        return Err(Error::Argument(format!(
            "a node's name has at most 30 of a-z, 0-9 and, inside, -, unlike {name:?}"
        )));
    }
    Ok(())
}

/// Waits for the box; returns the host's address and the node's.
async fn addresses(outer: &Server, dir: &Path) -> Result<(Ipv4Addr, Ipv4Addr), Error> {
    let ready = dir.join("box/lib/testbed/ready");
    eventually("the box is ready", || async {
        if !outer.is_running() {
            return Some(Err(outer.error("ended")));
        }
        ready.exists().then_some(Ok(()))
    })
    .await
    .map_err(|error| outer.error(error.to_string()))??;
    let text = fs::read_to_string(dir.join("addresses")).map_err(Error::io("reading the box's addresses"))?;
    let mut found = text.split_whitespace().map(str::parse::<Ipv4Addr>);
    match (found.next(), found.next()) {
        (Some(Ok(host)), Some(Ok(node))) => Ok((host, node)),
        _ => Err(Error::Argument(format!("the box gave {text:?} for its addresses"))),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Argument(format!("the node's preparation ended early: {error}")))?
}
