//! Users in the portal with a mark, as an earlier state of the cluster left them there.

use portal_simulator::{UserSeed, UserView};
use technical_user_operator::domain::identity::{Hint, Mark, Owner};

use super::names::IDENTITY_SECRET;
use super::secret_value;
use super::site::Site;

impl Site {
    /// The owner of the users of a resource.
    pub fn owner(&self, name: &str) -> Owner {
        Owner { instance: "e2e".into(), namespace: self.namespace.clone(), name: name.into() }
    }

    /// The mark of the first user of an owner, as this installation writes it.
    pub async fn mark_of(&self, owner: Owner) -> Mark {
        let identity = self.get_secret(IDENTITY_SECRET).await.expect("the installation has its identity");
        let hint = Hint::of_installation(&secret_value(&identity, "id"));
        Mark { owner, generation: 1, hint, retained: false, login: false }
    }

    /// Creates the user that a mark describes in the portal.
    pub fn seed_marked(&self, mark: &Mark) -> UserView {
        let seed = UserSeed::new("One", &mark.owner.user_name(mark.generation, None));
        self.simulator.seed_user(seed.description(&mark.describe(None))).unwrap()
    }
}
