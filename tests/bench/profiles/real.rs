//! The delays of the real portal, and a Portal with everything by default.

use std::time::Instant;

use portal_simulator::Simulator;
use reqwest::Client;
use serde_json::{Value, json};

use crate::figures::{Figures, float};
use crate::place::{Conditions, Place};
use crate::profiles::{ROLE, bulk, usual};
use crate::settings::Settings;
use crate::support::FULL_LOGIN;

/// The number of calls that a Portal permits at the same time by default, and of verifications.
const IN_FLIGHT: usize = 4;

pub async fn run(settings: &Settings) -> Figures {
    let conditions = Conditions { real_delays: true, ..Conditions::DEFAULT };
    let place = Place::start(settings, conditions).await;
    let users = settings.fewer_users();
    let (mut figures, _watch) = bulk::create_users(&place, users, &usual()).await;
    let rate = figures.value(bulk::RATE);
    // The operator is at rest now, and the portal is the same.
    let most = ceiling(&place.simulator, place.http(), users).await;
    figures.add("most that the portal does: create and token, 4 calls in flight", "users/s", most);
    figures.add("share of what the portal does", "%", rate / most * 100.0);
    figures
}

/// Creates users and requests a token for each, without anything else. Returns the users per second.
async fn ceiling(simulator: &Simulator, http: Client, users: usize) -> f64 {
    use futures::StreamExt as _;
    let portal = Bare { simulator, http };
    let login = portal.token(FULL_LOGIN.client_id, FULL_LOGIN.secret).await;
    let role = portal.role(&login).await;
    let began = Instant::now();
    let requests = (0..users).map(|number| portal.user(&login, &role, number));
    futures::stream::iter(requests).buffer_unordered(IN_FLIGHT).collect::<()>().await;
    float(users) / began.elapsed().as_secs_f64()
}

/// A client without limits, retries and checks.
struct Bare<'a> {
    simulator: &'a Simulator,
    http: Client,
}

impl Bare<'_> {
    async fn token(&self, client_id: &str, secret: &str) -> String {
        let form =
            [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
        let answer = self.http.post(self.simulator.token_url()).form(&form).send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// The id of the role of the users.
    async fn role(&self, login: &str) -> Value {
        let address = format!("{}/serviceaccount/user/roles", self.simulator.api_url());
        let answer = self.http.get(address).bearer_auth(login).send().await.unwrap();
        let roles: Vec<Value> = answer.error_for_status().unwrap().json().await.unwrap();
        roles.iter().find(|role| role["roleName"] == ROLE).unwrap()["roleId"].clone()
    }

    async fn user(&self, login: &str, role: &Value, number: usize) {
        let address = format!("{}/serviceaccount/owncompany/serviceaccounts", self.simulator.api_url());
        let body = json!({
            "name": format!("bare-{number}"), "description": "a user without a resource",
            "authenticationType": "SECRET", "roleIds": [role],
        });
        let answer = self.http.post(address).bearer_auth(login).json(&body).send().await.unwrap();
        let users: Vec<Value> = answer.error_for_status().unwrap().json().await.unwrap();
        let text = |key: &str| users[0][key].as_str().unwrap().to_owned();
        self.token(&text("clientId"), &text("secret")).await;
    }
}
