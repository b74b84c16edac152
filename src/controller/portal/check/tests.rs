//! Checks of a Portal whose login works, and who hears of them.

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::controller::test_support::apiserver::{Apiserver, context, technical_user, watch_users};
use crate::domain::user::{ListedUser, Role, RoleKind};
use crate::k8s::stored::StoredObject;
use crate::portal::test_support::{Answers, Fake, a_scan};
use crate::portal::{
    ClientConfig, ConfigError, Connector, Login, Permissions, PlainHttp, Portal, PortalError, Scan,
    ServerKind,
};

/// A portal with this login, which shows these roles.
struct OneLogin {
    login: Mutex<Login>,
    roles: Mutex<Vec<Role>>,
    /// It fails where it is asked for its roles.
    fails: Mutex<bool>,
}

#[async_trait]
impl Answers for OneLogin {
    async fn login(&self) -> Result<Login, PortalError> {
        Ok(self.login.lock().clone())
    }

    async fn roles(&self) -> Result<Vec<Role>, PortalError> {
        if *self.fails.lock() {
            return Err(PortalError::Server { server: ServerKind::Portal, status: 500 });
        }
        Ok(self.roles.lock().clone())
    }

    async fn scan(&self) -> Result<Scan, PortalError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(a_scan(Vec::<ListedUser>::new()))
    }
}

struct Connects(Arc<Fake<OneLogin>>);

impl Connector for Connects {
    fn plain_http(&self) -> PlainHttp {
        PlainHttp::Refused
    }

    fn connect(&self, _: ClientConfig) -> Result<Arc<dyn Portal>, ConfigError> {
        Ok(Arc::clone(&self.0) as _)
    }
}

struct Scene {
    ctx: Arc<Context>,
    portal: Arc<Fake<OneLogin>>,
    object: StoredObject,
    woken: UnboundedReceiver<Key>,
}

impl Scene {
    /// A Portal with one resource.
    fn new() -> Self {
        let apiserver = Apiserver::default();
        let login = json!({"data": {"client-id": "c2EtbG9naW4=", "client-secret": "c2VjcmV0"}});
        apiserver.put("ops", "login", login);
        let mut ctx = context(apiserver.client());
        let reference = json!({"spec": {"portalRef": {"namespace": "ops", "name": "portal"}}});
        let woken = watch_users(&mut ctx, [technical_user("edc", &reference)]);
        let permissions =
            Permissions { view: true, create: true, delete: true, roles: true, dataspace: false };
        let portal = Arc::new(Fake(OneLogin {
            login: Mutex::new(Login {
                companies: vec!["BPNL0000000000AA".into()],
                client_id: Some("sa-login".into()),
                delete_client_id: None,
                technical_roles: Vec::new(),
                permissions,
                deletion_trouble: None,
            }),
            roles: Mutex::default(),
            fails: Mutex::default(),
        }));
        ctx.connector = Arc::new(Connects(Arc::clone(&portal)));
        let auth = json!({"clientCredentials": {"secretRef": {"name": "login"}}});
        let object = json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
            "metadata": {"namespace": "ops", "name": "portal", "uid": "1", "generation": 1},
            "spec": {"catenaX": {
                "url": "https://portal.example.org", "tokenUrl": "https://idp.example.org/token", "auth": auth,
            }},
        });
        Self { ctx: Arc::new(ctx), portal, object: serde_json::from_value(object).unwrap(), woken }
    }

    async fn check(&self) -> Result<Checked, Blocker> {
        check(&self.ctx, &self.key(), &self.object, false).await
    }

    fn key(&self) -> Key {
        Key::of(&self.object)
    }

    /// Whether the resource was woken since the last call.
    fn is_woken(&mut self) -> bool {
        std::iter::from_fn(|| self.woken.try_recv().ok()).count() > 0
    }

    fn is_up(&self) -> bool {
        matches!(self.ctx.connections.get(&self.key()), Some(ConnectionState::Up(_)))
    }
}

#[tokio::test(start_paused = true)]
async fn the_resources_hear_of_a_check_where_it_changes_something_for_them() {
    let mut scene = Scene::new();
    scene.check().await.map(drop).unwrap();
    assert!(scene.is_up() && scene.is_woken(), "they wait for the connection");
    assert!(scene.ctx.portal_memory.logins.of(&scene.key()).is_some_and(|seen| seen.main.is_some()));
    for _ in 0..3 {
        scene.check().await.map(drop).unwrap();
        assert!(!scene.is_woken(), "nothing has changed");
    }
    let role = Role {
        id: "1".into(),
        name: "Reader".into(),
        kind: RoleKind::Internal,
        provider_only: false,
        creates_users: false,
    };
    scene.portal.roles.lock().push(role);
    scene.check().await.map(drop).unwrap();
    assert!(scene.is_woken(), "a role may be the one that was missing");
    scene.portal.login.lock().permissions.create = false;
    scene.check().await.map(drop).unwrap();
    assert!(scene.is_woken(), "the login may do less");

    scene.portal.login.lock().permissions.view = false;
    scene.check().await.map(drop).unwrap_err();
    assert!(!scene.is_up() && scene.is_woken());
    scene.check().await.map(drop).unwrap_err();
    assert!(!scene.is_woken(), "it is as before");
    scene.portal.login.lock().permissions.view = true;
    scene.check().await.map(drop).unwrap();
    assert!(scene.is_up() && scene.is_woken());
}

/// A portal that fails keeps nobody from deleting the users that it has shown. The users of another company are not among them.
#[tokio::test(start_paused = true)]
async fn a_connection_that_worked_cleans_up_unless_the_login_belongs_to_another_company_by_now() {
    let companies = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (named_last, cleans_up) in [("BPNL0000000000AA", true), ("BPNL0000000000BB", false)] {
        let scene = Scene::new();
        scene.portal.login.lock().companies = companies(&["BPNL0000000000AA", "BPNL0000000000BB"]);
        scene.check().await.map(drop).unwrap();
        scene.portal.login.lock().companies = companies(&[named_last]);
        *scene.portal.fails.lock() = true;
        scene.check().await.map(drop).unwrap_err();
        let state = scene.ctx.connections.get(&scene.key()).unwrap();
        let ConnectionState::Down(_, last) = state else { panic!("the portal fails") };
        assert_eq!(last.is_some(), cleans_up, "{named_last}");
    }
}
