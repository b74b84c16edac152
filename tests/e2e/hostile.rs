//! A portal that wants to do harm, seen by the whole operator: what it costs, what its statuses show, what is published.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Method, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use crate::support::{
    BPN_ONE, FULL_LOGIN, WITHOUT_DELETION, World, create, message, stored_status, user_status, world,
};

const NASTY: &str = "a\u{0}\n\u{1B}[31m\u{202E}\u{2066}b";

/// What the portal does besides meaning well, which is 0.
const MANY_ENTRIES: usize = 1;
const TOO_MANY_USERS: usize = 2;
const ENDLESS: usize = 3;
const MOST_USERS: usize = 4;

#[derive(Clone, Default)]
struct Hostile {
    mode: Arc<AtomicUsize>,
    /// Last pages that were asked for, and creates.
    sweeps: Arc<AtomicUsize>,
    creates: Arc<AtomicUsize>,
    /// Writes that are no creates.
    changes: Arc<AtomicUsize>,
}

fn reply(body: &Value) -> Response<Body> {
    Response::new(Body::from(body.to_string()))
}

fn listed(id: &str, name: &str) -> Value {
    json!({"serviceAccountId": id, "clientId": "sa7", "name": name, "userType": "INTERNAL",
        "serviceAccountType": "OWN", "status": "ACTIVE", "isOwner": true,
        "connector": {"id": id, "name": name}})
}

fn list(total: u64, pages: u64, users: &[Value]) -> Response<Body> {
    let meta = json!({"totalElements": total, "totalPages": pages, "page": 0, "contentSize": users.len()});
    reply(&json!({"meta": meta, "content": users}))
}

impl Hostile {
    /// Starts it; its address.
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let portal = self.clone();
        let app = axum::Router::new()
            .fallback(move |request: Request<Body>| async move { portal.answer(&request) });
        tokio::spawn(async move { axum::serve(listener, app).await });
        origin
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let what = request.uri().path().rsplit('/').next().unwrap_or_default();
        match (request.method(), what) {
            (_, "token") => {
                let payload = json!({"bpn": BPN_ONE, "client_id": FULL_LOGIN.client_id,
                    "resource_access": {"Cl2-CX-Portal": {"roles": WITHOUT_DELETION}}});
                let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()));
                reply(&json!({"access_token": token, "expires_in": 300}))
            }
            (_, "errormessage") => reply(&json!([{"errorType": "AdministrationServiceAccountErrors",
                "errorMessages": [{"errorCode": "SERVICE_ACCOUNT_NOT_FOUND", "message": NASTY}]}])),
            (_, "roles") => reply(&json!([{"roleId": "r", "roleName": DATASPACE_DISCOVERY},
                {"roleId": "s", "roleName": NASTY.repeat(1000)}])),
            (&Method::POST, "serviceaccounts") => {
                self.creates.fetch_add(1, Ordering::SeqCst);
                reply(&json!([{"serviceAccountId": "foreign", "clientId": "sa7", "name": "edc-discovery",
                    "status": "ACTIVE", "roles": [], "secret": "somebody-elses"}]))
            }
            (&Method::GET, "serviceaccounts") => self.page(request.uri().query().unwrap_or_default()),
            (&Method::GET, id) => reply(&json!({"serviceAccountId": id, "clientId": "sa7", "name": NASTY,
                "description": format!("[technicaluser.dev/1 {NASTY}/{NASTY}/{NASTY} g1 {NASTY}]"),
                "roles": [{"roleName": NASTY}], "status": "ACTIVE", "secret": "somebody-elses"})),
            _ => {
                self.changes.fetch_add(1, Ordering::SeqCst);
                reply(&json!({}))
            }
        }
    }

    fn page(&self, query: &str) -> Response<Body> {
        let number =
            query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse().ok()).unwrap_or(0_usize);
        let mode = self.mode.load(Ordering::SeqCst);
        let pages = if mode == MOST_USERS { 1466 } else { 1 };
        if number + 1 == pages {
            self.sweeps.fetch_add(1, Ordering::SeqCst);
        }
        match mode {
            MANY_ENTRIES => {
                let users: Vec<Value> = (0..147_000).map(|_| json!({"serviceAccountId": "a"})).collect();
                list(147_000, 1, &users)
            }
            TOO_MANY_USERS => list(u64::MAX, u64::from(u32::MAX), &[listed("foreign", NASTY)]),
            ENDLESS => Response::new(Body::from(vec![b' '; 4 << 20])),
            MOST_USERS => {
                let users: Vec<Value> = (0..15)
                    .map(|entry| {
                        listed(&format!("{:036}", number * 15 + entry), &format!("user-{number}-{entry}"))
                    })
                    .collect();
                list(21_990, 1466, &users)
            }
            _ => list(2, 1, &[listed("foreign", "edc-discovery"), listed("b", &NASTY.repeat(1000))]),
        }
    }

    fn to(&self, mode: usize) {
        self.mode.store(mode, Ordering::SeqCst);
    }
}

