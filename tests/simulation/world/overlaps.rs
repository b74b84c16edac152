//! People who end overlaps: what was replaced is then deleted at once.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::World;
use super::objects::{path_of_user, send_as};
use super::swarm::Trouble;

/// The annotation that ends overlaps.
pub const END_OVERLAP: &str = "technicaluser.dev/end-overlap";
/// Within this time what people name in it is deleted, while nothing fails.
const ENDED_WITHIN: Duration = Duration::from_mins(3);

impl World {
    /// People end overlaps, by chance: of what is kept, or of what nothing has replaced yet.
    pub async fn end_overlaps(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::ChangedSpecs)
            && !troubles.iter().any(|kind| Trouble::OF_ROTATIONS.contains(kind))
        {
            return;
        }
        for user in self.users() {
            let mut names = kept(&user);
            let is_kept = !names.is_empty();
            if !is_kept {
                names = self.one_of(&[in_use(&user), Vec::new(), Vec::new(), Vec::new()]);
            }
            if names.is_empty() || (is_kept && self.below(3) != 0) || !self.may_change() {
                continue;
            }
            self.random.shuffle(&mut names);
            names.truncate(1 + usize::try_from(self.below(2)).unwrap_or_default());
            self.end_overlap_of(user["metadata"]["name"].as_str().unwrap_or_default(), &names).await;
        }
    }

    /// A person ends the overlap of what has these names.
    async fn end_overlap_of(&self, name: &str, names: &[String]) {
        let names = names.join(self.one_of(&[",", ", "]));
        self.record.add(format!("a person ends the overlap of {names} of {name}"));
        let patch = json!({ "metadata": { "annotations": { END_OVERLAP: names } } });
        // The resource may be deleted meanwhile.
        let _answer = send_as(&self.apiserver.admin(), "PATCH", &path_of_user(name), &patch).await;
    }

    /// What is kept of a resource is deleted soon after a person has named it, while nothing fails.
    pub(super) async fn ends_its_overlaps(&self, name: &str) {
        let object = self.user(name).unwrap_or_default();
        let names = kept(&object);
        if names.is_empty() {
            return;
        }
        self.end_overlap_of(name, &names).await;
        let has_ended = |world: &Self| {
            let still = world.user(name).map(|object| kept(&object)).unwrap_or_default();
            !still.iter().any(|kept| names.contains(kept))
        };
        self.until(&format!("{names:?} of {name} are deleted"), ENDED_WITHIN, has_ended).await;
    }
}

/// What a resource keeps that was replaced: users by their ids, and outputs by their names.
fn kept(object: &Value) -> Vec<String> {
    let all = |field: &str| object["status"][field].as_array().cloned().unwrap_or_default();
    let outputs = all("outputs").into_iter().filter(|output| output["deleteAfter"].is_string());
    let texts = outputs.map(|output| output["name"].clone());
    let texts = texts.chain(all("retiring").into_iter().map(|user| user["id"].clone()));
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// What a resource uses: the names of its outputs and the id of its user.
fn in_use(object: &Value) -> Vec<String> {
    let outputs = object["status"]["outputs"].as_array().into_iter().flatten();
    let texts = outputs.map(|output| &output["name"]).chain([&object["status"]["user"]["id"]]);
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
