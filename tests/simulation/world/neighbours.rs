//! Other users of the company, and the people who create and delete them while the operator reads the list.

use std::sync::Arc;

use parking_lot::Mutex;
use portal_simulator::{Simulator, Status, UserSeed};
use technical_user_operator::process::Random;

use super::COMPANY;

/// The portal shows 15 users on a page.
const PAGE: u64 = 15;

/// Whether a user has the name of one that they create.
pub fn is_one(name: &str) -> bool {
    name.strip_prefix(['a', 'u', 'z'])
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|number| number.len() == 6)
}

/// The people.
#[derive(Clone)]
pub struct Neighbours {
    portal: Arc<Simulator>,
    random: Random,
    /// The share of the pages of the list before which they change something.
    share: Arc<Mutex<f64>>,
}

impl Neighbours {
    /// People who change nothing yet.
    pub fn of(portal: &Arc<Simulator>, seed: u64) -> Self {
        Self { portal: Arc::clone(portal), random: Random::seeded(seed ^ 0x1157), share: Arc::default() }
    }

    /// Creates users, so that the list has some pages. Their names sort before and after those of the operator.
    pub fn settle(&self, pages: u64) {
        for number in 0..pages * PAGE {
            self.create(match number % 4 {
                0 => "z",
                1 => "u",
                _ => "a",
            });
        }
    }

    /// In some worlds, creates so many users that a name is searched for by a few pages of the list.
    pub fn settle_a_crowd(&self) {
        if self.random.fraction() < 0.25 {
            self.settle(if self.random.fraction() < 0.5 { 12 } else { 22 });
        }
    }

    /// Before this share of the pages of the list, they change something.
    pub fn are_busy(&self, share: f64) {
        *self.share.lock() = share;
    }

    /// A page of the list is about to be read.
    pub fn before_a_page(&self) {
        if self.random.fraction() >= *self.share.lock() {
            return;
        }
        // One that is deleted moves all users behind it. With another one behind them, the total is the same.
        self.delete("a");
        if self.random.fraction() < 0.7 {
            self.create("z");
        }
        if self.random.fraction() < 0.3 {
            self.create("a");
        }
    }

    fn create(&self, prefix: &str) {
        let name = format!("{prefix}-{:06}", (self.random.fraction() * 1e6).floor());
        let _user = self.portal.seed_user(UserSeed::new(COMPANY, &name));
    }

    fn delete(&self, prefix: &str) {
        let fits = |_, name: &str, status| name.starts_with(prefix) && status == Status::Active;
        let mut fitting = self.portal.view(|view| view.users_that(COMPANY, fits));
        self.random.shuffle(&mut fitting);
        if let Some(user) = fitting.first() {
            let _done = self.portal.delete_by_hand(user.id);
        }
    }
}
