//! The portals that the rules are tried with.

use std::sync::Arc;

use async_trait::async_trait;
use portal_simulator::{Caller, Simulator, Version, WalletDelay};
use technical_user_operator::domain::user::UserId;
use technical_user_operator::portal::Portal;

use super::memory::MemoryPortal;
use super::{World, conformance};
use crate::simulated::{COMPANY, config, portal_with_wallet, start};
use crate::support::{LOGIN_SECRET, client_credentials, connection, portal};

struct Memory(Arc<MemoryPortal>);

#[async_trait]
impl World for Memory {
    fn portal(&self) -> Arc<dyn Portal> {
        Arc::clone(&self.0) as Arc<dyn Portal>
    }

    fn reader(&self) -> Arc<dyn Portal> {
        Arc::new(self.0.reader())
    }

    fn link_connector(&self, id: &UserId) {
        self.0.link_connector(id);
    }

    async fn finish_external(&self) {
        self.0.finish_external();
    }
}

struct Simulated(Simulator);

/// May read users and roles.
const READER: &str = "sa-reader";

#[async_trait]
impl World for Simulated {
    fn portal(&self) -> Arc<dyn Portal> {
        Arc::new(portal_with_wallet(&self.0))
    }

    fn reader(&self) -> Arc<dyn Portal> {
        let login = client_credentials(READER, LOGIN_SECRET);
        Arc::new(portal(connection(self.0.portal_url(), &self.0.token_url(), login)))
    }

    fn link_connector(&self, id: &UserId) {
        self.0.link_connector(id.as_str().parse().unwrap(), "edc").unwrap();
    }

    async fn finish_external(&self) {
        self.0.activate_wallet_users();
    }
}

async fn simulated(version: Version) -> Simulated {
    let permissions = ["view_tech_user_management", "technical_roles_management"];
    let reader = Caller::with_permissions(READER, LOGIN_SECRET, permissions);
    let config = config(version).wallet_delay(WalletDelay::Never).caller(reader.of(COMPANY));
    Simulated(start(config).await)
}

#[tokio::test]
async fn the_portal_in_memory() {
    conformance("memory", async || Memory(Arc::new(MemoryPortal::default()))).await;
}

#[tokio::test]
async fn catena_x_in_all_versions() {
    for version in Version::ALL {
        conformance(&version.to_string(), async || simulated(version).await).await;
    }
}
