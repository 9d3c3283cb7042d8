//! Schemathesis (PyPI; `tests/run` gets it) reads the served description and asks the running program whatever that allows, and what it
//! does not: every answer has to be one that is described. Deterministic by its seed.

use std::path::Path;
use std::process::{Command, Stdio};

use aws::clients::Http;
use aws::links::{self, Action, Grant};
use aws::secrets::Secret;
use house_tests::program::Program;
use house_tests::{now, root};
use jiff::SignedDuration;
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};

const TOKEN: &str = "schemathesis-reads";

/// The sample's services, where people sign in and one program has a token.
fn configured(data: &Path) -> std::path::PathBuf {
    let sample = std::fs::read_to_string(root().join("infra/recent-deployers.toml")).unwrap();
    for name in ["CODEOWNERS", "calendars/holidays-se.ics", "secrets"] {
        let to = data.join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        if name == "secrets" {
            std::fs::create_dir_all(&to).unwrap();
        } else {
            std::fs::copy(root().join("infra").join(name), to).unwrap();
        }
    }
    for (name, text) in [("fuzz", TOKEN), ("sign-in", "client"), ("links", "links-key")] {
        std::fs::write(data.join("secrets").join(name), text).unwrap();
    }
    let sign_in = "\n[sign_in]\nissuer = \"https://id.example.com\"\nclient_id = \"deployers\"\n";
    let config = data.join("config.toml");
    std::fs::write(&config, format!("read_tokens = [\"fuzz\"]\n{sample}{sign_in}")).unwrap();
    config
}

struct World<'a> {
    program: &'a Program,
    data: &'a Path,
}

impl World<'_> {
    async fn post(&self, path: &str, headers: &[(String, String)], body: String) {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let sent =
            Http::new().send("POST", &format!("{}{path}", self.program.base), &headers, body.into_bytes(), 30).await;
        let answer = sent.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    }

    fn secret(&self, name: &str) -> String {
        std::fs::read_to_string(self.data.join("secrets").join(name)).unwrap()
    }

    async fn github(&self, path: &str, body: String) {
        self.post(path, &payloads::github_headers("", &self.secret("github-webhook"), body.as_bytes()), body).await;
    }

    async fn does(&self, who: &str, action: Action, form: &str) {
        let secret = Secret::new("links-key").unwrap();
        let grant = Grant { action, person: who.parse().unwrap(), expires: now() + SignedDuration::from_hours(1) };
        self.post(&links::path(&secret, &grant), &[], form.to_owned()).await;
    }

    /// Changes that wait and one that is live, an incident, a pager that is taken, a freeze and a fix that is to pass it.
    async fn happens(&self) {
        let (at, repository) = (now(), "openedx/edx-platform");
        for number in 1..=12 {
            let (title, commit) = (format!("fix: number {number} <b>"), format!("{number:040x}"));
            let (author, merger) = ("feanil", if number % 2 == 0 { "feanil" } else { "usama" });
            let merged = Merge { repository, number, title: &title, author, merger, commit: &commit, at };
            self.github("/merge/github", payloads::pull_request_merged(&merged).to_string()).await;
        }
        let (environment, state, commit) = ("production", "success", format!("{:040x}", 2));
        let live = Deployment { repository, id: 1, environment, commit: &commit, state, created_at: at, at };
        self.github("/deploy/github", payloads::deployment_status(&live).to_string()).await;
        let (summary, severity) = ("7 % of requests fail", "critical");
        for service in ["edxapp", "nobody-knows-it"] {
            let alert = Alert { service, name: "HighErrorRate", summary, severity, started_at: at, ended_at: None };
            let headers = payloads::token_headers(&self.secret("alertmanager"));
            self.post("/alert/alertmanager", &headers, payloads::alertmanager(&[alert]).to_string()).await;
        }
        self.does("olga", Action::OnCall("edxapp".parse().unwrap()), "do=take&for=2+h").await;
        let until = (at + SignedDuration::from_hours(48)).strftime("%Y-%m-%d+%H:%M");
        let freeze = format!("do=freeze&name=Sale&preset=peak-event&until={until}&zone=UTC");
        self.does("olga", Action::Freezes, &freeze).await;
        let fix = Action::Expedite(repository.parse().unwrap(), 3);
        self.does("usama", fix, "do=expedite&why=checkout+answers+500").await;
    }
}

#[tokio::test]
async fn no_answer_is_other_than_it_is_described() {
    let Some(tool) = std::env::var_os("RECENT_DEPLOYERS_SCHEMATHESIS") else {
        println!("not present: RECENT_DEPLOYERS_SCHEMATHESIS; nothing was asked");
        return;
    };
    let data = std::env::temp_dir().join(format!("recent-deployers-api-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).unwrap();
    // Its log would be a line for each refusal.
    let mut program = Program::spawn(&data, &configured(&data), Stdio::null());
    program.ready();
    let address = &program.base;
    World { program: &program, data: &data }.happens().await;
    // More by hand: SCHEMATHESIS_EXAMPLES=2000 cargo test -p house-tests --test machine api.
    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| "40".to_owned());
    let asked = Command::new("python3")
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root().join("tests/schemathesis/config.toml"))
        .args(["run", &format!("{address}/openapi.json"), "--url", address, "--seed", "1"])
        .args(["--checks", "all", "--max-examples", &examples, "--no-color"])
        .args(["-H", &format!("Authorization: Bearer {TOKEN}"), "-H", "Accept: application/json"])
        .env("PYTHONPATH", tool)
        .env("PYTHONHASHSEED", "0")
        .env("SCHEMATHESIS_HOOKS", root().join("tests/schemathesis/hooks.py"))
        .current_dir(&data)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&asked.stdout);
    println!("{said}");
    assert!(asked.status.success(), "{said}{}", String::from_utf8_lossy(&asked.stderr));
    assert!(said.contains("No issues found"), "{said}");
    std::fs::remove_dir_all(data).unwrap();
}
