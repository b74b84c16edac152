//! The exchanges recorded at the running services, in their order, one after the other.
//!
//! `data/exchanges.jsonl` holds one exchange or fact a line: the caller, the call, and what main answered; where
//! 2.3 or 2.0 answered otherwise, that too. Volatile values are written `<uuid>`, `<sa>`, `<secret>`, `<wallet>`,
//! `<n>` and `<text>`.

use std::collections::{BTreeMap, BTreeSet};

use portal_simulator::Version;
use portal_simulator::role_names::{
    CONNECTOR_MANAGEMENT, DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, OFFER_MANAGEMENT,
    SEMANTIC_MODEL_MANAGEMENT,
};
use serde_json::{Value, json};

use crate::matching::compare;
use crate::world::{Answer, CONNECTORS, DISCOVERY, POOL_CONSUMER, USERS, World};

const EXCHANGES: &str = include_str!("../data/exchanges.jsonl");

#[tokio::test]
async fn main_answers_as_recorded() {
    replay(Version::Main, "main").await;
}

/// Portal contract, section 7: 2.6.0 answers all recorded exchanges as main does.
#[tokio::test]
async fn version_2_6_answers_as_main() {
    replay(Version::V2_6, "main").await;
}

#[tokio::test]
async fn version_2_3_answers_as_recorded() {
    replay(Version::V2_3, "2.3").await;
}

#[tokio::test]
async fn version_2_0_answers_as_recorded() {
    replay(Version::V2_0, "2.0").await;
}

async fn replay(version: Version, column: &str) {
    let mut replay = Replay { world: World::new(version).await, answers: BTreeMap::new(), operator: None };
    for line in EXCHANGES.lines() {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let case = exchange["case"].as_str().unwrap();
        // The versions without the role could not be asked as such a user.
        if case.starts_with("operator.") && version < Version::V2_5 {
            continue;
        }
        let wanted = exchange.get(column).unwrap_or(&exchange["main"]);
        if let Some(fact) = wanted.get("fact") {
            assert_eq!(replay.fact(case).await, *fact, "fact {case} of {version}");
            continue;
        }
        let answer = replay.send(case, &exchange).await;
        compare(&format!("{case} of {version}"), wanted, &answer);
        replay.answers.insert(case.to_owned(), answer);
    }
}

struct Replay {
    world: World,
    answers: BTreeMap<String, Answer>,
    operator: Option<String>,
}

impl Replay {
    async fn send(&mut self, case: &str, exchange: &Value) -> Answer {
        if case == "wallet.active.details" {
            self.world.sim.activate_wallet_users();
        }
        let id = match exchange["id"].as_str() {
            None => String::new(),
            Some("role") => POOL_CONSUMER.to_owned(),
            Some(case) => self.answers[case].id(),
        };
        let call = exchange["call"].as_str().unwrap().replace("{id}", &id);
        let body = exchange["send"]
            .as_str()
            .map(|body| body.replace("{id}", &id).replace("{n255}", &"n".repeat(255)));
        let token = match exchange["as"].as_str().unwrap() {
            "token" if case == "auth.junk" => Some("junk".to_owned()),
            "token" => Some(self.operator().await),
            caller => self.world.token(caller).await,
        };
        self.world.call_with(token.as_deref(), &call, body.as_deref()).await
    }

    /// A token of the Connector Management user created before.
    async fn operator(&mut self) -> String {
        if self.operator.is_none() {
            let (id, secret) = self.credential("operator.create.self");
            let login = self.world.login(&id, &secret).await.json();
            let token = login["access_token"].as_str().unwrap().to_owned();
            self.operator = Some(token);
        }
        self.operator.clone().unwrap()
    }

    /// Id and secret of the user that a create or a reset answered.
    fn credential(&self, case: &str) -> (String, String) {
        let body = self.answers[case].json();
        let user = if body.is_array() { body[0].clone() } else { body };
        let text = |key: &str| user[key].as_str().unwrap().to_owned();
        (text("clientId"), text("secret"))
    }

    async fn login_fact(&self, id: &str, secret: &str) -> Value {
        let (status, error) = self.world.login_verdict(id, secret).await;
        json!([status, error])
    }

