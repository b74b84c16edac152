//! A connection that carries no data and is not closed, as behind a NAT that has dropped it.

use kube::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::k8s::client::client_with;

/// How long the test's client waits on a silent connection.
const SILENT_FOR: Duration = Duration::from_millis(300);
const LIMIT: Duration = Duration::from_mins(1);

/// An apiserver with the `ConfigMap` `a`. Each watch reports one change and is then silent. The channel yields the targets of
/// the requests.
async fn apiserver() -> (kube::Client, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (asked, targets) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, asked.clone()));
        }
    });
    (client_with(Config::new(url), LIMIT, SILENT_FOR).unwrap(), targets)
}

async fn answer(mut stream: TcpStream, asked: mpsc::UnboundedSender<String>) {
    let config_map = |version: u64| {
        format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a","namespace":"n","resourceVersion":"{version}"}}}}"#
        )
    };
    let mut head = Vec::new();
    loop {
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let target = text.split(' ').nth(1).unwrap().to_owned();
        head.clear();
        asked.send(target.clone()).unwrap();
        if target.contains("watch=true") {
            let from = target.split("resourceVersion=").nth(1).unwrap();
            let from: u64 = from.split('&').next().unwrap().parse().unwrap();
            let event = format!("{{\"type\":\"MODIFIED\",\"object\":{}}}\n", config_map(from + 1));
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{event}\r\n",
                event.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        }
        let list = format!(
            r#"{{"apiVersion":"v1","kind":"ConfigMapList","metadata":{{"resourceVersion":"10"}},"items":[{}]}}"#,
            config_map(10)
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{list}",
            list.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_watch_that_falls_silent_begins_again_where_it_stopped() {
    let (client, mut targets) = apiserver().await;
    let api = Api::<ConfigMap>::namespaced(client, "n");
    let refusals = Refusals::default();
    let (store, touched) = cache(
        vec![api],
        &watcher::Config::default(),
        &(),
        |object: ConfigMap| object,
        &refusals,
        &crate::process::Random::seeded(1),
    );
    let mut touched = touched.boxed();
    let mut versions = Vec::new();
    while versions.len() < 4 {
        let item = tokio::time::timeout(LIMIT, touched.next()).await.expect("the watch continues").unwrap();
        versions.push(item.object.resource_version().unwrap());
    }
    assert_eq!(versions, ["10", "11", "12", "13"]);
    assert_eq!(store.all().len(), 1);
    let mut seen = Vec::new();
    while let Ok(target) = targets.try_recv() {
        seen.push(target);
    }
    let lists = seen.iter().filter(|target| !target.contains("watch=true")).count();
    assert_eq!(lists, 1, "nothing is listed a second time: {seen:#?}");
    for (number, watch) in seen.iter().filter(|target| target.contains("watch=true")).enumerate() {
        let from = format!("resourceVersion={}", 10 + number);
        assert!(watch.contains(&from), "{from}: {watch}");
    }
}
