//! Whatever others create and delete while the list is read: a name that is there all the time is never taken for
//! absent, and an id that is there never for gone.
//!
//! One thing is left out, as no list in pages can show it: another client creates a user with the very name of one that was
//! deleted, so that in both readings the name of a deleted user stands at the same rank between the same two pages.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::portal::PlayedPortal;
use super::*;
use crate::domain::user::ListedUser;

/// What another client does before a page is answered.
#[derive(Debug, Clone)]
enum Act {
    Nothing,
    /// Creates a user of this name, unless one of that name was deleted before.
    Create(u8),
    /// Deletes one of the others.
    Delete(usize),
    /// Both at one moment, so that the total stays the same.
    Both(u8, usize),
}

fn an_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Nothing),
        1 => any::<u8>().prop_map(Act::Create),
        1 => any::<usize>().prop_map(Act::Delete),
        3 => (any::<u8>(), any::<usize>()).prop_map(|(name, which)| Act::Both(name, which)),
    ]
}

/// Some names sort before ours, some behind it, some are equal to it.
fn foreign(number: usize, name: u8) -> ListedUser {
    let ours = super::owner("edc").user_name(1, None);
    let name = match name % 16 {
        15 => ours,
        n if n % 2 == 0 => format!("a-{}", name % 64),
        _ => format!("z-{}", name % 64),
    };
    user(&format!("f{number}"), &name)
}

struct Others {
    acts: Vec<Act>,
    created: usize,
    deleted: BTreeSet<String>,
}

impl Others {
    fn act(&mut self, page: usize, users: &mut Vec<ListedUser>) {
        match self.acts.get(page).cloned().unwrap_or(Act::Nothing) {
            Act::Nothing => {}
            Act::Create(name) => self.create(name, users),
            Act::Delete(which) => self.delete(which, users),
            Act::Both(name, which) => {
                self.delete(which, users);
                self.create(name, users);
            }
        }
    }

    fn create(&mut self, name: u8, users: &mut Vec<ListedUser>) {
        self.created += 1;
        let mut new = foreign(1000 + self.created, name);
        if self.deleted.contains(&new.name) {
            new.name = format!("{}-{}", new.name, self.created);
        }
        users.push(new);
    }

    fn delete(&mut self, which: usize, users: &mut Vec<ListedUser>) {
        let others: Vec<usize> =
            (0..users.len()).filter(|at| users[*at].id.as_str().starts_with('f')).collect();
        if let Some(at) = others.get(which % others.len().max(1)) {
            self.deleted.insert(users.remove(*at).name);
        }
    }
}

async fn holds(count: usize, names: Vec<u8>, acts: Vec<Act>, by_name: bool) -> Result<(), TestCaseError> {
    let mut portal = PlayedPortal::with(0).and(ours("u", "edc"));
    for (number, name) in names.into_iter().enumerate().take(count) {
        portal = portal.and(foreign(number, name));
    }
    let mut others = Others { acts, created: 0, deleted: BTreeSet::new() };
    let scene = Scene::new(portal.people(move |page, users| {
        others.act(page, users);
        Ok(())
    }));
    for round in 0..4 {
        let need = Need::Proof((round > 1).then(Instant::now));
        if round % 2 == 1 {
            scene.sweep().await;
        }
        match need {
            Need::Proof(after) if by_name => scene.until_looked_for("edc", after).await,
            need => scene.until_met("edc", need).await,
        }
        let candidates = scene.candidates("edc");
        prop_assert!(!candidates.is_empty(), "round {round}: the name is taken for absent");
        let gone = scene.inventory.with(|list| list.is_complete() && !list.knows(&id("u"))).unwrap();
        prop_assert!(!gone, "round {round}: the user is taken for gone: {candidates:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn who_is_there_is_never_taken_for_absent(
        count in 0..150_usize, names in vec(any::<u8>(), 150), acts in vec(an_act(), 0..60), by_name: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(holds(count, names, acts, by_name))?;
    }
}
