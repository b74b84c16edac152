//! Readings of the portal's whole user list.

use portal_simulator::Endpoint;
use serde_json::json;

use super::names::TAKE_OVER;
use super::site::Site;

impl Site {
    /// Has the whole user list read twice and waits for it: everything that was due has had two occasions.
    pub async fn two_sweeps(&self) {
        for _ in 0..2 {
            self.sweep().await;
        }
    }

    /// Has the whole user list read, by an annotation without another effect, and waits for it.
    pub async fn sweep(&self) {
        // The first reading may have begun before the annotation was written.
        for _ in 0..2 {
            let before = self.simulator.count(Endpoint::List);
            let portal = self.portal().await.expect("the Portal is there");
            let hints = portal.metadata.annotations.unwrap_or_default();
            let hints = hints.get(TAKE_OVER).cloned().unwrap_or_default();
            let more = format!("{hints} {}", hints.split(' ').count());
            self.patch_portal(&json!({"metadata": {"annotations": {TAKE_OVER: more}}})).await;
            self.lists_answered(before + 1).await;
        }
    }

    /// Has the Portal reconciled, without waiting for it.
    pub async fn sweep_soon(&self) {
        let value = self.simulator.calls().len().to_string();
        self.patch_portal(&json!({"metadata": {"annotations": {TAKE_OVER: value}}})).await;
    }

    /// Waits until this many pages of the user list were answered.
    pub async fn lists_answered(&self, pages: usize) {
        self.simulator.wait_for(|view| view.answered(Endpoint::List) >= pages).await;
    }

    /// Waits for this many more pages of the user list, which the operator reads periodically.
    pub async fn more_lists_answered(&self, pages: usize) {
        self.lists_answered(self.simulator.count(Endpoint::List) + pages).await;
    }
}
