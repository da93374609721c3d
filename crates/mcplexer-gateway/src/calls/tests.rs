use std::time::Duration;

use mcplexer_home::Home;
use mcplexer_secrets::SecretStore;
use mcplexer_secrets::audit::{AuditLine, AuditOperation, read_audit_log};
use mcplexer_secrets::keys::PassphraseRequest;
use tempfile::TempDir;

use super::*;
use crate::session::Peer;

mod many;

fn home(directory: &TempDir) -> Arc<OpenHome> {
    let nobody = |_: &PassphraseRequest<'_>| None;
    let home = Home::at(directory.path().join("home"));
    Arc::new(OpenHome::open(home, nobody).unwrap())
}

fn lines(directory: &TempDir) -> Vec<AuditLine> {
    read_audit_log(&directory.path().join("home/audit.log")).unwrap()
}

fn message(text: &str) -> Message {
    Message::parse(text.to_owned()).unwrap()
}

struct Client {
    calls: Calls,
    actor: Arc<Actor>,
    secrets: Arc<[SecretVersion]>,
}

impl Client {
    fn new(directory: &TempDir) -> Self {
        let peer = Peer::process(Some("ide".to_owned()), 1000, Some(4711));
        let secret =
            |name: &str| SecretVersion::new("s".parse().unwrap(), name.parse().unwrap(), 3);
        Self {
            calls: Calls::new(home(directory)),
            actor: actor(&peer, 7),
            secrets: [secret("K"), secret("L")].into(),
        }
    }

    async fn begin(
        &self,
        text: &str,
        original: Option<&str>,
    ) -> Result<Option<Recorded>, CallError> {
        let message = message(text);
        let method = match message.kind() {
            crate::message::Kind::Request(method) => method.clone(),
            _ => String::new(),
        };
        let mut splices = Splices::default();
        if let (Some(original), Some(name)) = (original, message.param(&["name"])) {
            splices.replace(name, crate::json::string(original));
        }
        let about = About {
            actor: &self.actor,
            server: "github",
            method: &method,
            message: &message,
            splices: &splices,
            secrets: Some(&self.secrets),
            known_to: &[],
            is_refused: false,
        };
        self.calls.begin(about).await
    }

    async fn tool(&self) -> Recorded {
        let text = r#"{"id":1,"method":"tools/call","params":{"name":"t"}}"#;
        self.begin(text, None).await.unwrap().unwrap()
    }
}

fn answer(text: &str) -> Result<Answer, CallError> {
    Ok(Answer::of_gateway(text.to_owned()))
}

#[tokio::test]
async fn a_call_is_in_the_log_before_it_goes_out_and_its_end_after() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new(&directory);
    let text =
        r#"{"id":1,"method":"tools/call","params":{"name":"github__a","arguments":{"q": 1.0}}}"#;
    let recorded = client.begin(text, Some("a.b")).await.unwrap().unwrap();
    let written = lines(&directory);
    let call = written[0].call.as_ref().unwrap();
    assert_eq!(written[0].operation, AuditOperation::Call);
    assert_eq!(written[0].actor.tool.as_deref(), Some("a.b"));
    assert_eq!((written[0].actor.uid, written[0].actor.pid), (1000, 4711));
    assert_eq!(written[0].actor.client.as_deref(), Some("ide"));
    assert_eq!(written[0].actor.session.as_deref(), Some("7"));
    assert_eq!(
        (call.secrets.join(" ").as_str(), call.bytes),
        ("s/K@3 s/L@3", 10)
    );
    let digest = Sha256::digest(r#"{"q": 1.0}"#);
    let digest: String = digest.iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(call.digest.as_ref(), Some(&digest));

    recorded.finish(&answer(
        r#"{"id":1,"result":{"isError":true,"content":[]}}"#,
    ));
    client.calls.stop();
    let written = lines(&directory);
    assert_eq!(written.len(), 2);
    assert_eq!(written[1].outcome, AuditOutcome::ToolError);
    let end = written[1].call.as_ref().unwrap();
    assert_eq!((&end.id, end.bytes), (&call.id, 47));
}

