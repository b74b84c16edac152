//! Provisions technical users of a data space from Kubernetes.
