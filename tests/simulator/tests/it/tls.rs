//! Certificates of authorities created at the start.

use portal_simulator::{Part, Tls, Version};

use crate::world::{World, config};

fn client(pem: &str) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only(authority).build().unwrap()
}

#[tokio::test]
async fn one_authority() {
    let mut world = World::with(config(Version::Main).tls(Tls::OneAuthority)).await;
    assert!(world.sim.api_url().starts_with("https://") && world.sim.token_url().starts_with("https://"));
    world.login_refused().await;
    world.http = client(&world.sim.ca_pem());
    let user = world.wallet_user("w").await;
    let url = world.details(user.id).await.json()["authenticationServiceUrl"].as_str().unwrap().to_owned();
    assert_eq!(url, world.sim.wallet_url());
    assert_eq!(world.http.post(format!("{url}/oauth/token")).send().await.unwrap().status(), 400);
}

/// A client may trust one host and refuse another.
#[tokio::test]
async fn an_authority_per_host() {
    let world = World::with(config(Version::Main).tls(Tls::AuthorityPerHost)).await;
    let errors = format!("{}/errormessage", world.sim.api_url());
    let portal = client(world.sim.ca_pem_of(Part::Portal).unwrap());
    assert_eq!(portal.get(&errors).send().await.unwrap().status(), 200);
    assert!(portal.post(world.sim.token_url()).send().await.unwrap_err().is_connect());
    let all = client(&world.sim.ca_pem());
    assert_eq!(all.post(world.sim.token_url()).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn another_address_of_the_machine_is_served_with_a_certificate_that_names_it() {
    let config = config(Version::Main).tls(Tls::OneAuthority).listen_on([127, 0, 0, 2]);
    let mut world = World::with(config).await;
    assert!(world.sim.portal_url().starts_with("https://127.0.0.2:"), "{}", world.sim.portal_url());
    world.http = client(&world.sim.ca_pem());
    let errors = format!("{}/errormessage", world.sim.api_url());
    assert_eq!(world.http.get(errors).send().await.unwrap().status(), 200);
}

impl World {
    /// The system's authorities do not do.
    async fn login_refused(&self) {
        assert!(self.http.post(self.sim.token_url()).send().await.unwrap_err().is_connect());
    }
}
