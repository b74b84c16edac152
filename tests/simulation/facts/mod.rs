//! What an apiserver answers to the requests that the operator sends: each fact is asked of a real one and of the simulated one.
//!
//! These tests are about Kubernetes, not about our code: when one fails after a change of the Kubernetes version, a
//! decision of the design has lost its ground. When one fails for the simulated apiserver alone, that one is wrong.

/// Tests of these facts against both servers.
macro_rules! facts {
    ($($name:ident),* $(,)?) => {
        mod real {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Server::Real).await;
                }
            )*
        }

        mod simulated {
            $(
                #[tokio::test(start_paused = true)]
                async fn $name() {
                    super::$name(super::Server::simulated()).await;
                }
            )*
        }
    };
}

/// Tests of facts that the simulated apiserver does not play, because the operator does not depend on them.
macro_rules! facts_of_the_real_one {
    ($($name:ident),* $(,)?) => {
        mod real_one {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(super::Server::Real).await;
                }
            )*
        }
    };
}

mod apply;
mod creates;
mod definitions;
mod deletion;
mod dry_run;
mod garbage;
mod leases;
mod lists;
mod merge_patch;
mod random;
mod schemas;
mod status;
mod support;
mod watches;
mod workloads;
