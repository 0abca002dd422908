//! The client of admin routes, against servers of this process: over TLS, and when they are not there at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use lunora_client::{AdminAddress, AdminClient, ClientError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

const TOKEN: &str = "a-token-of-tests";

/// Reads one request and answers it with what it said in `authorization`.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut received = Vec::new();
    let mut piece = [0; 4096];
    while !received.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece).await.unwrap();
        if read == 0 {
            return;
        }
        received.extend_from_slice(&piece[..read]);
    }
    let head = String::from_utf8(received).unwrap();
    let bearer = head
        .lines()
        .find_map(|line| line.strip_prefix("authorization: "))
        .unwrap_or_default();
    let body = json!({ "bearer": bearer, "path": head.split(' ').nth(1) }).to_string();
    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(response.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

struct SecureServer {
    origin: String,
    roots: tempfile::NamedTempFile,
}

async fn secure_server(name: &str) -> SecureServer {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let roots = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(roots.path(), cert.pem()).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            // A client that does not trust us ends the handshake.
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream).await;
                }
            });
        }
    });
    SecureServer { origin, roots }
}

#[tokio::test]
async fn a_server_that_is_trusted_gets_the_token() {
    let server = secure_server("localhost").await;
    let address = AdminAddress::parse(&server.origin).unwrap();
    let mut client = AdminClient::new(address, TOKEN, Some(server.roots.path())).unwrap();
    assert_eq!(
        client.get("info").await.unwrap(),
        json!({ "bearer": format!("Bearer {TOKEN}"), "path": "/_lunora/admin/info" })
    );
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_nothing() {
    let server = secure_server("localhost").await;
    let address = AdminAddress::parse(&server.origin).unwrap();
    let mut client = AdminClient::new(address, TOKEN, None).unwrap();
    let error = client.get("info").await.unwrap_err();
    assert!(matches!(error, ClientError::Untrusted(_)), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let server = secure_server("app.example.com").await;
    let address = AdminAddress::parse(&server.origin).unwrap();
    let mut client = AdminClient::new(address, TOKEN, Some(server.roots.path())).unwrap();
    let error = client.get("info").await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for round in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            match round {
                0 => drop(stream),
                1 => {
                    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half";
                    stream.write_all(head).await.unwrap();
                }
                2 => {
                    let head = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\nnope";
                    stream.write_all(head).await.unwrap();
                }
                _ => answer(stream).await,
            }
        }
    });
    let mut client = AdminClient::new(AdminAddress::parse(&origin).unwrap(), TOKEN, None).unwrap();
    let answer = client.post("import/commit", &json!({ "id": "x" })).await.unwrap();
    assert_eq!(answer["path"], "/_lunora/admin/import/commit");
}

#[tokio::test]
async fn what_the_server_refuses_is_not_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let body = r#"{"error":{"code":"UNAUTHORIZED","message":"no"}}"#;
        let head = format!(
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever comes a second time finds nobody.
    });
    let mut client = AdminClient::new(AdminAddress::parse(&origin).unwrap(), TOKEN, None).unwrap();
    assert_eq!(client.get("info").await.unwrap_err().code(), "UNAUTHORIZED");
    served.await.unwrap();
}

#[test]
fn a_token_is_not_shown() {
    let address = AdminAddress::parse("http://127.0.0.1:1").unwrap();
    let Err(error) = AdminClient::new(address, "a token\nof two lines", None) else {
        panic!("a token of two lines cannot be sent");
    };
    assert!(!error.to_string().contains("two lines"));
}
