//! What every test stands on.

mod builder;
mod clock;
pub mod installation;
pub mod leaks;
mod logins;
mod manifests;
mod marks;
mod names;
mod objects;
mod outcome;
mod portal_side;
mod probes;
mod rights;
mod site;
mod states;
mod sweeps;
pub mod vault;
mod waits;
mod world;

pub use builder::{WorldBuilder, world};
pub use clock::{MovedClock, library};
pub use logins::{
    ALL_PERMISSIONS, BPN_ONE, BPN_TWO, CONNECTOR_LOGIN, DEPUTY, FULL_LOGIN, LOGIN_OF_TWO, Login, PERSON,
    READ_LOGIN, USELESS_LOGIN, WITHOUT_DELETION, WRONG_SECRET, one_company,
};
pub use manifests::{PORTAL, create, create_from, existing, portal};
pub use names::{
    ACCEPT_LOSS, CREATING, END_OVERLAP, FINALIZER, IDENTITY_SECRET, PORTAL_MOVED, PREVENT_DELETION, RELEASE,
    ROTATE, SESSION_SECRET, TAKE_OVER,
};
pub use objects::{
    condition, message, part, portal_status, reason, recorded, secret_value, stored_status, user_status,
};
pub use outcome::{connected, one_user};
pub use site::Site;
pub use states::{State, States};
pub use waits::is_ready;
pub use world::{World, stop_operator_during};
