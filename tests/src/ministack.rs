//! MiniStack, an emulator of AWS from PyPI: `tests/run` gets it and names its folder in RECENT_DEPLOYERS_MINISTACK.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use aws::clients::Http;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// Where it is, if it is there.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    std::env::var_os("RECENT_DEPLOYERS_MINISTACK").map(PathBuf::from)
}

/// A running one.
pub struct MiniStack {
    process: Child,
    pub endpoint: String,
    /// Where it writes, gone with it.
    pub scratch: PathBuf,
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

impl MiniStack {
    /// Starts the one in `folder`; `name` is the caller's.
    ///
    /// # Panics
    /// When it does not listen within a minute.
    pub async fn start(folder: &Path, name: &str) -> Self {
        let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { panic!("no port is free") };
        let port = listener.local_addr().map(|address| address.port()).unwrap_or_default();
        drop(listener);
        let scratch = std::env::temp_dir().join(format!("recent-deployers-{name}-{}", std::process::id()));
        let log = std::fs::create_dir_all(&scratch).and_then(|()| std::fs::File::create(scratch.join("log")));
        let Ok(log) = log else { panic!("{} cannot be written", scratch.display()) };
        let Ok(errors) = log.try_clone() else { panic!("the log cannot be shared") };
        let process = Command::new("python3")
            .args(["-m", "ministack"])
            .current_dir(&scratch)
            .env("PYTHONPATH", folder)
            .env("GATEWAY_PORT", port.to_string())
            .envs([("BIND_HOST", "127.0.0.1"), ("MINISTACK_HOST", "localhost"), ("IOT_MTLS_ENABLED", "0")])
            .envs([("MINISTACK_REGION", "eu-west-1"), ("PYTHONDONTWRITEBYTECODE", "1")])
            .stdout(log)
            .stderr(errors)
            .spawn();
        let Ok(process) = process else { panic!("python3 does not start") };
        let started = Self { process, endpoint: format!("http://127.0.0.1:{port}"), scratch };
        let health = format!("{}/_ministack/health", started.endpoint);
        for _ in 0..300 {
            if Http::new().send("GET", &health, &[], Vec::new(), 5).await.is_ok() {
                return started;
            }
            sleep(Duration::from_millis(200)).await;
        }
        panic!("MiniStack does not listen: {}", started.log())
    }

    /// What it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.join("log")).unwrap_or_default()
    }
}
