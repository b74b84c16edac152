//! What has an effect of each part of a world. A new field has to be added here, or be left out by its name.

use std::mem::discriminant;

use super::super::super::super::support::users::Candidate;
use super::super::super::portal::{CREATE_TIMEOUT, Portal, Post, User, WALLET_TIME};
use super::super::super::process::{Known, Last, Process, Reconcile, SETTLE_TIME, Task};
use super::super::super::world::{Object, Secret, Status, World};
use super::Form;
use crate::domain::plan::{CredentialAt, Named, Verified};
use crate::domain::user::{UserId, UserStatus};

impl Form {
    pub(super) fn world(&mut self, world: &World) {
        let World {
            portal,
            object,
            announced,
            was_released,
            secret,
            retained,
            ever_retained,
            trouble,
            processes,
            restored_at,
            // The same in each state, counted by the fields above, seen by the caches, or a record without an effect.
            setup: _,
            now: _,
            counter: _,
            versions: _,
            secret_versions: _,
            wrong: _,
            story: _,
            silent: _,
        } = world;
        self.portal(portal, processes);
        self.some(object.as_ref(), Self::object);
        self.some(secret.as_ref(), Self::secret);
        self.ids(retained.iter());
        self.ids(ever_retained.iter());
        self.raw(trouble);
        self.raw(was_released);
        self.number(*restored_at);
        for process in processes {
            self.process(world, process);
            self.some(process.task.as_ref(), |form, task| form.raw(announced.contains(&task.attempt)));
        }
    }

    fn portal(&mut self, portal: &Portal, processes: &[Process]) {
        let Portal { users, posts, fate } = portal;
        self.all(users.iter(), Self::user);
        let awaited = |post: &&Post| {
            let tasks = processes.iter().filter_map(|process| process.task.as_ref());
            post.outcome.is_none() || tasks.into_iter().any(|task| task.attempt == post.attempt)
        };
        let awaited: Vec<&Post> = posts.iter().filter(awaited).collect();
        self.all(awaited.into_iter(), Self::post);
        self.raw(discriminant(fate));
    }

    fn post(&mut self, post: &Post) {
        let Post { attempt, generation, due, fate, outcome } = post;
        self.text(attempt);
        self.raw(generation);
        self.left(*due);
        self.raw(discriminant(fate));
        self.some(outcome.as_ref(), |form, outcome| form.some(outcome.as_ref().ok(), Self::id));
    }

    fn user(&mut self, user: &User) {
        let User { id, generation, mark, kind, status, since, version, client_missing, by_hand } = user;
        self.id(id);
        self.raw((generation, &mark.owner.name, mark.generation, mark.retained));
        self.raw((kind, status, version, client_missing, by_hand));
        if *status == UserStatus::Pending {
            self.ago(*since, WALLET_TIME);
        }
    }

    fn object(&mut self, object: &Object) {
        // No scope asks for a rotation: there is no reset, and the number of the credential has no effect.
        let Object {
            uid,
            rv,
            finalizer,
            creating,
            resetting: _,
            garbled,
            deleting,
            released,
            rotate,
            status,
        } = object;
        self.number(*uid);
        self.number(*rv);
        self.number(*rotate);
        self.raw((finalizer, deleting, released));
        self.some(*garbled, Self::number);
        self.some(creating.as_ref(), |form, attempt| {
            form.text(&attempt.id);
            form.raw(attempt.generation);
        });
        self.status(status);
    }

    fn status(&mut self, status: &Status) {
        let Status { user, proof, credential, number: _, published: _, retiring, written, rotated, portal } =
            status;
        self.all(retiring.iter(), |form, (id, generation, until)| {
            form.id(id);
            form.raw((generation, until.is_some()));
        });
        self.some(user.as_ref(), |form, (id, generation, active)| {
            form.id(id);
            form.raw((generation, active));
        });
        self.some(proof.as_ref(), |form, (id, generation)| {
            form.id(id);
            form.raw(generation);
        });
        self.raw((credential, portal));
        self.some(written.as_ref(), |form, (digest, (uid, rv))| {
            let (user, version) = digest.split_once(' ').unwrap_or((digest, ""));
            form.text(user);
            form.raw(version);
            form.number(*uid);
            form.number(*rv);
        });
        self.number(*rotated);
    }

