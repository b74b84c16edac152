//! What containers use.

use super::Node;
use crate::Error;

impl Node {
    /// The most memory that a running container has used since its start, in bytes, as its cgroup has counted it.
    pub async fn memory_peak(&self, namespace: &str, pod: &str, container: &str) -> Result<u64, Error> {
        let id = self.container_id(namespace, pod, container).await?;
        let tasks = self.ctr(&["tasks", "list"]).await?;
        let process = tasks
            .lines()
            .find_map(|line| line.strip_prefix(&id)?.split_whitespace().next())
            .ok_or_else(|| Error::Argument(format!("containerd knows no task {id}")))?;
        // Version 1 counts in one hierarchy of several, version 2 has only one.
        let script = "group=$(sed -nE 's/^[0-9]+:memory://p; s/^0:://p' \"/proc/$1/cgroup\" | head -n 1)
            cat \"/sys/fs/cgroup/memory$group/memory.max_usage_in_bytes\" 2>/dev/null ||
            cat \"/sys/fs/cgroup$group/memory.peak\"";
        let printed = self.run("sh", &["-c", script, "sh", process]).await?.success()?;
        printed.trim().parse().map_err(|_| Error::Argument(format!("no number of bytes: {printed:?}")))
    }
}
