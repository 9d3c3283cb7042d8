//! Debian's Alertmanager, told to wait for nothing and to group nothing: the quickest page that it can give.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws::clients::Http;
use serde_json::{Value, json};

pub struct Alertmanager {
    child: Child,
    binary: PathBuf,
    folder: PathBuf,
    pub address: String,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Alertmanager {
    /// Starts it with this receiver, and waits until it is ready.
    pub async fn start(binary: &Path, folder: &Path, pager: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let config = format!(
            "route:\n  receiver: pager\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 1m\n  repeat_interval: 4h\n\
             receivers:\n  - name: pager\n    webhook_configs:\n      - url: {pager}\n        send_resolved: false\n"
        );
        std::fs::write(folder.join("alertmanager.yml"), config).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Self::spawn(binary, folder, &address);
        let it = Self { child, binary: binary.to_owned(), folder: folder.to_owned(), address };
        it.ready().await;
        it
    }

    fn spawn(binary: &Path, folder: &Path, address: &str) -> Child {
        Command::new(binary)
            .arg(format!("--config.file={}", folder.join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    async fn ready(&self) {
        let ready = format!("http://{}/-/ready", self.address);
        for _ in 0..600 {
            if matches!(Http::new().send("GET", &ready, &[], vec![], 2).await, Ok(answer) if answer.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Alertmanager does not start");
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on what it has kept.
    pub async fn again(&mut self) {
        self.kill();
        self.child = Self::spawn(&self.binary, &self.folder, &self.address);
        self.ready().await;
    }
}

/// An alert as Prometheus posts it.
pub fn posted(service: &str, name: &str, summary: &str, started_at: &Value) -> Value {
    json!([{
        "labels": { "alertname": name, "service": service, "environment": "production", "severity": "critical" },
        "annotations": { "summary": summary },
        "startsAt": started_at,
        "generatorURL": "https://prometheus.example.com/graph",
    }])
}