    fn secret(&mut self, secret: &Secret) {
        let Secret { version: (uid, rv), user, content } = secret;
        self.number(*uid);
        self.number(*rv);
        self.id(user);
        self.some(content.as_ref(), Self::credential);
    }

    fn credential(&mut self, (id, version): &(UserId, u32)) {
        self.id(id);
        self.raw(version);
    }

    /// Its last report is left out: each calm round writes it again.
    fn process(&mut self, world: &World, process: &Process) {
        let Process {
            last,
            refused_until,
            snapshot,
            confirmed,
            cache,
            secret_cache,
            wants_live,
            task,
            reset: _,
            reconcile,
            verification_due,
            report: _,
        } = process;
        self.some(last.as_ref(), Self::last);
        self.some(*refused_until, Self::left);
        self.some(snapshot.as_ref(), |form, users| form.all(users.iter(), Self::user));
        self.all(confirmed.iter(), |form, (id, confirmed)| {
            form.id(id);
            form.raw(discriminant(confirmed));
        });
        self.object(&world.versions[*cache]);
        self.some(world.secret_versions[*secret_cache].as_ref(), Self::secret);
        self.raw((wants_live, verification_due));
        self.some(task.as_ref(), Self::task);
        self.some(reconcile.as_ref(), Self::reconcile);
    }

    fn last(&mut self, last: &Last) {
        let Last { id, known } = last;
        self.text(id);
        self.raw(discriminant(known));
        match known {
            Known::Created(id) => self.id(id),
            Known::Unknown { since } => self.ago(*since, SETTLE_TIME),
            Known::InFlight | Known::Refused => {}
        }
    }

    fn task(&mut self, task: &Task) {
        let Task { attempt, generation, patched, sent, unclear } = task;
        self.text(attempt);
        self.raw((generation, unclear));
        match sent {
            None => self.ago(*patched, CREATE_TIMEOUT),
            Some(sent) => self.ago(*sent, CREATE_TIMEOUT),
        }
        self.raw(sent.is_some());
    }

    /// The number of its steps is left out: a reconcile that does not end is found when it runs undisturbed.
    fn reconcile(&mut self, reconcile: &Reconcile) {
        let Reconcile {
            object,
            live,
            secret,
            secret_read,
            search,
            read,
            credential,
            proved,
            verifications,
            writable,
            named,
            done,
            confirmed,
            steps: _,
        } = reconcile;
        self.object(object);
        self.some(secret.as_ref(), Self::secret);
        self.raw((live, secret_read, writable, named));
        self.some(search.as_ref(), |form, found| form.all(found.iter(), Self::candidate));
        self.all(read.iter(), |form, (id, user)| {
            form.id(id);
            form.some(user.as_ref(), Self::user);
        });
        self.some(credential.as_ref(), Self::credential);
        self.some(proved.as_ref(), Self::credential);
        self.all(verifications.iter(), |form, (at, answer)| form.verification(at, answer));
        self.all(done.iter(), |form, (id, done)| {
            form.id(id);
            form.raw(discriminant(done));
        });
        self.all(confirmed.iter(), |form, (id, confirmed)| {
            form.id(id);
            form.raw(discriminant(confirmed));
        });
    }

    fn verification(&mut self, at: &CredentialAt, answer: &Verified) {
        match at {
            CredentialAt::Portal(id) => self.id(id),
            CredentialAt::Output(_) => self.raw("output"),
        }
        self.raw(discriminant(answer));
        self.raw(matches!(answer, Verified::Refused { unknown_client: true }));
    }

    fn candidate(&mut self, candidate: &Candidate) {
        let Candidate { id, named } = candidate;
        let Named { generation, status, kind, client_id: _, confirmed, listed_as_retained } = named;
        self.id(id);
        self.raw((generation, status, kind, discriminant(confirmed), listed_as_retained));
    }
}
