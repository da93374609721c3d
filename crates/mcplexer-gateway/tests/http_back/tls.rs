//! TLS with the certificate authorities of the system.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use test_support::tool;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::client::{at, text, world};

/// Names the directory with the certificate, in the process that is to trust it.
const PLACE: &str = "MCPLEXER_TEST_TLS";

/// Makes an authority, and a certificate of it for `localhost`.
fn certify(place: &Path) {
    let run = |arguments: &str| {
        let arguments = arguments.split(' ');
        let done = Command::new("openssl")
            .args(arguments)
            .current_dir(place)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    run(&format!(
        "req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"
    ));
    run(&format!(
        "req -x509 {key} -CA ca.pem -CAkey ca.key -keyout key.pem -out cert.pem -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    ));
}

/// Starts a server with that certificate.
async fn serve(place: &Path) -> u16 {
    let cert = CertificateDer::from_pem_file(place.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(place.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(|request| async move {
                    let seen = crate::fake::read(request).await;
                    Ok::<_, std::convert::Infallible>(seen.usual())
                });
                let http = hyper::server::conn::http1::Builder::new();
                let _closed = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    port
}

/// Runs in a process of its own, with `SSL_CERT_FILE` in its environment.
#[tokio::test]
async fn trusting() {
    let Some(place) = std::env::var_os(PLACE) else {
        return;
    };
    let port = serve(Path::new(&place)).await;
    let trusted = world(at(&format!("https://localhost:{port}/mcp"), &[]), &[]);
    let mut client = trusted.client().await;
    assert_eq!(text(&client.call("t").await), "done");
    // The certificate is for another name.
    let other = world(at(&format!("https://127.0.0.1:{port}/mcp"), &[]), &[]);
    assert!(refusal(&other.connect().initialize().await).contains("certificate"));
    let plain = world(at(&format!("http://localhost:{port}/mcp"), &[]), &[]);
    assert!(plain.connect().initialize().await.get("error").is_some());
}

fn refusal(answer: &Value) -> &str {
    answer["error"]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn only_a_certificate_of_a_known_authority_is_trusted() {
    if tool("openssl").is_none() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    certify(place.path());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::trusting", "--nocapture"])
        .env("SSL_CERT_FILE", place.path().join("ca.pem"))
        .env(PLACE, place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&child.stderr)
    );

    let port = serve(place.path()).await;
    let world = world(
        at(&format!("https://localhost:{port}/mcp"), &[("X", "y")]),
        &[],
    );
    let answer = world.connect().initialize().await;
    let error = refusal(&answer);
    assert!(
        error.contains(&format!(
            "https://localhost:{port}/mcp: invalid peer certificate"
        )) || error.contains("certificate authorities"),
        "{error}"
    );
}
