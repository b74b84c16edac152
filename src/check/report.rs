//! What was found, and which exit code it means.

use serde_json::{Map, Value, json};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// Not tried, or not needed.
    Note,
    /// A permission, or what it would show, is missing.
    Missing,
    /// It was refused, or it failed.
    Failed,
    /// The portal or its identity provider is not reached.
    Unreached,
}

impl Verdict {
    /// The exit code of a check whose worst step this is.
    fn exit_code(self) -> u8 {
        match self {
            Self::Ok | Self::Note => 0,
            Self::Missing | Self::Failed => 1,
            Self::Unreached => 2,
        }
    }

    /// The first word of its line.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Missing => "MISS",
            Self::Failed | Self::Unreached => "FAIL",
        }
    }

    fn ok(self) -> Option<bool> {
        match self {
            Self::Ok => Some(true),
            Self::Note => None,
            Self::Missing | Self::Failed | Self::Unreached => Some(false),
        }
    }
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// A name that is the same in all releases.
    pub(crate) name: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) words: String,
    /// Further lines for people; the details hold the same for programs.
    pub(crate) lines: Vec<String>,
    pub(crate) details: Map<String, Value>,
}

impl Step {
    pub(crate) fn new(name: &'static str, verdict: Verdict, words: impl Into<String>) -> Self {
        Self { name, verdict, words: words.into(), lines: Vec::new(), details: Map::new() }
    }

    pub(crate) fn ok(name: &'static str, words: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, words)
    }

    pub(crate) fn note(name: &'static str, words: impl Into<String>) -> Self {
        Self::new(name, Verdict::Note, words)
    }

    pub(crate) fn missing(name: &'static str, words: impl Into<String>) -> Self {
        Self::new(name, Verdict::Missing, words)
    }

    pub(crate) fn failed(name: &'static str, words: impl Into<String>) -> Self {
        Self::new(name, Verdict::Failed, words)
    }

    /// Adds a detail for programs.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a line for people.
    pub(crate) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    fn json(&self) -> Value {
        let mut step = Map::new();
        step.insert("name".to_owned(), self.name.into());
        step.insert("ok".to_owned(), self.verdict.ok().into());
        step.insert("words".to_owned(), self.words.clone().into());
        step.extend(self.details.clone());
        Value::Object(step)
    }
}

/// A user that is kept in the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// The portal's id, where it is known.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) client_id: Option<String>,
    /// Its credential does not work any more, or was never read.
    pub(crate) revoked: bool,
    /// Why it is kept and what a person has to do.
    pub(crate) words: String,
}

impl Left {
    pub(crate) fn line(&self) -> String {
        let id = self.id.as_deref().unwrap_or("unknown");
        let client = self.client_id.as_deref().unwrap_or("unknown");
        format!("{} (id {id}, client ID {client}): {}", self.name, self.words)
    }

    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "clientId": self.client_id,
            "revoked": self.revoked,
            "words": self.words,
        })
    }
}

/// The addresses that were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) url: String,
    pub(crate) token_url: String,
    pub(crate) bpn: Option<String>,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) target: Option<Addresses>,
    pub(crate) steps: Vec<Step>,
    pub(crate) missing: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) left: Vec<Left>,
}

impl Report {
    /// The worst step decides.
    pub(crate) fn exit_code(&self) -> u8 {
        self.steps.iter().map(|step| step.verdict.exit_code()).max().unwrap_or(0)
    }

    /// The whole as one JSON document.
    pub(crate) fn json(&self) -> Value {
        let exit_code = self.exit_code();
        json!({
            "ok": exit_code == 0,
            "exitCode": exit_code,
            "target": self.target.as_ref().map(|target| {
                json!({"url": target.url, "tokenUrl": target.token_url, "bpn": target.bpn})
            }),
            "steps": self.steps.iter().map(Step::json).collect::<Vec<_>>(),
            "missing": self.missing,
            "notes": self.notes,
            "left": self.left.iter().map(Left::json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_step_decides_the_exit_code() {
        let code = |verdicts: &[Verdict]| {
            let steps = verdicts.iter().map(|verdict| Step::new("x", *verdict, "")).collect();
            Report { steps, ..Report::default() }.exit_code()
        };
        assert_eq!(code(&[]), 0);
        assert_eq!(code(&[Verdict::Ok, Verdict::Note]), 0);
        assert_eq!(code(&[Verdict::Ok, Verdict::Missing]), 1);
        assert_eq!(code(&[Verdict::Failed, Verdict::Ok]), 1);
        assert_eq!(code(&[Verdict::Unreached, Verdict::Failed]), 2);
    }

    #[test]
    fn the_document_has_the_documented_names() {
        let report = Report {
            target: Some(Addresses { url: "u".into(), token_url: "t".into(), bpn: None }),
            steps: vec![
                Step::ok("a", "good").with("granted", true),
                Step::note("b", "so so"),
                Step::missing("c", "bad"),
            ],
            missing: vec!["m".into()],
            notes: vec!["n".into()],
            left: vec![Left {
                id: Some("1".into()),
                name: "u".into(),
                client_id: None,
                revoked: true,
                words: "w".into(),
            }],
        };
        let want = json!({
            "ok": false, "exitCode": 1,
            "target": {"url": "u", "tokenUrl": "t", "bpn": null},
            "steps": [
                {"name": "a", "ok": true, "words": "good", "granted": true},
                {"name": "b", "ok": null, "words": "so so"},
                {"name": "c", "ok": false, "words": "bad"},
            ],
            "missing": ["m"], "notes": ["n"],
            "left": [{"id": "1", "name": "u", "clientId": null, "revoked": true, "words": "w"}],
        });
        assert_eq!(report.json(), want);
    }
}
