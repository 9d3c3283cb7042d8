//! A real browser, headless: Debian's Chromium, through its WebDriver. `tests/run` gets both, and axe-core, which looks for what
//! somebody who does not see, or has no mouse, cannot use.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use house_tests::root;
use serde_json::{Value, json};

/// The browser's driver, as long as it is wanted.
pub struct Driver {
    child: Child,
    address: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked, not killed: then it takes its browsers with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// How a page is looked at.
#[derive(Clone, Copy)]
pub struct Look {
    pub name: &'static str,
    pub size: (u32, u32),
    pub dark: bool,
    pub script: bool,
}

pub const LIGHT: Look = Look { name: "light", size: (1280, 900), dark: false, script: true };
pub const DARK: Look = Look { name: "dark", size: (1280, 900), dark: true, script: true };
pub const PHONE: Look = Look { name: "phone", size: (390, 844), dark: false, script: true };
pub const WITHOUT_SCRIPT: Look = Look { name: "plain", size: (1280, 900), dark: false, script: false };

impl Driver {
    /// `None` where there is no browser; `tests/run` installs one.
    pub fn start() -> Option<Self> {
        let path = std::env::var_os("RECENT_DEPLOYERS_CHROMEDRIVER").map(PathBuf::from)?;
        let mut command = Command::new(path);
        let mut child = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let address = format!("http://127.0.0.1:{}", port.expect("the driver says where it listens"));
        // It is not to stop because nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, address })
    }

    pub async fn open(&self, look: Look) -> Page {
        let (width, height) = look.size;
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--lang=en-GB".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--blink-settings=preferredColorScheme={}", u8::from(!look.dark)),
        ];
        if look.dark {
            arguments.push("--force-dark-mode".to_owned());
        }
        let mut options = json!({ "args": arguments });
        if !look.script {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        if look.name == "phone" {
            let metrics = json!({ "width": width, "height": height, "pixelRatio": 2, "mobile": true, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let wanted = json!({ "goog:chromeOptions": options });
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(wanted.as_object().unwrap().clone())
            .connect(&self.address)
            .await
            .unwrap();
        Page { client, look }
    }
}

/// A page in the browser.
pub struct Page {
    pub client: Client,
    look: Look,
}

impl Page {
    pub async fn goto(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Carries this cookie to the site that is open.
    pub async fn carries(&self, name: &str, value: &str) {
        self.run(&format!("document.cookie = '{name}={value}; path=/'")).await;
    }

    /// What a reader sees.
    pub async fn text(&self) -> String {
        // While one page takes the place of another there is nothing to see.
        let Ok(body) = self.client.find(Locator::Css("body")).await else { return String::new() };
        body.text().await.unwrap_or_default()
    }

    pub async fn element(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {css}: {error}\n{}", self.text().await),
        }
    }

    /// A button or a link, by what it says.
    pub async fn press(&self, name: &str) {
        let path = format!("//*[self::button or self::a][normalize-space(.)='{name}']");
        let found = self.client.wait().at_most(Duration::from_secs(20)).for_element(Locator::XPath(&path)).await;
        match found {
            Ok(element) => element.click().await.unwrap(),
            Err(error) => panic!("nothing says {name}: {error}\n{}", self.text().await),
        }
    }

    /// Waits until the page says this.
    pub async fn says(&self, wanted: &str) {
        for _ in 0..100 {
            if self.text().await.contains(wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never said {wanted:?}, but:\n{}", self.text().await);
    }

    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// The whole page as a picture, in `target/board/<name>-<look>.png`.
    pub async fn photographs(&self, name: &str) {
        let (width, height) = self.look.size;
        if self.look.name != "phone" {
            let whole = self.run("return document.documentElement.scrollHeight").await.as_u64().unwrap_or(0);
            let tall = u32::try_from(whole).unwrap().clamp(height, 4000);
            self.client.set_window_size(width, tall + 150).await.unwrap();
        }
        let png = self.client.screenshot().await.unwrap();
        self.client.set_window_size(width, height).await.unwrap();
        let folder = root().join("target/board");
        std::fs::create_dir_all(&folder).unwrap();
        let file = format!("{name}-{}.png", self.look.name);
        // Those of the README are kept; they are made anew where somebody looks at them.
        if std::env::var_os("UPDATE_EXPECT").is_some() && root().join("tests/pictures").join(&file).exists() {
            std::fs::write(root().join("tests/pictures").join(&file), &png).unwrap();
        }
        std::fs::write(folder.join(file), png).unwrap();
    }

    /// What axe-core finds that is serious or worse: a line each. What it finds less serious is printed.
    pub async fn barriers(&self) -> Vec<String> {
        let path = std::env::var_os("RECENT_DEPLOYERS_AXE").expect("axe-core, as tests/run gets it");
        self.run(&std::fs::read_to_string(path).unwrap()).await;
        let script = "const done = arguments[arguments.length - 1]; axe.run().then((r) => done(r.violations), (e) => done([{id: String(e), impact: 'critical', nodes: []}]));";
        let found = self.client.execute_async(script, Vec::new()).await.unwrap();
        let line = |violation: &Value| {
            let nodes = violation["nodes"].as_array().into_iter().flatten();
            let nodes: Vec<String> =
                nodes.map(|node| format!("{} ({})", node["html"], node["failureSummary"])).collect();
            (
                violation["impact"].as_str().unwrap_or("").to_owned(),
                format!("{}: {}", violation["id"], nodes.join("; ")),
            )
        };
        let (grave, slight): (Vec<_>, Vec<_>) = found
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .partition(|(impact, _)| matches!(impact.as_str(), "serious" | "critical"));
        slight.iter().for_each(|(impact, line)| println!("axe, {impact}: {line}"));
        grave.into_iter().map(|(_, line)| line).collect()
    }

    pub async fn close(self) {
        let _ = self.client.close().await;
    }
}
