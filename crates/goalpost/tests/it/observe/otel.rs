//! Spans reach a collector, and those of the request and of its job are one trace.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use goalpost::demo;
use serde_json::json;

use super::SOON;
use crate::jobs::eventually;
use crate::jobs::process::{Folder, Server, create, until_status};

/// A span as it was received.
#[derive(Clone, Debug, Default)]
struct Span {
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    name: String,
}

/// Receives spans over OTLP/HTTP with protobuf.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let this = Self::default();
        let received = this.clone();
        let receive = async move |headers: HeaderMap, body: Bytes| {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            received.0.lock().unwrap().extend(spans(&body));
        };
        let router = Router::new().route("/v1/traces", post(receive));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (this, url)
    }

    async fn span(&self, name: &str) -> Span {
        eventually(SOON, name, async || self.0.lock().unwrap().iter().find(|span| span.name == name).cloned())
            .await
    }
}

/// The fields of a protobuf message: numbers, and the bytes of those that are delimited.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    fn varint(message: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = message.split_first().unwrap();
            *message = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let length = match tag & 7 {
            0 => {
                varint(&mut message);
                0
            }
            1 => 8,
            2 => varint(&mut message) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (value, rest) = message.split_at(length);
        fields.push((tag >> 3, value));
        message = rest;
    }
    fields
}

/// `ExportTraceServiceRequest`: resource spans, scope spans, spans.
fn spans(request: &[u8]) -> Vec<Span> {
    let inner = |message, number| {
        fields(message).into_iter().filter(move |(found, _)| *found == number).map(|(_, value)| value)
    };
    let mut spans = Vec::new();
    for resource in inner(request, 1) {
        for scope in inner(resource, 2) {
            for span in inner(scope, 2) {
                let mut received = Span::default();
                for (number, value) in fields(span) {
                    match number {
                        1 => received.trace = value.to_vec(),
                        2 => received.id = value.to_vec(),
                        4 => received.parent = value.to_vec(),
                        5 => received.name = String::from_utf8(value.to_vec()).unwrap(),
                        _ => {}
                    }
                }
                spans.push(received);
            }
        }
    }
    spans
}

fn serve(folder: &Folder, collector: &str) -> Server {
    let server = Folder::server().env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    folder.start(server.env("OTEL_BSP_SCHEDULE_DELAY", "100"))
}

const POST: &str = "POST /beta/employeeexperience/goals/exportjobs";

#[tokio::test(flavor = "multi_thread")]
async fn the_span_of_a_job_continues_that_of_its_request() {
    let folder = Folder::new(10, "");
    let (collector, url) = Collector::start().await;
    let server = serve(&folder, &url);
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", SOON).await;
    let (request, job) = (collector.span(POST).await, collector.span("job").await);
    assert_eq!((request.trace.len(), request.parent.len()), (16, 0));
    assert_eq!(job.trace, request.trace);
    assert_eq!(job.parent, request.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_a_client_began_goes_through_request_and_job() {
    let folder = Folder::new(10, "");
    let (collector, url) = Collector::start().await;
    let server = serve(&folder, &url);
    let body = json!({ "goalsOrganizationId": demo::ORGANIZATION, "explorerViewId": demo::VIEW }).to_string();
    let request = server.client.request("POST", "/beta/employeeExperience/goals/exportJobs");
    let request = request.header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let made = server.client.send(request.header("content-type", "application/json").body(body)).await;
    until_status(&server, &made.id(), "succeeded", SOON).await;
    let (request, job) = (collector.span(POST).await, collector.span("job").await);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(hex(&request.trace), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex(&request.parent), "00f067aa0ba902b7");
    assert_eq!((job.trace, job.parent), (request.trace, request.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nothing_up() {
    let folder = Folder::new(10, "[stop]\ndrain_secs = 0\n");
    let server = serve(&folder, "http://127.0.0.1:9");
    let id = create(&server).await;
    until_status(&server, &id, "succeeded", SOON).await;
    let asked = std::time::Instant::now();
    assert!(server.terminate().await.success());
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}