async fn world_of(portal: &Hostile) -> World {
    let origin = portal.start().await;
    let mut world = world().stopped().start().await;
    world
        .patch_portal(&json!({"spec": {
            "catenaX": {"url": origin, "tokenUrl": format!("{origin}/token"), "insecureHttp": true},
            "resyncInterval": "10s",
            "limits": {"requestsPerSecond": 1000, "burst": 1000, "concurrency": 8},
        }}))
        .await;
    world.start_operator();
    world
}

/// The operator's highest resident set so far, in KiB.
fn peak(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.operator().id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_hostile_portal_costs_the_operator_at_most_32_mib() {
    let portal = Hostile::default();
    let world = world_of(&portal).await;
    world.portal_ready().await;
    let shown = stored_status(&world.portal().await.unwrap()).to_string();
    assert!(!shown.contains("\\u001b") && !shown.contains('\u{202E}'), "{shown}");
    assert!(shown.contains(DATASPACE_DISCOVERY) && shown.len() < 4000, "{shown}");
    let calm = peak(&world);
    println!("calm: {calm} KiB");
    for (mode, words) in [
        (MANY_ENTRIES, "too long"),
        (TOO_MANY_USERS, "more than 22000 technical users"),
        (ENDLESS, "too long"),
    ] {
        portal.to(mode);
        world
            .portal_until(words, |portal| stored_status(portal)["conditions"].to_string().contains(words))
            .await;
        println!("mode {mode}: +{} KiB", peak(&world) - calm);
    }
    portal.to(MOST_USERS);
    let before = portal.sweeps.load(Ordering::SeqCst);
    let read = async |times| {
        let what = format!("all users were read {times} times");
        world.eventually(&what, async || portal.sweeps.load(Ordering::SeqCst) >= before + times).await;
    };
    read(1).await;
    // A sweep takes at most a twentieth of the time, so the next one would be late where the first was slow.
    world.patch_portal(&json!({"spec": {"resyncInterval": "11s"}})).await;
    read(2).await;
    world.portal_ready().await;
    let extra = peak(&world) - calm;
    println!("22,000 users: +{extra} KiB");
    assert!(extra <= 32 << 10, "{extra} KiB");
    assert_eq!(portal.changes.load(Ordering::SeqCst), 0, "no user was changed");
}

#[tokio::test]
async fn an_answer_that_names_anothers_user_publishes_nothing() {
    let portal = Hostile::default();
    let world = world_of(&portal).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let creates = || portal.creates.load(Ordering::SeqCst);
    world.eventually("a create was answered", async || creates() == 1).await;
    let user = world
        .until("edc", "it says that the create has no clear outcome", |user| {
            creates() == 1 && !message(user).is_empty() && user_status(user).user.is_none()
        })
        .await;
    println!("{}", message(&user));
    // It is searched by its name once the attempt has settled, is not found, and is created again.
    world.eventually("the create was tried again", async || creates() >= 2).await;
    let user = world.user("edc").await.unwrap();
    assert!(user_status(&user).user.is_none(), "{user:?}");
    assert!(world.get_secret("edc").await.is_none());
    assert_eq!(portal.changes.load(Ordering::SeqCst), 0, "the other's user was not changed");
}
