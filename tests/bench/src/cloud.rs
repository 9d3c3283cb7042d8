//! What stands in for AWS: over TLS, the embedded engine as DynamoDB, and SNS and the Parameter Store in one answer each. It knows how
//! long its answers took, so that this can be told apart from what a function takes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws::clients::Http;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::serve::Listener;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// The secrets that functions are told.
pub const TOKEN: &str = house_tests::TOKEN;

/// A running one.
#[derive(Clone)]
pub struct Cloud {
    pub address: String,
    /// Where DynamoDB's requests are handed on to.
    engine: Arc<Mutex<String>>,
    http: Http,
    /// How many requests were answered, and how long that took in all.
    answered: Arc<Mutex<(usize, Duration)>>,
    /// What was published since somebody asked.
    published: Arc<Mutex<Vec<String>>>,
}

struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.0.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Cloud {
    /// Serves with the certificate and key in `folder`, which are of `localhost`.
    ///
    /// # Panics
    /// When they cannot be read, or no port is free.
    pub async fn start(folder: &Path) -> Self {
        let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let cloud = Self {
            address,
            engine: Arc::default(),
            http: Http::new(),
            answered: Arc::default(),
            published: Arc::default(),
        };
        let app = Router::new().fallback(answer).with_state(cloud.clone());
        let listener = Tls(listener, TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        cloud
    }

    /// From now on this engine's table is the table.
    pub fn has(&self, engine: &str) {
        engine.clone_into(&mut self.engine.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How many requests were answered since this was last asked, and how long that took in all.
    #[must_use]
    pub fn answered(&self) -> (usize, Duration) {
        std::mem::take(&mut *self.answered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The messages that were published since this was last asked.
    #[must_use]
    pub fn published(&self) -> Vec<String> {
        std::mem::take(&mut *self.published.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn says(&self, headers: &HeaderMap, body: Vec<u8>) -> (u16, String) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let target = header("x-amz-target");
        if target.starts_with("DynamoDB") {
            let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let names = ["x-amz-target", "content-type", "authorization", "x-amz-date"];
            let kept: Vec<(&str, &str)> = names.map(|name| (name, header(name))).to_vec();
            let answer = self.http.send("POST", &engine, &kept, body, 30).await.unwrap();
            return (answer.status, String::from_utf8_lossy(&answer.body).into_owned());
        }
        if target.starts_with("AmazonSSM") {
            let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
            let names = asked["Names"].as_array().cloned().unwrap_or_default();
            let value = |name: &Value| match name.as_str() {
                Some(name) if name.ends_with("/github") => house_tests::GITHUB_SECRET,
                _ => TOKEN,
            };
            let told: Vec<Value> = names.iter().map(|name| json!({ "Name": name, "Value": value(name) })).collect();
            return (200, json!({ "Parameters": told, "InvalidParameters": [] }).to_string());
        }
        let message =
            form_urlencoded::parse(&body).find(|(name, _)| name == "Message").map(|(_, text)| text.into_owned());
        self.published.lock().unwrap_or_else(PoisonError::into_inner).extend(message);
        (200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>".to_owned())
    }
}

async fn answer(State(cloud): State<Cloud>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 4 * 1024 * 1024).await.unwrap_or_default();
    let began = Instant::now();
    let (status, text) = cloud.says(&head.headers, body.to_vec()).await;
    let mut answered = cloud.answered.lock().unwrap_or_else(PoisonError::into_inner);
    answered.0 += 1;
    answered.1 += began.elapsed();
    drop(answered);
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
