//! How names of Kubernetes objects are spelled, as the apiserver checks them where a spec refers to an object.

/// The name of a namespace (a DNS label, RFC 1123).
pub(super) const LABEL: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// The name of any other object (a DNS subdomain, RFC 1123).
pub(super) const SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// A key in the data of a Secret or `ConfigMap`.
pub(super) const DATA_KEY: &str = r"^[-._a-zA-Z0-9]+$";
