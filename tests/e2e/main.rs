//! The operator against real parts: a real apiserver with RBAC on, the real chart, the simulated portal.
//!
//! Each test has its own namespace, its own simulator and its own operator process, which runs with a token of the
//! ServiceAccount that the chart made: a missing permission fails a test.

mod answers_lost;
mod apiserver_faults;
mod crash_points;
mod deletion_crashes;
mod duplicates;
mod first_user;
mod leaders;
mod paused;
mod restores;
mod stops;
mod support;
mod two_operators;
