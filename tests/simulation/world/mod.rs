//! A world: the simulated surroundings of the operator, on one thread and with a clock of their own. A seed decides everything
//! in it.

mod backups;
mod existing;
mod holds;
mod judge;
mod limits;
mod log;
mod losses;
mod moments;
mod neighbours;
mod objects;
mod offers;
mod outputs;
mod overlaps;
mod people;
mod people_in_vault;
mod portal;
mod process;
mod rotations;
mod secrecy;
mod simulation;
mod specs;
mod swarm;
mod troubles;
mod unobserved;
mod vault;
mod windows;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::Mutex;
use portal_simulator::{
    Caller, Collation, Company, CompanyRole, Config, Simulator, UserView, Version, WalletDelay,
};
use serde_json::Value;
use technical_user_operator::api;
use technical_user_operator::metrics::Metrics;
use technical_user_operator::process::{Random, SetClock};
use testbed::VaultBackup;
use uuid::Uuid;

use limits::{Limits, Spent};
use log::Log;
use moments::Moments;
use neighbours::Neighbours;
pub use people_in_vault::SHARED;
pub use process::Process;
pub use simulation::simulate;
pub use swarm::Trouble;
use vault::VaultServer;

use crate::apiserver::{Apiserver, Backup, Kinds};
use crate::record::Record;

/// The namespace of the operator and of all resources.
pub const NAMESPACE: &str = "dataspace";
/// The company at the portal.
pub const COMPANY: &str = "One";
/// Its business partner number.
const BPN: &str = "BPNL000000000ONE";
/// The company that provides an offer of the marketplace.
const PROVIDER: &str = "Two";
/// The login of the operator.
const LOGIN: (&str, &str) = ("sa-op", "op-secret-7f3k2");
/// How long the wallet takes to create a user.
const WALLET_DELAY: Duration = Duration::from_mins(2);
const PERMISSIONS: [&str; 4] = [
    "view_tech_user_management",
    "add_tech_user_management",
    "delete_tech_user_management",
    "technical_roles_management",
];

/// Everything around the operator.
pub struct World {
    /// The test that runs.
    test: &'static str,
    pub seed: u64,
    limits: Limits,
    spent: Arc<Mutex<Spent>>,
    pub apiserver: Apiserver,
    pub portal: Arc<Simulator>,
    pub vault: VaultServer,
    pub clock: SetClock,
    /// The clocks of processes that differ from it.
    clocks: Mutex<Vec<SetClock>>,
    pub record: Record,
    pub log: Log,
    /// For the choices of a run.
    pub random: Random,
    pub neighbours: Neighbours,
    pub moments: Moments,
    processes: AtomicU64,
    busy_clients: AtomicU32,
    metrics: Mutex<String>,
    /// The secret ID of the operator's login, while there is a Vault resource.
    vault_login: Mutex<String>,
    /// What other clients have in the Vault, by the path of the entry.
    theirs: Mutex<BTreeMap<String, Value>>,
    /// What was in the Vault at an earlier time, and what of it was of other clients.
    vault_backup: Mutex<Option<(VaultBackup, BTreeMap<String, Value>)>>,
    /// The last backup of the cluster.
    cluster_backup: Mutex<Option<Backup>>,
    /// The last backup of the portal.
    portal_backup: Mutex<Option<portal_simulator::Backup>>,
    /// The outputs to which the specs are corrected that cannot be served, by the names of their resources.
    mistakes: Mutex<BTreeMap<String, Value>>,
    /// The resources that are created again when they are gone, and whether their specs name outputs.
    wanted_again: Mutex<BTreeMap<String, bool>>,
    /// Entries that were deleted, and that a restore of the Vault brought back: nobody may know them any more.
    restored_entries: Mutex<BTreeSet<String>>,
    /// The workloads that resources restart, as people have written them.
    workloads: Mutex<Vec<Value>>,
    /// The users of an offer whose subscription the provider has not activated.
    inactive: Mutex<Vec<Uuid>>,
    /// The users that people created and did not delete, as they left them.
    made: Mutex<BTreeMap<Uuid, UserView>>,
}

