//! One resource, its Portal and an apiserver in memory, for tests of a part of a reconcile.

use std::sync::Arc;

use serde_json::{Value, json};

use super::observe::observe;
use super::reconcile::Reconcile;
use super::spec;
use crate::api::keys;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::test_support::apiserver::{Apiserver, context, merge, technical_user, watch_users};
use crate::controller::test_support::connection_to;
use crate::domain::ownership::secret_proof;
use crate::domain::test_support::owner;
use crate::k8s::watch::Cache;
use crate::portal::Portal;

/// The resource `connector/edc`, and what its reconcile sees.
pub struct Scene {
    pub apiserver: Apiserver,
    pub ctx: Arc<Context>,
}

impl Scene {
    /// A resource whose user is to be created, with this and more in it. Its Portal does not exist.
    pub fn without_portal(more: &Value) -> Self {
        Self::of(None, more)
    }

    /// The same with a Portal, which leads to this portal.
    pub fn new(portal: Arc<dyn Portal>, more: &Value) -> Self {
        Self::connected(connection_to(portal), more)
    }

    /// The same with a Portal that has this connection.
    pub fn connected(connection: Connection, more: &Value) -> Self {
        Self::of(Some(connection), more)
    }

    fn of(connection: Option<Connection>, more: &Value) -> Self {
        let apiserver = Apiserver::default();
        let mut ctx = context(apiserver.client());
        let spec = json!({"portalRef": {"name": "portal"}, "user": {"create": {"roles": ["discovery"]}}});
        let mut object = technical_user("edc", &json!({ "spec": spec }));
        merge(&mut object, more);
        apiserver.put_object("technicalusers", "connector", "edc", object);
        watch_users(&mut ctx, [stored(&apiserver)]);
        if let Some(connection) = connection {
            connect(&mut ctx, connection);
        }
        Self { apiserver, ctx: Arc::new(ctx) }
    }

    /// There is a Secret that the operator wrote for the resource, and that neither spec nor status names.
    pub fn put_unnamed_secret(&self, name: &str) {
        let owner = owner("edc");
        let proof = secret_proof(&self.ctx.installation.digest_key, &owner, "edc", name);
        let annotations = json!({ (keys::OWNER): owner.to_string(), (keys::PROOF): proof });
        self.apiserver.put("connector", name, json!({"metadata": {"annotations": annotations}}));
        let stored = self.apiserver.get("connector", name).unwrap();
        let metadata = serde_json::from_value(stored["metadata"].clone()).unwrap();
        self.ctx.secrets_by_owner.saw(&metadata, "prod", false);
    }

    /// What a reconcile has observed at its start.
    pub async fn observed(&self) -> Reconcile {
        let object = serde_json::from_value(stored(&self.apiserver)).unwrap();
        let spec = spec::of(&object).unwrap();
        observe(&self.ctx, object, spec).await.unwrap()
    }
}

fn stored(apiserver: &Apiserver) -> Value {
    apiserver.object("technicalusers", "connector", "edc").unwrap()
}

/// There is the Portal `connector/portal`, which has this connection.
fn connect(ctx: &mut Context, connection: Connection) {
    let key = Key { namespace: "connector".into(), name: "portal".into() };
    let portal = json!({
        "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
        "metadata": {"namespace": key.namespace, "name": key.name}, "spec": {},
    });
    ctx.portals.cache = Cache::of([serde_json::from_value(portal).unwrap()]);
    ctx.connections.set(&key, ConnectionState::Up(connection));
}
