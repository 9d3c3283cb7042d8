//! A live Alertmanager (Debian's package, which `tests/run` fetches), configured with our address as the README says,
//! fires and resolves an alert into the program.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws::clients::Http;
use house_tests::program::Program;
use house_tests::root;
use serde_json::json;

/// Alertmanager, until it is dropped.
struct Alertmanager {
    child: Child,
    address: String,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn start(binary: &Path, folder: &Path, config: &str) -> Alertmanager {
    let file = folder.join("alertmanager.yml");
    std::fs::write(&file, config).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let child = Command::new(binary)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let alertmanager = Alertmanager { child, address };
    let began = tokio::time::Instant::now();
    let ready = format!("http://{}/-/ready", alertmanager.address);
    while !matches!(Http::new().send("GET", &ready, &[], vec![], 2).await, Ok(answer) if answer.status == 200) {
        assert!(began.elapsed() < Duration::from_secs(60), "Alertmanager does not start");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    alertmanager
}

async fn post(alertmanager: &Alertmanager, alert: &serde_json::Value) {
    let url = format!("http://{}/api/v2/alerts", alertmanager.address);
    let body = json!([alert]).to_string().into_bytes();
    let answer = Http::new().send("POST", &url, &[("content-type", "application/json")], body, 10).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

#[tokio::test]
async fn a_live_alertmanager_fires_and_resolves_an_alert() {
    let Some(binary) = std::env::var_os("RECENT_DEPLOYERS_ALERTMANAGER").map(PathBuf::from) else {
        println!("not present: Alertmanager (tests/run fetches it); no live alert was sent");
        return;
    };
    let data = std::env::temp_dir().join(format!("rd-alertmanager-{}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let mut program = Program::start(&data, &root().join("infra/recent-deployers.toml"));
    let url = format!("{}/alert/alertmanager", program.base);
    let credentials = data.join("secrets/alertmanager");
    let config = format!(
        "route:\n  receiver: recent-deployers\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1h\n\
         receivers:\n  - name: recent-deployers\n    webhook_configs:\n      - url: {url}\n        send_resolved: true\n        \
         http_config:\n          authorization: {{ credentials_file: {} }}\n",
        credentials.display()
    );
    let alertmanager = start(&binary, &data, &config).await;
    #[expect(clippy::disallowed_methods, reason = "the programs under test read the real clock")]
    let now = jiff::Timestamp::now;
    let mut alert = json!({
        "labels": { "alertname": "HighErrorRate", "service": "edxapp", "environment": "production", "severity": "critical" },
        "annotations": { "summary": "7 % of requests fail" },
        "startsAt": now(),
    });
    post(&alertmanager, &alert).await;
    program.wait_for("PAGE to Anna Lindqvist");
    program.wait_for("[critical] edxapp production: HighErrorRate");
    alert["endsAt"] = json!(now());
    post(&alertmanager, &alert).await;
    program.wait_for("Resolved: [critical] edxapp production: HighErrorRate");
    std::fs::remove_dir_all(data).unwrap();
}
