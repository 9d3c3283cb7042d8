//! What the three targets share. The first byte of an input picks the sender, by its place in the function's `SENDERS`;
//! the rest is a body. Whatever that is: no panic, no more memory than the body warrants, and what is read holds what
//! the house relies on.
//!
//! A target does two more things, each told by an environment variable, and ends: it writes its first corpus
//! ([`corpus`]), and reads bodies of megabytes ([`large`]).

pub mod corpus;
pub mod large;
mod mutation;

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use aws::settings::{Configuration, no_files};
use aws::{Reading, Sender};
use domain::{Settings, text};
use jiff::Timestamp;
use peak_alloc::PeakAlloc;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use mutation::mutate;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// So many bytes may be in use for each byte of a body, over what any body may take. JSON's densest form, read into
/// `serde_json::Value`, takes some 150. What a message says of all its alerts is kept with each.
const MOST_BYTES_A_BYTE: usize = 400;
const MOST_BYTES_ANYWAY: usize = 64 * 1024 * 1024;

static CONFIGURATION: LazyLock<Configuration> = LazyLock::new(|| {
    let parsed = Configuration::parse(include_str!("configuration.toml"), &no_files);
    parsed.unwrap_or_else(|problems| panic!("{problems:?}"))
});

/// Services that deploy `acme/shop`.
pub fn settings() -> &'static Settings {
    &CONFIGURATION.settings
}

/// The one time at which everything is heard.
pub fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1_774_000_000)
}

/// One function's readers.
pub struct Target<E: 'static> {
    /// As its binary and its folder of seeds are called.
    pub name: &'static str,
    pub senders: &'static [Sender<E>],
    /// Asserts what the house relies on.
    pub holds: fn(&str, &E),
}

impl<E: Serialize + DeserializeOwned + PartialEq + Debug> Target<E> {
    /// Before the first input: does what the environment asks for instead.
    pub fn prepare(&self) {
        LazyLock::force(&CONFIGURATION);
        if let Some(folder) = std::env::var_os("FUZZ_CORPUS") {
            corpus::write(self, folder.as_ref());
            std::process::exit(0);
        }
        if let Some(seconds) = std::env::var("FUZZ_LARGE").ok().and_then(|seconds| seconds.parse().ok()) {
            large::read(self, Duration::from_secs(seconds));
            std::process::exit(0);
        }
    }

    /// One input.
    pub fn run(&self, data: &[u8]) {
        let Some((first, body)) = data.split_first() else { return };
        let sender = &self.senders[usize::from(*first) % self.senders.len()];
        let most = MOST_BYTES_ANYWAY + MOST_BYTES_A_BYTE * body.len();
        let used = self.read(sender, body);
        assert!(used <= most, "{}: {used} bytes of memory for a body of {}", sender.name, body.len());
    }

    /// Reads a body, and checks what is read. How much memory that took at most.
    fn read(&self, sender: &Sender<E>, body: &[u8]) -> usize {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        match (sender.parse)(body) {
            Ok(Reading::Event(event)) => {
                (self.holds)(sender.name, &event);
                let written = serde_json::to_vec(&event).expect("what is read can be written");
                let again: E = serde_json::from_slice(&written).expect("what is written can be read");
                assert!(again == event, "{event:?} is read back as {again:?}");
            }
            Ok(Reading::Ignored(why)) => {
                is_line("reason to ignore", &why, 200);
                assert!(!why.is_empty(), "ignored without a reason");
            }
            Err(why) => is_line("reason of a refusal", &why.to_string(), 400),
        }
        MEMORY.peak_usage().saturating_sub(before)
    }
}

/// One bounded line without control characters or marks that reorder or hide.
pub fn is_line(what: &str, given: &str, most: usize) {
    assert!(given.chars().count() <= most, "{what} of {} characters", given.chars().count());
    let printable = text::line(given, given.len() + 2);
    let tight = |text: &str| text.replace(' ', "");
    assert!(tight(&printable) == tight(given), "{what} is not one printable line: {given:?}");
}

/// A link, if it is one, that can be shown.
pub fn is_url(given: Option<&str>) {
    assert!(given.is_none_or(|url| text::url(url).as_deref() == Some(url)), "not a link to be shown: {given:?}");
}

/// How large something is where it is kept, about.
pub fn bytes_of<T: Serialize>(kept: &T) -> usize {
    serde_json::to_vec(kept).expect("what is kept can be written").len()
}