impl World {
    async fn begin(
        (test, seed): (&'static str, u64),
        log: Log,
        limits: Limits,
        spent: Arc<Mutex<Spent>>,
    ) -> Self {
        let record = Record::begin();
        let clock = SetClock::at("2026-11-27T08:00:00Z".parse().unwrap());
        let apiserver = Apiserver::start(seed, clock.clock(), record.clone(), kinds());
        let portal = Arc::new(Simulator::in_memory(portal_of_one_company(seed)).unwrap());
        let vault = VaultServer::start(seed);
        let world = Self {
            test,
            seed,
            limits,
            spent,
            neighbours: Neighbours::of(&portal, seed),
            moments: Moments::begin(&apiserver, &portal, &vault, &record),
            apiserver,
            portal,
            vault,
            clock,
            clocks: Mutex::default(),
            record,
            log,
            random: Random::seeded(seed ^ 0x5eed),
            processes: AtomicU64::new(0),
            busy_clients: AtomicU32::new(0),
            metrics: Mutex::default(),
            vault_login: Mutex::default(),
            theirs: Mutex::default(),
            vault_backup: Mutex::default(),
            cluster_backup: Mutex::default(),
            portal_backup: Mutex::default(),
            mistakes: Mutex::default(),
            wanted_again: Mutex::default(),
            restored_entries: Mutex::default(),
            workloads: Mutex::default(),
            inactive: Mutex::default(),
            made: Mutex::default(),
        };
        world.apiserver.faults(|faults| faults.longest_way = Duration::from_millis(40));
        world.install().await;
        world
    }

    fn next_process(&self) -> u64 {
        self.processes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Keeps the metrics of a process that has ended, for the judge.
    fn keep_metrics(&self, metrics: &Metrics) {
        self.metrics.lock().push_str(&metrics.encode());
    }

    /// The metrics of all processes that have ended.
    pub fn metrics(&self) -> String {
        self.metrics.lock().clone()
    }

    /// Waits until a condition is met, for at most this simulated time.
    pub async fn until(&self, what: &str, within: Duration, condition: impl Fn(&Self) -> bool) {
        let met = async {
            while !condition(self) {
                self.check();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        if tokio::time::timeout(within, met).await.is_err() {
            self.fail(&format!("not within {within:?}: {what}"));
        }
    }

    /// Fails the run where a rule was broken.
    pub fn check(&self) {
        if let Some(broken) = self.moments.broken() {
            self.fail(&broken);
        }
    }

    /// Fails the run: prints the story, and the command that repeats it.
    pub fn fail(&self, why: &str) -> ! {
        let (seed, test, last) = (self.seed, self.test, self.record.last(shown_lines()));
        let troubles = self.record.lines().into_iter().find(|line| line.contains("the troubles of this run"));
        let troubles = troubles.unwrap_or_default();
        panic!(
            "seed {seed}: {why}\n{test}: {troubles}\nthe last lines of its record:{last}\nthe resources:\n{}\nour users at the portal:\n{}",
            self.resources(),
            self.list_of_our_users(),
        );
    }

    /// A time up to this one.
    pub fn part_of(&self, time: Duration) -> Duration {
        time.mul_f64(self.random.fraction())
    }

    /// A number below this one.
    pub fn below(&self, bound: u64) -> u64 {
        let mut numbers: Vec<u64> = (0..bound).collect();
        self.random.shuffle(&mut numbers);
        numbers.first().copied().unwrap_or_default()
    }
}

/// How many of the last lines of its record a run shows that fails: `LINES`, or 80.
fn shown_lines() -> usize {
    std::env::var("LINES").ok().and_then(|count| count.parse().ok()).unwrap_or(80)
}

fn portal_of_one_company(seed: u64) -> Config {
    let (client_id, secret) = LOGIN;
    let roles = [CompanyRole::ActiveParticipant, CompanyRole::ServiceProvider, CompanyRole::AppProvider];
    Config::new(Version::Main)
        .company(Company::new(COMPANY, BPN).roles(roles))
        .company(Company::new(PROVIDER, "BPNL000000000TWO").roles([CompanyRole::AppProvider]))
        .caller(Caller::with_permissions(client_id, secret, PERMISSIONS).of(COMPANY))
        .wallet_delay(WalletDelay::After(WALLET_DELAY))
        .collation(match seed % 3 {
            0 => Collation::Bytes,
            1 => Collation::Language,
            _ => Collation::LanguageWithoutPunctuation,
        })
}

/// What the apiserver serves, with our kinds.
fn kinds() -> Kinds {
    static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
        let definitions = api::definitions();
        let definitions: Vec<Value> =
            definitions.iter().map(|definition| serde_json::to_value(definition).unwrap()).collect();
        Kinds::with(&definitions)
    });
    KINDS.clone()
}