    async fn fact(&mut self, case: &str) -> Value {
        let world = &self.world;
        match case.split('.').next().unwrap() {
            "roles" => return self.roles_fact(case).await,
            "token" => return self.token_fact(case).await,
            "pages" => return self.pages_fact(case).await,
            _ => {}
        }
        match case {
            "create.same.name.differs" => {
                let (first, second) =
                    (self.answers["create"].json(), self.answers["create.same.name"].json());
                json!(
                    ["serviceAccountId", "clientId", "secret"]
                        .iter()
                        .all(|key| first[0][key] != second[0][key])
                )
            }
            "update.clientId.same" => json!(self.credential("create").0 == self.credential("update").0),
            "update.secret.same" => json!(self.credential("create").1 == self.credential("update").1),
            "reset.old.secret" => {
                let (id, secret) = self.credential("create");
                self.login_fact(&id, &secret).await
            }
            "reset.new.secret" => {
                let (id, secret) = self.credential("reset");
                json!(world.login(&id, &secret).await.status)
            }
            "wallet.after.delete" => {
                let body = world.details(self.answers["wallet.create"].id()).await.json();
                json!([body["status"], body["roles"]])
            }
            "operator.list.ok" => {
                let token = self.operator().await;
                let call = format!("GET {USERS}?page=0&size=15");
                json!(self.world.call_with(Some(&token), &call, None).await.status)
            }
            "delete.credential" => {
                let (id, secret) = self.credential("other.mine");
                self.login_fact(&id, &secret).await
            }
            "delete.hidden" => {
                let deleted = self.answers["other.mine"].id();
                json!(!ids(&all_pages(world).await).contains(&deleted))
            }
            _ => panic!("unknown fact {case}"),
        }
    }

    async fn roles_fact(&self, case: &str) -> Value {
        let roles = self.world.call("admin", "GET /serviceaccount/user/roles", None).await.json();
        let roles = roles.as_array().unwrap();
        let named = |name: &str| roles.iter().find(|role| role["roleName"] == name);
        match case {
            "roles.fields" => json!(roles[0].as_object().unwrap().keys().collect::<BTreeSet<_>>()),
            "roles.types" => {
                let kind = |role: &Value| role["roleType"].as_str().unwrap_or("-").to_owned();
                json!(roles.iter().map(kind).collect::<BTreeSet<_>>())
            }
            "roles.ids" => {
                let third = named(CONNECTOR_MANAGEMENT).or_else(|| named(OFFER_MANAGEMENT));
                let [first, second, fourth] =
                    [DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT].map(named);
                json!([first, second, third, fourth].map(|role| &role.unwrap()["roleId"]))
            }
            "roles.wallet" => named(IDENTITY_WALLET_MANAGEMENT).unwrap()["roleType"].clone(),
            _ => panic!("unknown fact {case}"),
        }
    }

    async fn token_fact(&self, case: &str) -> Value {
        let (id, secret) = self.credential("create");
        let body = self.world.login(&id, &secret).await.json();
        match case {
            "token.fields" => json!(body.as_object().unwrap().keys().collect::<BTreeSet<_>>()),
            "token.lifetime" => json!((299..=300).contains(&body["expires_in"].as_u64().unwrap())),
            "token.refresh_expires_in" => body["refresh_expires_in"].clone(),
            "token.wrong.secret" => self.login_fact(&id, "wrong").await,
            "token.unknown.client" => self.login_fact("sa999999", "wrong").await,
            _ => panic!("unknown fact {case}"),
        }
    }

    async fn pages_fact(&self, case: &str) -> Value {
        for number in 0..10 {
            self.world.create(&format!("page-{number}"), &[DISCOVERY]).await;
        }
        let pages = all_pages(&self.world).await;
        let entries: Vec<&Value> =
            pages.iter().flat_map(|page| page["content"].as_array().unwrap()).collect();
        match case {
            "pages.meta" => {
                let (first, second) = (&pages[0]["meta"], &pages[1]["meta"]);
                let total = usize::try_from(first["totalElements"].as_u64().unwrap()).unwrap();
                json!([
                    first["contentSize"],
                    first["totalPages"] == json!(total.div_ceil(15)),
                    second["page"],
                    entries.len() == total
                ])
            }
            "pages.sorted" => {
                let names: Vec<&str> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
                json!(names.is_sorted_by_key(|name| name.to_lowercase()))
            }
            "pages.distinct" => json!(ids(&pages).len() == entries.len()),
            "pages.entry.fields" => json!(entries[0].as_object().unwrap().keys().collect::<BTreeSet<_>>()),
            _ => panic!("unknown fact {case}"),
        }
    }
}

async fn all_pages(world: &World) -> Vec<Value> {
    let mut pages = Vec::new();
    loop {
        let page = world.list(&format!("page={}&size=15", pages.len())).await.json();
        let last = page["meta"]["totalPages"].as_u64().unwrap() <= pages.len() as u64 + 1;
        pages.push(page);
        if last {
            return pages;
        }
    }
}

fn ids(pages: &[Value]) -> BTreeSet<String> {
    let entries = pages.iter().flat_map(|page| page["content"].as_array().unwrap());
    entries.map(|entry| entry["serviceAccountId"].as_str().unwrap().to_owned()).collect()
}

/// The role that the recorded operator user has is in no version before 2.5 (portal contract, section 7).
#[tokio::test]
async fn connector_management_comes_with_2_5() {
    for (version, status) in [(Version::V2_4, 400), (Version::V2_5, 200)] {
        let world = World::new(version).await;
        assert_eq!(world.create("operator-2", &[CONNECTORS]).await.status, status, "{version}");
    }
}
