//! A peer for outgoing requests: an HTTP server that answers as it is told and remembers what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, sleep};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it had come, by the real clock.
    pub at: Timestamp,
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v.as_str())
    }
}

/// A part of the request's first line, and the status, header lines and body of the answer.
type Always = (String, u16, String, String);

/// What can go wrong with one request.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// It says this instead: status, a header line or nothing, body.
    Says(u16, String, String),
    /// It says so much of an answer, and the connection is gone.
    BreaksOff(u16),
    /// The connection is gone before a word was said.
    Resets,
    /// It takes so many seconds to answer.
    Takes(u64),
}

/// The peer. Without an answer left it says 200 and `{}`. As a forge it has no webhooks until it is told of some: the
/// clock asks for them now and then, and a story about something else need not know.
#[derive(Clone)]
pub struct Peer {
    pub address: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    mishaps: Arc<Mutex<VecDeque<(String, Mishap)>>>,
    always: Arc<Mutex<Vec<Always>>>,
    pace: Arc<Mutex<Duration>>,
}

impl Peer {
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { panic!("no port is free") };
        let address = listener.local_addr().map(|a| format!("http://{a}")).unwrap_or_default();
        let peer = Self {
            address,
            received: Arc::default(),
            answers: Arc::default(),
            mishaps: Arc::default(),
            always: Arc::default(),
            pace: Arc::default(),
        };
        let own = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().answer(stream));
            }
        });
        peer
    }

    pub fn will_answer(&self, status: u16, body: impl Into<String>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back((status, body.into()));
    }

    /// What will go wrong, once, with the next request whose first line has `part`.
    pub fn will(&self, part: &str, mishap: Mishap) {
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner).push_back((part.to_owned(), mishap));
    }

    /// What it says from now on to requests whose first line has `part`; of several the one said last.
    pub fn always_answers(&self, part: &str, status: u16, body: impl Into<String>) {
        let always = (part.to_owned(), status, String::new(), body.into());
        self.always.lock().unwrap_or_else(PoisonError::into_inner).push(always);
    }

    /// The same, with a header that tells where the next page is.
    pub fn always_answers_paged(&self, part: &str, status: u16, link: &str, body: impl Into<String>) {
        let always = (part.to_owned(), status, format!("link: {link}\r\n"), body.into());
        self.always.lock().unwrap_or_else(PoisonError::into_inner).push(always);
    }

    /// From now on it takes so long to answer anything.
    pub fn takes(&self, pace: Duration) {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = pace;
    }

    /// Where it sends those requests instead.
    pub fn always_redirects(&self, part: &str, location: &str) {
        let always = (part.to_owned(), 302, format!("location: {location}\r\n"), String::new());
        self.always.lock().unwrap_or_else(PoisonError::into_inner).push(always);
    }

    /// From now on there is nothing wrong with it: whatever it was told to say, to break or to delay is forgotten.
    pub fn recovers(&self) {
        self.forget_answers();
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.always.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.takes(Duration::ZERO);
    }

    /// From now on it says 200 again.
    pub fn forget_answers(&self) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Everything received since this was last asked.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn answer(self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream).await else { return };
        let line = request.line.clone();
        let told = self.standing(&line);
        let asks_for_webhooks = line.starts_with("GET /repos/") && line.contains("/hooks?");
        if told.is_none() && asks_for_webhooks {
            return say(&mut stream, 200, "", "[]").await;
        }
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        match self.mishap(&line) {
            Some(Mishap::Says(status, header, body)) => return say(&mut stream, status, &header, &body).await,
            Some(Mishap::BreaksOff(status)) => {
                let text = format!("HTTP/1.1 {status} X\r\ncontent-length: 100\r\n\r\n{{");
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Some(Mishap::Resets) => return,
            Some(Mishap::Takes(seconds)) => sleep(Duration::from_secs(seconds)).await,
            None => {}
        }
        let pace = *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        sleep(pace).await;
        let (status, headers, body) = told.unwrap_or_else(|| self.next_answer());
        say(&mut stream, status, &headers, &body).await;
    }

    fn mishap(&self, line: &str) -> Option<Mishap> {
        let mut mishaps = self.mishaps.lock().unwrap_or_else(PoisonError::into_inner);
        let at = mishaps.iter().position(|(part, _)| line.contains(part))?;
        mishaps.remove(at).map(|(_, mishap)| mishap)
    }

    fn next_answer(&self) -> (u16, String, String) {
        let next = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let (status, body) = next.unwrap_or((200, "{}".to_owned()));
        (status, String::new(), body)
    }

    fn standing(&self, line: &str) -> Option<(u16, String, String)> {
        let always = self.always.lock().unwrap_or_else(PoisonError::into_inner);
        let told = always.iter().rev().find(|(part, ..)| line.contains(part));
        told.map(|(_, status, headers, body)| (*status, headers.clone(), body.clone()))
    }
}

pub(crate) async fn say(stream: &mut TcpStream, status: u16, headers: &str, body: &str) {
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
}

pub(crate) async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let n = stream.read(&mut buffer).await.ok()?;
        bytes.extend_from_slice(buffer.get(..n)?);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next()?.to_owned();
            let headers: Vec<(String, String)> =
                lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            let length = headers
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, v)| v.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(Received { at: crate::now(), line, headers, body: body.to_owned() });
            }
        }
        if n == 0 {
            return None;
        }
    }
}
