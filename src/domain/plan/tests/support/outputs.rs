//! The outputs of an observation: their ids, their states, and those to remove.

use std::collections::BTreeMap;
use std::time::Duration;

use super::builders::id;
use crate::domain::blocker::Blocker;
use crate::domain::plan::{
    Contents, CredentialAt, NotRemoved, Observation, OutputId, OutputState, OutputView, ToRemove,
};
use crate::domain::reason::Reason;

/// The credential in the Secret.
pub(in crate::domain::plan::tests) fn in_the_secret() -> CredentialAt {
    CredentialAt::Output(the_secret())
}

/// The output of a resource whose spec names none.
pub(in crate::domain::plan::tests) fn the_secret() -> OutputId {
    OutputId { kind: "Secret".into(), name: "edc".into() }
}

/// An output of another kind, which has the same content as the Secret.
pub(in crate::domain::plan::tests) fn the_entry() -> OutputId {
    OutputId { kind: "Entry".into(), name: "edc".into() }
}

/// The kind of an output with a place for each user of the resource.
pub(in crate::domain::plan::tests) const A_PLACE_FOR_EACH: &str = "Places";

/// Why the state of an output is unknown.
pub(in crate::domain::plan::tests) fn down() -> Blocker {
    Blocker::passing(Reason::OutputNotWritable, "the store is down")
}

/// The digests of what the outputs would hold.
pub(in crate::domain::plan::tests) fn contents(digest: &str) -> Contents {
    [the_secret(), the_entry()].into_iter().map(|id| (id, Ok(digest.to_owned()))).collect()
}

pub(super) fn absent(id: OutputId) -> OutputView {
    OutputView {
        id,
        state: OutputState::Absent,
        in_status: false,
        recorded: None,
        writable: None,
        place_per_user: false,
        places: BTreeMap::new(),
        readable: true,
        outlives_resource: false,
        alias_is_fixed: false,
    }
}

impl Observation {
    /// The spec named another Secret before.
    pub(in crate::domain::plan::tests) fn with_former_output(self, name: &str) -> Self {
        let output = OutputId { kind: "Secret".into(), name: name.into() };
        self.with_retiring(ToRemove { output, ..ToRemove::default() })
    }

    /// A Secret was found that the operator wrote for the resource and that neither spec nor status names.
    pub(in crate::domain::plan::tests) fn with_unnamed_output(self, name: &str) -> Self {
        let output = OutputId { kind: "Secret".into(), name: name.into() };
        self.with_retiring(ToRemove { output, unnamed: true, written: true, ..ToRemove::default() })
    }

    /// An entry is to be removed; `Some`: its store is down, and this process has tried for the given time.
    pub(in crate::domain::plan::tests) fn with_removal(
        self,
        name: &str,
        tried_for: Option<Duration>,
    ) -> Self {
        let output = OutputId { kind: "Entry".into(), name: name.into() };
        let failed = tried_for.map(|tried_for| NotRemoved { blocker: down(), tried_for });
        self.with_retiring(ToRemove { output, outlives_resource: true, failed, ..ToRemove::default() })
    }

    /// The spec named another Secret before, which is kept for this time.
    pub(in crate::domain::plan::tests) fn with_output_kept_for(self, name: &str, kept_for: Duration) -> Self {
        let output = OutputId { kind: "Secret".into(), name: name.into() };
        self.with_retiring(ToRemove { output, kept_for, ..ToRemove::default() })
    }

    fn with_retiring(self, former: ToRemove) -> Self {
        self.but(|o| o.to_remove.push(former))
    }

    /// The status names all outputs.
    pub(in crate::domain::plan::tests) fn in_status(self) -> Self {
        self.but(|o| o.outputs.iter_mut().for_each(|output| output.in_status = true))
    }

    /// Kubernetes does not remove its outputs.
    pub(in crate::domain::plan::tests) fn outliving(self) -> Self {
        self.but(|o| o.outputs.iter_mut().for_each(|output| output.outlives_resource = true))
    }

    pub(in crate::domain::plan::tests) fn writable(self) -> Self {
        self.but(|o| o.outputs.iter_mut().for_each(|output| output.writable = Some(Ok(()))))
    }

    pub(in crate::domain::plan::tests) fn unwritable(self) -> Self {
        let blocker = Blocker::lasting(Reason::OutputNotWritable, "quota");
        self.but(|o| o.outputs.iter_mut().for_each(|output| output.writable = Some(Err(blocker.clone()))))
    }

    pub(in crate::domain::plan::tests) fn with_secret(self, state: OutputState) -> Self {
        self.with_output(&the_secret(), state)
    }

    pub(in crate::domain::plan::tests) fn without_secret(self) -> Self {
        self.with_secret(OutputState::Absent)
    }

    /// The output is in this state; it is one that the spec names from now on.
    pub(in crate::domain::plan::tests) fn with_output(self, id: &OutputId, state: OutputState) -> Self {
        self.but(|o| {
            if o.output(id).is_none() {
                o.outputs.push(absent(id.clone()));
            }
            if let Some(output) = o.output_mut(id) {
                output.state = state;
            }
        })
    }

    /// The status records this content of each output.
    pub(in crate::domain::plan::tests) fn recorded_content(self, digest: &str) -> Self {
        self.in_status()
            .but(|o| o.outputs.iter_mut().for_each(|output| output.recorded = Some(digest.to_owned())))
    }

    /// Ours, of this user, with this digest of its content.
    pub(in crate::domain::plan::tests) fn with_secret_of(self, user: &str, digest: &str) -> Self {
        let secret =
            OutputState::Ours { user: Some(id(user)), digest: Some(digest.into()), metadata_as_wanted: true };
        self.with_secret(secret)
    }

    /// Written by the operator for this user, and changed by another client since.
    pub(in crate::domain::plan::tests) fn with_touched_secret_of(self, user: &str) -> Self {
        let secret = OutputState::Ours { user: Some(id(user)), digest: None, metadata_as_wanted: true };
        self.with_secret(secret)
    }

    pub(in crate::domain::plan::tests) fn with_foreign_secret(self) -> Self {
        self.with_secret(OutputState::Foreign("Helm".into()))
    }
}
