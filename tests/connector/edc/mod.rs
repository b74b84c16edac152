//! A tractusx-connector as far as it reads what the operator writes: the environment that its chart renders, the kubelet that
//! builds it for the container, and the program in this folder that behaves as the connector does.

mod kubelet;
mod page;
mod reader;
mod rendered;

pub use kubelet::environment;
pub use page::Page;
pub use reader::Reader;
pub use rendered::{Chart, Container, leaves, merge};