#[tokio::test]
async fn each_method_that_asks_a_server_for_something_is_recorded_with_its_object() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new(&directory);
    for (method, params, object) in [
        ("prompts/get", r#"{"name":"p"}"#, Some("p")),
        ("resources/read", r#"{"uri":"a:\/\/b"}"#, Some("a://b")),
        ("resources/subscribe", r#"{"uri":"c"}"#, Some("c")),
        (
            "completion/complete",
            r#"{"ref":{"type":"x","name":"n"},"argument":{}}"#,
            Some("n"),
        ),
        ("completion/complete", r#"{"ref":{"uri":"u"}}"#, Some("u")),
        ("tasks/cancel", r#"{"taskId":"1"}"#, None),
        ("vendor/what", "null", None),
        ("vendor/nothing", "{}", None),
        ("vendor/list", "{}", None),
    ] {
        let text = format!(r#"{{"id":1,"method":"{method}","params":{params}}}"#);
        drop(client.begin(&text, None).await.unwrap().unwrap());
        let line = lines(&directory)
            .into_iter()
            .rfind(|it| it.operation == AuditOperation::Call);
        let call = line.unwrap().call.unwrap();
        assert_eq!(
            (call.method.as_deref(), call.object.as_deref()),
            (Some(method), object)
        );
        assert_eq!(call.bytes, params.len() as u64, "{method}");
    }
    let count = lines(&directory).len();
    for method in [
        "tools/list",
        "ping",
        "resources/templates/list",
        "tasks/list",
        "initialize",
        "server/discover",
    ] {
        let text = format!(r#"{{"id":1,"method":"{method}"}}"#);
        assert!(client.begin(&text, None).await.unwrap().is_none());
    }
    assert_eq!(lines(&directory).len(), count);
}

#[tokio::test]
async fn of_a_name_no_more_is_kept_than_the_log_has() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new(&directory);
    let long = "é".repeat(100_000);
    let text = format!(r#"{{"id":1,"method":"{long}","params":{{"name":"{long}"}}}}"#);
    drop(client.begin(&text, None).await.unwrap().unwrap());
    let call = client.calls.recent().pop().unwrap();
    assert_eq!(call.method, long[..2 * MOST_OF_NAME]);
    assert_eq!(call.object.as_deref(), Some(&long[..2 * MOST_OF_NAME]));
    let line = lines(&directory).into_iter().find_map(|it| it.call);
    assert_eq!(line.unwrap().object, call.object);
}

#[tokio::test]
async fn each_way_to_end_has_its_word() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new(&directory);
    let server = || "s".parse().unwrap();
    let log = String::new;
    let ends = [
        (
            answer(r#"{"id":1,"result":{"isError":false}}"#),
            AuditOutcome::Ok,
        ),
        (
            answer(r#"{"id":1,"result":{"x":{"isError":true}}}"#),
            AuditOutcome::Ok,
        ),
        (
            answer(r#"{"id":1,"error":{"code":1}}"#),
            AuditOutcome::Error,
        ),
        (Err(CallError::Cancelled), AuditOutcome::Cancelled),
        (
            Err(CallError::Lost {
                server: server(),
                log: log(),
            }),
            AuditOutcome::Lost,
        ),
        (
            Err(CallError::Unsent {
                server: server(),
                log: log(),
            }),
            AuditOutcome::NotSent,
        ),
        (
            Err(CallError::TooLong {
                server: server(),
                limit: 1,
            }),
            AuditOutcome::TooLong,
        ),
        (
            Err(CallError::NotStarted {
                server: server(),
                problem: log(),
            }),
            AuditOutcome::NotStarted,
        ),
        (
            Err(CallError::TimedOut {
                server: server(),
                after: Duration::from_secs(1),
                what: "",
                log: log(),
            }),
            AuditOutcome::TimedOut,
        ),
    ];
    let mut expected: Vec<_> = ends.iter().map(|(_, outcome)| *outcome).collect();
    for (end, _) in &ends {
        client.tool().await.finish(end);
    }
    // The client is gone, and what served it with it.
    drop(client.tool().await);
    expected.push(AuditOutcome::Cancelled);
    client.calls.stop();
    let written = lines(&directory);
    let ends = written
        .iter()
        .filter(|it| it.operation == AuditOperation::CallResult);
    assert!(ends.map(|it| it.outcome).eq(expected));
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new(&directory);
    drop(client.tool().await);
    client.calls.stop();
    let log = directory.path().join("home/audit.log");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let client = Client::new(&directory);
    let text = r#"{"id":1,"method":"tools/call","params":{"name":"t"}}"#;
    let refused = client.begin(text, None).await.unwrap_err();
    assert!(matches!(refused, CallError::Unrecorded { .. }), "{refused}");
    std::fs::remove_dir(&log).unwrap();
    // The one that was not made has no end either.
    drop(client.tool().await);
    client.calls.stop();
    assert_eq!(lines(&directory).len(), 2);
    assert!(
        client.begin(text, None).await.is_err(),
        "it has been stopped"
    );
}

#[tokio::test]
async fn what_came_before_somebody_watches_is_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new(&directory);
    for calls in 1..=20 {
        client
            .tool()
            .await
            .finish(&answer(r#"{"id":1,"result":{}}"#));
        let mut watcher = client.calls.watch().await;
        assert_eq!(lines(&directory).len(), 2 * calls);
        assert!(watcher.try_recv().is_err(), "it is not told twice");
    }
}

#[tokio::test]
async fn who_watches_sees_each_call_twice_and_the_last_ones_before() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::new(&directory);
    client
        .tool()
        .await
        .finish(&answer(r#"{"id":1,"result":{}}"#));
    let mut watcher = client.calls.watch().await;
    let recorded = client.tool().await;
    let begun = watcher.recv().await.unwrap();
    assert_eq!((begun.outcome, begun.object.as_deref()), (None, Some("t")));
    recorded.finish(&answer(r#"{"id":1,"error":{}}"#));
    let ended = watcher.recv().await.unwrap();
    assert_eq!(
        (&ended.id, ended.outcome),
        (&begun.id, Some(AuditOutcome::Error))
    );
    let outcomes: Vec<_> = client.calls.recent().iter().map(|it| it.outcome).collect();
    assert_eq!(
        outcomes,
        [Some(AuditOutcome::Ok), Some(AuditOutcome::Error)]
    );
    // A watcher that does not keep up holds nothing up.
    for _ in 0..1100 {
        drop(client.tool().await);
    }
    assert_eq!(client.calls.recent().len(), 1000);
    assert!(matches!(
        watcher.recv().await,
        Err(broadcast::error::RecvError::Lagged(_))
    ));
}
