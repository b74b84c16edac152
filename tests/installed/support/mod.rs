//! What every test stands on.

mod cluster;
mod images;
mod pages;
#[path = "../../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the support of the end-to-end tests beside a bare control plane; this binary needs a part of it"
)]
mod place;
mod reader;
mod release;
pub mod vault;

pub use cluster::Cluster;
pub use pages::Page;
pub use place::leaks::assert_no_secret;
pub use place::{condition, create, create_from, message, one_user, reason};
pub use reader::Reader;
pub use release::{Release, company_one};
