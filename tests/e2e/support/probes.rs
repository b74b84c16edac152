//! What an operator's process serves.

use testbed::Process;

use super::world::World;

impl World {
    /// What an operator's address answers, `None` while it does not listen.
    pub async fn ask(&self, path: &str) -> Option<(u16, String)> {
        let url = format!("http://{}{path}", address(self.operator())?);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(url).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.unwrap()))
    }

    /// Waits until the readiness probe of the operator that was started last answers with this code and these words.
    /// Returns the whole answer.
    pub async fn readyz(&self, code: u16, words: &str) -> String {
        let what = format!("/readyz answers {code} with {words:?}");
        self.wait_for(&what, async || match self.ask("/readyz").await {
            Some((found, text)) if found == code && text.contains(words) => Ok(text),
            answer => Err(answer),
        })
        .await
    }
}

/// Where an operator serves probes and metrics, by its log.
pub fn address(operator: &Process) -> Option<String> {
    let line = operator.lines().into_iter().find(|line| line.contains("Serving probes and metrics"))?;
    let (_, address) = line.split_once("address=")?;
    Some(address.split_whitespace().next()?.to_owned())
}
