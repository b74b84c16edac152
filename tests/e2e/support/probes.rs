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

    /// Waits until the readiness probe of the operator that was started last answers this, and tells its words.
    pub async fn readyz(&self, code: u16, words: &str) -> String {
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            let answer = self.ask("/readyz").await;
            match &answer {
                Some((found, text)) if *found == code && text.contains(words) => return text.clone(),
                _ => self.fail_late(limit, &format!("/readyz says {code} and {words:?}"), &answer),
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

/// Where an operator serves probes and metrics, by its log.
pub fn address(operator: &Process) -> Option<String> {
    let line = operator.lines().into_iter().find(|line| line.contains("serving probes and metrics"))?;
    let (_, address) = line.split_once("address=")?;
    Some(address.split_whitespace().next()?.to_owned())
}
