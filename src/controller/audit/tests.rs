use std::io::Write;

use serde_json::Value;

use super::*;
use crate::domain::test_support::{credential, details, listed};
use crate::domain::user::ListedUser;
use crate::portal::test_support::{Answers, Fake, a_scan};

/// A portal that answers each write with this.
struct Answer(Option<PortalError>);

#[async_trait]
impl Answers for Answer {
    async fn details(&self, id: &UserId) -> Result<UserDetails, PortalError> {
        let credential = Some(credential("sa7", "hidden-7f3k2"));
        Ok(UserDetails { credential, ..details(id, "sa7") })
    }

    async fn write(&self) -> Result<(), PortalError> {
        self.0.clone().map_or(Ok(()), Err)
    }

    async fn create_slot(&self) -> Result<Box<dyn CreateSlot>, PortalError> {
        Ok(Box::new(Self(self.0.clone())))
    }
}

#[async_trait]
impl CreateSlot for Answer {
    async fn create(self: Box<Self>, user: NewUser) -> Result<Vec<UserDetails>, CreateFailure> {
        match self.0 {
            Some(error) => {
                let was_sent = matches!(error, PortalError::Server { server: ServerKind::Portal, .. });
                let effect = if was_sent { Effect::Unknown } else { Effect::None };
                Err(CreateFailure { error, effect })
            }
            None => Ok(vec![UserDetails {
                name: user.name,
                credential: Some(credential("sa9", "hidden-9d4m1")),
                ..details(&UserId::new("u9"), "sa9")
            }]),
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn key() -> Key {
    Key { namespace: "connector".into(), name: "edc".into() }
}

/// The lines of the log, as JSON.
fn logged(log: &Log) -> Vec<Value> {
    let text = String::from_utf8(log.0.lock().clone()).unwrap();
    assert!(!text.contains("hidden"), "a secret is logged: {text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

/// Sends every write once, after the user's details were read.
async fn every_write(answer: Option<PortalError>) -> Vec<Value> {
    let (log, _guard) = listen();
    let portal = Audited::new(Arc::new(Fake(Answer(answer))), key(), None);
    let id = UserId::new("u7");
    portal.details(&id, Lane::Interactive).await.unwrap();
    let user = NewUser { name: "n".into(), description: String::new(), role_ids: Vec::new() };
    let _ = portal.create_slot().await.unwrap().create(user).await;
    let _ = portal.update(&id, "n", "d").await;
    let _ = portal.reset(&id).await;
    let _ = portal.delete(&id).await;
    logged(&log)
}

#[tokio::test]
async fn each_write_has_one_line_with_every_field_and_no_secret() {
    let lines = every_write(None).await;
    let actions: Vec<_> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["create", "update", "reset", "delete"]);
    for line in &lines {
        assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"Audit".into()));
        assert_eq!((&line["resource"], &line["outcome"]), (&"connector/edc".into(), &"success".into()));
        assert!(line["duration_ms"].is_u64(), "{line}");
        let user = if line["action"] == "create" { ("u9", "sa9") } else { ("u7", "sa7") };
        assert_eq!((&line["user_id"], &line["client_id"]), (&user.0.into(), &user.1.into()));
        assert!(line.get("error").is_none(), "{line}");
    }
}

#[tokio::test]
async fn a_failed_write_says_what_became_of_it() {
    let no_token = PortalError::Server { server: ServerKind::IdentityProvider, status: 502 };
    let open = PortalError::CircuitOpen { server: ServerKind::Portal, retry_after: Duration::from_secs(1) };
    for (error, outcome) in [
        (PortalError::Forbidden { permission: "p" }, "refused"),
        (PortalError::Server { server: ServerKind::Portal, status: 502 }, "unknown"),
        (no_token, "not_sent"),
        (open, "not_sent"),
    ] {
        let lines = every_write(Some(error.clone())).await;
        assert_eq!(lines.len(), 4);
        for line in lines {
            assert_eq!((&line["outcome"], &line["error"]), (&outcome.into(), &error.to_string().into()));
        }
    }
}

#[tokio::test]
async fn a_user_that_was_not_read_is_named_as_the_status_names_it() {
    let (log, _guard) = listen();
    let recorded = Some((UserId::new("u1"), "sa1".to_owned()));
    let portal = Audited::new(Arc::new(Fake(Answer(None))), key(), recorded);
    portal.delete(&UserId::new("u1")).await.unwrap();
    portal.delete(&UserId::new("u2")).await.unwrap();
    let lines = logged(&log);
    assert_eq!(lines[0]["client_id"], "sa1");
    assert!(lines[1].get("client_id").is_none());
}

#[tokio::test(start_paused = true)]
async fn only_the_request_itself_counts_as_its_duration() {
    let ((), took) = timed(Operation::Delete, async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        crate::portal::observe::took(Operation::Token, Duration::from_millis(40));
        crate::portal::observe::took(Operation::Delete, Duration::from_millis(7));
    })
    .await;
    assert_eq!(took, Duration::from_millis(7));
}

#[tokio::test(start_paused = true)]
async fn a_published_output_has_its_line() {
    let (log, _guard) = listen();
    let user = (&UserId::new("u1"), "sa1");
    let output = OutputId { kind: "Secret".into(), name: "edc".into() };
    published(&key(), &output, user, Instant::now(), Ok(()));
    let refused = Failure::Kube(KubeError::Denied { code: 403, message: "no".into() });
    published(&key(), &output, user, Instant::now(), Err(&refused));
    let lines = logged(&log);
    for line in &lines {
        assert_eq!((&line["action"], &line["output"]), (&"publish".into(), &"Secret \"edc\"".into()));
        assert_eq!((&line["user_id"], &line["client_id"]), (&"u1".into(), &"sa1".into()));
    }
    assert_eq!((&lines[0]["outcome"], &lines[1]["outcome"]), (&"success".into(), &"refused".into()));
}

/// A portal whose whole list is never read, and which has come this far.
struct Narrowed;

#[async_trait]
impl Answers for Narrowed {
    async fn scan(&self) -> Result<Scan, PortalError> {
        panic!("the whole list is read")
    }

    async fn narrow(&self, client_id: &str) -> Result<Scan, PortalError> {
        let user = ListedUser { client_id: Some(client_id.to_owned()), ..listed("u1", "edc") };
        Ok(a_scan(vec![user]))
    }

    fn scan_progress(&self) -> Option<ScanProgress> {
        Some(ScanProgress { read: 3, pages: 7 })
    }
}

#[tokio::test]
async fn what_is_asked_of_the_list_reaches_the_portal_as_it_is() {
    let portal = Audited::new(Arc::new(Fake(Narrowed)), key(), None);
    let narrowed = portal.narrow("sa7", Lane::Interactive).await.unwrap();
    assert_eq!(narrowed.users[0].client_id.as_deref(), Some("sa7"));
    assert_eq!(portal.scan_progress(), Some(ScanProgress { read: 3, pages: 7 }));
}
