//! Kills the operator at each call of a run without a crash.

mod everywhere;
mod held;
mod recording;

use portal_simulator::Endpoint;

use crate::support::World;

pub use everywhere::crash_everywhere;
pub use held::Held;
pub use recording::Recording;

/// One call, as a recorded run shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The nth of its kind at the apiserver; the path without the namespace's name.
    Apiserver { method: String, path: String, dry_run: bool, nth: usize },
    /// The nth of its kind at the Vault; the path of an entry.
    Vault { method: String, path: String, nth: usize },
    /// The one at the portal (its identity provider, the wallet) that comes after this number of its kind.
    Portal { endpoint: Endpoint, skip: usize },
}

/// What has become of the call when the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// It is not carried out; at the portal it is carried out later.
    Before,
    /// The portal carries it out.
    Amid,
    /// It was carried out, and the operator does not know.
    After,
    /// It arrives, and is never carried out.
    InVain,
}

impl Call {
    /// Whether it changes something. Which reads there are depends on how fast the caches follow.
    pub fn is_write(&self) -> bool {
        match self {
            Self::Apiserver { method, path, .. } => method != "GET" && !path.contains("/events"),
            Self::Vault { method, .. } => method != "GET",
            Self::Portal { endpoint, .. } => *endpoint == Endpoint::Create,
        }
    }

    /// When the process can be killed at it.
    pub fn moments(&self) -> Vec<Killed> {
        match self {
            Self::Portal { endpoint: Endpoint::Create, .. } => {
                vec![Killed::Before, Killed::Amid, Killed::After, Killed::InVain]
            }
            _ => vec![Killed::Before, Killed::After],
        }
    }
}

/// Kills the operator at this call of what `act` begins, and starts the next one at once. What was begun ends all the same. Returns
/// the world, and whether the call was sent.
pub async fn crash_at(
    mut world: World,
    name: &str,
    (call, killed): (Call, Killed),
    act: impl AsyncFnOnce(&World),
    ended: impl AsyncFn(&World),
) -> (World, bool) {
    let held = call.hold(&world, killed);
    act(&world).await;
    let met = tokio::select! {
        () = held.reached() => true,
        () = ended(&world) => held.was_sent().await,
    };
    held.kill_and_restart(&mut world, name).await;
    ended(&world).await;
    (world, met)
}

/// The calls of the operator from `act` to its end.
pub async fn calls_of(
    world: &World,
    act: impl AsyncFnOnce(&World),
    ended: impl AsyncFn(&World),
) -> Vec<Call> {
    let recording = Recording::start(world);
    act(world).await;
    ended(world).await;
    recording.calls(world)
}
