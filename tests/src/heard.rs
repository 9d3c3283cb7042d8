//! What is logged while a test looks, on its own thread: at every level that can be asked for, as JSON lines and as a terminal shows
//! them.

use std::any::Any;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The lines of one form.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// Keeps what is logged until it is dropped.
pub struct Log {
    json: Kept,
    terminal: Kept,
    _until: Box<dyn Any>,
}

impl Log {
    /// From now on, as the program and the functions would at `trace`.
    #[must_use]
    pub fn kept() -> Self {
        let (json, terminal) = (Kept::default(), Kept::default());
        let (as_json, shown) = (json.clone(), terminal.clone());
        let lines = fmt::layer().json().flatten_event(true).with_target(false).with_writer(move || as_json.clone());
        let short = fmt::layer().compact().with_target(false).with_ansi(false).with_writer(move || shown.clone());
        let subscriber = tracing_subscriber::registry().with(lines).with(short);
        let until = subscriber.with(aws::telemetry::up_to(LevelFilter::TRACE)).set_default();
        Self { json, terminal, _until: Box::new(until) }
    }

    /// The JSON lines.
    #[must_use]
    pub fn json(&self) -> String {
        self.json.text()
    }

    /// What a terminal shows.
    #[must_use]
    pub fn terminal(&self) -> String {
        self.terminal.text()
    }
}
