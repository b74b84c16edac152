//! Each profile with a few users. What is counted is checked, and no time: a busy machine changes no count.

use std::time::Duration;

use crate::figures::{Figures, summarized, table};
use crate::profiles::Profile;
use crate::settings::{Settings, built_with_the_tests};

fn settings() -> Settings {
    Settings {
        users: 12,
        delay: Duration::from_millis(1),
        workers: None,
        operator: built_with_the_tests(),
        resync: "10s",
        sweeps: 1,
        outage: Duration::ZERO,
        sudden: false,
        foreign: 8,
        wallet_delay: Duration::from_millis(200),
    }
}

/// What a profile counts at most.
fn at_most(profile: Profile) -> &'static [(&'static str, f64)] {
    match profile {
        Profile::Bulk => &[
            // The attempt with the finalizer, the Secret, the status.
            ("apiserver writes per user", 3.0),
            ("apiserver: POST secrets (dry run)", 1.0),
            // Once in five seconds for each namespace.
            ("apiserver: LIST resourcequotas", 0.5),
            // These, the dry run and what few users share: the Secret is not read.
            ("apiserver requests per user", 5.5),
            ("portal: Create", 1.0),
            ("portal: Details", 0.0),
            ("portal: Token", 1.0),
            ("users in the portal beyond one for each resource", 0.0),
        ],
        Profile::Limits | Profile::Real => &[
            ("apiserver writes per user", 3.0),
            ("portal: Create", 1.0),
            ("portal: Details", 0.0),
            ("portal: Token", 1.0),
            ("portal calls in flight, most", 4.0),
            ("token requests in flight, most", 5.0),
        ],
        Profile::Restart => &[
            ("apiserver: LIST technicalusers", 1.0),
            ("apiserver: LIST secrets", 1.0),
            ("apiserver: LIST portals", 1.0),
            ("apiserver: LIST vaults", 1.0),
            // The new user, which first reports that the Portal is not connected, and the number of users of the Portal.
            ("apiserver writes per restart", 5.0),
            ("objects of users that were ready, written", 0.0),
            ("portal calls for single users that were ready", 0.0),
            ("portal: Create", 1.0),
        ],
        Profile::Idle => &[
            ("apiserver writes per minute", 0.0),
            ("objects written", 0.0),
            ("users that were not ready for a time", 0.0),
            ("portal: Create", 0.0),
            ("portal: Details", 0.0),
            ("portal: Token", 0.0),
        ],
        Profile::Heal => {
            &[("portal: Details", 1.0), ("portal: Token", 1.0), ("users created by repairs", 0.0)]
        }
        Profile::Wallet => &[
            ("apiserver writes per user", 5.0),
            ("portal: Create", 1.0),
            ("portal: Details", 1.0),
            ("users in the portal beyond one for each resource", 0.0),
        ],
        Profile::Delete => {
            &[("apiserver writes per user", 3.0), ("portal: Delete", 1.0), ("users left in the portal", 0.0)]
        }
        Profile::Outage => &[
            ("users that were ready before and lost it", 0.0),
            ("users that became ready during the outage", 0.0),
            ("users in the portal beyond one for each resource", 0.0),
        ],
        Profile::Arrivals => &[],
        Profile::Polite => &[
            ("portal: Create", 1.0),
            ("portal: Token", 1.0),
            // The clocks of both sides may differ by one.
            ("requests to the portal within a second, most", 11.0),
        ],
        Profile::Vault => &[
            // The other writes are those of the Vault.
            ("apiserver writes per user", 4.0),
            ("portal: Create", 1.0),
            ("portal: Details", 0.0),
            ("portal: Token", 1.0),
            ("entries in the Vault", 12.0),
            ("users in the portal beyond one for each resource", 0.0),
        ],
        Profile::Rotate => &[
            ("portal: Create", 1.0),
            // The user and its credential are looked at before they are replaced; the credential of the successor is verified.
            ("portal: Details", 1.0),
            ("portal: Token", 2.0),
            ("users that were not ready for a time", 0.0),
            ("users in the portal beyond two for each resource", 0.0),
        ],
        Profile::Foreign => &[
            ("apiserver: LIST secrets", 1.0),
            ("apiserver writes per restart", 0.0),
            ("portal: Details", 0.0),
            ("portal: Token", 1.0),
        ],
    }
}

fn check(profile: Profile, figures: &Figures) {
    let all = table(profile.name(), &summarized(std::slice::from_ref(figures)));
    for (name, most) in at_most(profile) {
        assert!(figures.value(name) <= *most, "{name}: more than {most}\n{all}");
        // A name that nothing is counted by any more would be 0 for ever.
        assert!(figures.get(name).is_some() || *most == 0.0, "{name} is not measured\n{all}");
    }
}

/// The apiserver counts the requests of all clients, so the profiles run one after the other, in one test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counts_of_each_profile_are_as_few_as_the_page_says() {
    for profile in Profile::ALL {
        check(profile, &profile.run(&settings()).await);
    }
}
