//! One function behind AWS's runtime interface emulator: started, asked, measured, ended.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A function that takes part.
pub struct Contestant {
    pub name: &'static str,
    /// What the emulator starts.
    pub program: Vec<PathBuf>,
    pub environment: Vec<(String, String)>,
    /// What its answer has to have in it.
    pub says: &'static str,
    /// How large it is when it is deployed, zipped.
    pub zipped: Option<u64>,
    /// Finds what the one before it left.
    pub goes_on: bool,
}

/// What one start came to.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// From the request to its answer, the process's start included.
    pub cold: Duration,
    /// The same for further such requests to the same process, their median: what the job takes, most of it the calls.
    pub warm: Duration,
    /// Of which a processor worked for it.
    pub processor: Duration,
    /// The most memory that it held, in bytes.
    pub memory: u64,
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Contestant {
    /// Starts it, hands it these events one after the other, and ends it.
    ///
    /// # Panics
    /// When it does not start, or answers anything else than it should: then there is nothing to measure.
    pub async fn run(&self, emulator: &Path, events: &[Value]) -> Measured {
        let (address, api) = (free().await, free().await);
        // Where something does not start, it says why.
        let loud = std::env::var_os("BENCH_LOUD").is_some();
        let child = Command::new(emulator)
            .args(["--runtime-interface-emulator-address", &address, "--runtime-api-address", &api])
            .args(&self.program)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(if loud { Stdio::inherit() } else { Stdio::null() })
            .stderr(if loud { Stdio::inherit() } else { Stdio::null() })
            .spawn()
            .unwrap();
        let running = Running(child);
        listening(&address).await;
        let mut took = Vec::new();
        let mut used_by_first = (Duration::ZERO, 0);
        for (nth, event) in events.iter().enumerate() {
            let began = Instant::now();
            let answer = post(&address, &event.to_string()).await;
            took.push(began.elapsed());
            assert!(answer.contains(self.says), "{} answered {nth}: {answer}", self.name);
            if nth == 0 {
                used_by_first = used(running.0.id());
            }
        }
        let (processor, memory) = used_by_first;
        let mut others = took.split_off(1);
        others.sort();
        let (cold, warm) = (took[0], others[others.len() / 2]);
        Measured { cold, warm, processor, memory }
    }
}

async fn free() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

/// Waits for the emulator to listen; the function is started by the first event only.
async fn listening(address: &str) {
    for _ in 0..500 {
        if TcpStream::connect(address).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the emulator never listened");
}

async fn post(address: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let head = format!(
        "POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// What the process below the emulator has used of a processor, and its most memory.
fn used(emulator: u32) -> (Duration, u64) {
    let children = std::fs::read_to_string(format!("/proc/{emulator}/task/{emulator}/children")).unwrap_or_default();
    let tasks = std::fs::read_dir(format!("/proc/{emulator}/task")).unwrap();
    let mut all: Vec<String> = children.split_whitespace().map(str::to_owned).collect();
    for task in tasks.flatten() {
        let more = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(more.split_whitespace().map(str::to_owned));
    }
    all.sort();
    all.dedup();
    let (mut processor, mut memory) = (0, 0);
    for child in all {
        for thread in std::fs::read_dir(format!("/proc/{child}/task")).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            processor += text.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
        }
        let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0);
        memory += kilobytes * 1024;
    }
    (Duration::from_nanos(processor), memory)
}
