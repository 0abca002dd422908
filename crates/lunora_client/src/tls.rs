//! TLS for what leaves this machine: the roots that browsers trust, and those of a file where a network has its own.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::ClientError;

/// Speaks TLS as a client.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
}

impl Tls {
    /// `extra_roots` is a PEM file of certificates that are trusted as well.
    pub(crate) fn new(extra_roots: Option<&Path>) -> Result<Self, ClientError> {
        let failed = |why: String| ClientError::Network(format!("TLS cannot be set up: {why}"));
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(file) = extra_roots {
            let unreadable = |why: String| failed(format!("`{}`: {why}", file.display()));
            let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
            }
        }
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Shakes hands with the server of this name.
    pub(crate) async fn connect(&self, name: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, ClientError> {
        let name = ServerName::try_from(name.to_owned()).map_err(|error| ClientError::Untrusted(error.to_string()))?;
        self.connector
            .connect(name, stream)
            .await
            .map_err(|error| match error.get_ref() {
                // What TLS itself says will be the same the next time.
                Some(cause) if cause.is::<tokio_rustls::rustls::Error>() => ClientError::Untrusted(cause.to_string()),
                _ => ClientError::Network(error.to_string()),
            })
    }
}
