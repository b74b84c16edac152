//! Rotation: what the spec asks for, and what a status says of the users that were replaced and of the requests.

use kube::KubeSchema;
use kube::core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{Bounded, NAME, OBJECT, WORD, optional, text, without_defaults};

/// When the credential is replaced, how, and how long what is replaced is kept.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.windows) || has(self.interval)")
        .message("rotation.windows has no effect without rotation.interval: a rotation on request does not wait for a window"),
    validation = Rule::new("!has(self.interval) || !has(self.overlap) || duration(self.overlap) < duration(self.interval)")
        .message("rotation.overlap has to be shorter than rotation.interval")
)]
pub struct Rotation {
    /// How old a credential becomes before the operator replaces it. A duration such as 720h, from 1h to 26280h. Default: none;
    /// the operator replaces the credential only on request, by the annotations technicaluser.dev/rotate and
    /// technicaluser.dev/compromised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1h') && duration(self) <= duration('26280h')").message("rotation.interval is from 1h to 26280h"))]
    pub interval: Option<Duration>,

    /// How the operator replaces a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RotationStrategy>,

    /// How long the operator keeps a user after its successor was published, and an output that is removed from `outputs`, so that
    /// programs that still use it can be changed. It begins when the credential is in all outputs of the spec; `status.retiring` and
    /// `status.outputs` then have the time of the deletion. A duration such as 24h, at most 8760h. Default: 0s, which means that
    /// they are deleted at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('0s') && duration(self) <= duration('8760h')").message("rotation.overlap is from 0s to 8760h"))]
    pub overlap: Option<Duration>,

    /// When a rotation by `interval` may begin: a credential that is older than `interval` is replaced in the next of these windows,
    /// and one that was begun is completed after the window too. `status.credential.rotateAt` is in that window. Rotations on request
    /// and changes of the roles do not wait for a window. Default: at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub windows: Option<Vec<RotationWindow>>,
}

/// A window in which a rotation may begin.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.duration)").message("a window of rotation.windows needs a duration"))]
pub struct RotationWindow {
    /// When the window opens, as a cron expression: minute, hour, day of the month, month (1-12 or JAN-DEC), and day of the week (0-7
    /// or SUN-SAT), such as 0 2 * * SAT. If both days are given and neither begins with *, one of them is enough.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new(r"self.matches('^([*]|[0-5]?[0-9](-[0-5]?[0-9])?)(/[1-5]?[0-9])?(,([*]|[0-5]?[0-9](-[0-5]?[0-9])?)(/[1-5]?[0-9])?)* ([*]|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[12]?[0-9])?(,([*]|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[12]?[0-9])?)* ([*]|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[12]?[0-9])?(,([*]|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[12]?[0-9])?)* ([*]|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/1?[0-9])?(,([*]|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/1?[0-9])?)* ([*]|([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(-([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT))?)(/[1-7])?(,([*]|([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(-([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT))?)(/[1-7])?)*$')").message("cron has five fields with one space between: minute, hour, day of the month, month and day of the week, such as 0 2 * * SAT"))]
    pub cron: String,

    /// How long the window is open. A duration such as 4h, from 15m to 168h.
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('15m') && duration(self) <= duration('168h')").message("duration of a window is from 15m to 168h"))]
    pub duration: Option<Duration>,

    /// The time zone of `cron`, by its name in the IANA Time Zone Database, such as Europe/Berlin. A time that a day lacks, because
    /// clocks are put forward, opens no window on that day; one that a day has twice opens it twice. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 64),
        regex(pattern = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$")
    )]
    pub time_zone: Option<String>,
}

/// How the operator replaces a credential. Replace: it creates another user, publishes its credential, and deletes the former user
/// after the overlap, so both credentials are valid meanwhile. InPlace: it resets the secret of the user, so the former secret is
/// invalid before programs have read the next one; only internal users can be reset. Auto: Replace if the Portal's login may delete
/// users, no connector in the portal has the client ID, and each output has room for both credentials; else InPlace for internal
/// users. Default: Auto.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStrategy {
    /// Replace if that is possible without a trace, else `InPlace`.
    Auto,
    /// The operator resets the secret of the user.
    InPlace,
    /// The operator creates another user.
    Replace,
}

/// A user that a successor has replaced.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["id"]), transform = without_defaults)]
pub struct RecordedRetiring {
    /// The id of the user in the portal (a UUID).
    #[schemars(length(max = WORD))]
    pub id: String,
    /// The number of the user among those that the operator created for this resource, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The OAuth client ID, such as sa42.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = NAME))]
    pub client_id: Option<String>,
    /// The name of the user in the portal.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = NAME))]
    pub name: String,
    /// The proof that the user belongs to this resource, as in `status.user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub proof: Option<String>,
    /// When the operator deletes the user, at the earliest: former outputs that hold its credential are removed first, and due
    /// restarts come first. Absent until the credential of the successor is in all outputs. The annotation
    /// `technicaluser.dev/end-overlap` with the id of the user deletes it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub delete_after: Option<String>,
    /// The annotation `technicaluser.dev/compromised` asked for the successor: the user is deleted once the credential of that is in
    /// all outputs, whatever else still has its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compromised: bool,
    /// `create.roles` does not name a role any more that the user has: it is deleted without `rotation.overlap`, once the credential
    /// of its successor is in all outputs and due restarts are done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_overlap: bool,
}

/// Requests that the operator carried out.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Handled {
    /// The last value of the annotation `technicaluser.dev/rotate` that the operator carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub rotate: Option<String>,
    /// The last value of the annotation `technicaluser.dev/compromised` that the operator carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub compromised: Option<String>,
}

impl Bounded for RecordedRetiring {
    fn bound(&mut self) {
        text(&mut self.id, WORD);
        optional(&mut self.client_id, NAME);
        text(&mut self.name, NAME);
        optional(&mut self.proof, WORD);
        optional(&mut self.delete_after, WORD);
    }
}

impl Bounded for Handled {
    fn bound(&mut self) {
        optional(&mut self.rotate, OBJECT);
        optional(&mut self.compromised, OBJECT);
    }
}
