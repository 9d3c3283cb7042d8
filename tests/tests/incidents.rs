//! What people say about incidents and see of them, from the wire to the board, in virtual time: maintenance, the ladder,
//! pages that do not arrive.

use house_tests::Stage;
use recent_deployers::hands::{Hands, HandsError, Wish};
use recent_deployers::server::{self, Board};
use tokio::net::TcpListener;

const TITLE: &str = "[critical] edxapp production: HighErrorRate";

fn pages(stage: &Stage) -> Vec<String> {
    stage.heard().into_iter().filter(|line| line.starts_with("PAGE")).collect()
}

/// What `who` sends by the form of the queue's link.
async fn says(stage: &Stage, who: &str, form: &str) -> aws::Response {
    let path = stage.link(aws::links::Action::Queue("edxapp".parse().unwrap()), who);
    stage.post(&path, vec![], form.as_bytes()).await
}

#[tokio::test]
async fn nobody_is_paged_under_maintenance_that_somebody_began_by_link_and_ended_by_command() {
    let mut day = Stage::new().await;
    let desk = Desk::open(&day).await;
    let path = day.link(aws::links::Action::Queue("edxapp".parse().unwrap()), "olga");
    let asked = day.get(&path).await.body;
    assert!(asked.contains("Begin maintenance") && !asked.contains("End maintenance"), "{asked}");
    let begun = says(&day, "olga", "do=maintain&for=30&why=new+%3Cdatabase%3E").await;
    assert!(begun.status == 200 && begun.body.contains("until 12:30 (Europe"), "{}", begun.body);
    let again = says(&day, "olga", "do=maintain&for=30&why=x").await;
    assert!(again.status == 200 && again.body.contains("That is so already."), "{}", again.body);
    day.at("Fri 12:05").await.alert("edxapp", "Fri 12:05", false).await;
    assert_eq!(day.heard(), [""; 0]);
    let board = day.get("/").await.body;
    assert!(board.contains("maintenance: new &lt;database&gt;"), "{board}");
    assert_eq!(day.incident("edxapp").await.held.unwrap().until, Some(house_tests::time("Fri 12:30")));
    day.at("Fri 12:10").await;
    let said = desk.act("anna", &Wish::Maintained, &day).await.unwrap();
    assert_eq!(said, "Maintenance ended. What fires in edxapp pages again.");
    assert_eq!(pages(&day), [format!("PAGE to anna: {TITLE}")]);
    let nothing = desk.act("anna", &Wish::Maintained, &day).await.unwrap_err().to_string();
    assert!(nothing.starts_with("Nothing was done. Nothing is under maintenance"), "{nothing}");
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 50).await.unwrap();
    let whats: Vec<&str> = log.iter().map(|entry| entry.what.as_str()).collect();
    for what in [
        "olga says that edxapp may break, 2026-03-20 12:00 to 2026-03-20 12:30 UTC",
        "anna ended the maintenance of edxapp",
    ] {
        assert!(whats.contains(&what), "{whats:?}");
    }
}

#[tokio::test]
async fn maintenance_that_cannot_be_meant_is_refused_and_says_why() {
    let day = Stage::new().await;
    let desk = Desk::open(&day).await;
    for (form, status, why) in [
        ("do=maintain&for=73+h", 409, "At most three days at a time"),
        ("do=maintain&for=-5", 400, "`for` is a length of time"),
        ("do=maintain&for=-5+min", 409, "It has to end after it begins"),
        ("do=maintain", 400, "`for` is a length of time"),
        ("do=maintain&for=99999999999999+h", 400, "`for` is a length of time"),
        ("do=maintain&for=4294967295", 400, "`for` is a length of time"),
        ("do=maintain&for=30&from=soon", 400, "`from` is a time"),
        ("do=maintain&for=30&environment=%3Cmoon%3E", 409, "There is no environment &lt;moon&gt; here."),
        ("do=maintained", 409, "Nothing is under maintenance"),
    ] {
        let answer = says(&day, "olga", form).await;
        assert!(answer.status == status && answer.body.contains(why), "{form}: {} {}", answer.status, answer.body);
    }
    let path = day.link(aws::links::Action::OnCall("edxapp".parse().unwrap()), "olga");
    assert_eq!(day.post(&path, vec![], b"do=maintain&for=30").await.status, 400, "the link of another thing");
    assert!(day.situation("edxapp").await.paging.value.maintenance.is_empty());
    let stage = Some("stage".to_owned());
    let wish = Wish::Maintain { how_long: "2 h".into(), why: "x".into(), environment: stage, from: None };
    desk.act("olga", &wish, &day).await.unwrap();
    day.alert("edxapp", "Fri 12:00", false).await;
    assert_eq!(pages(&day), [format!("PAGE to anna: {TITLE}")], "production is not stage");
}

#[tokio::test]
async fn the_maintenance_of_each_week_keeps_everybody_asleep_until_its_end() {
    let text = house_tests::configuration(&["edxapp"]).replace(
        "[services.edxapp]\n",
        "[services.edxapp]\nzone = \"Europe/Stockholm\"\nmaintenance = [\"Sun 02:00-04:00\"]\n",
    );
    let mut night = Stage::with(&text, |_| {}).await;
    night.at("Sun 01:30").await.alert("edxapp", "Sun 01:30", false).await;
    assert_eq!(night.heard(), [""; 0], "02:30 in Stockholm");
    night.at("Sun 02:59").await;
    assert_eq!(night.heard(), [""; 0]);
    night.at("Sun 03:00").await;
    assert_eq!(pages(&night), [format!("PAGE to anna: {TITLE}")]);
}

/// A running server, for commands.
struct Desk {
    address: String,
}

impl Desk {
    async fn open(stage: &Stage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(server::serve(listener, stage.bundle.clone(), Board::ThisMachine, std::future::pending()));
        Self { address }
    }

    fn hands<'a>(&self, stage: &'a Stage) -> Hands<'a> {
        let (configuration, secrets) = (&stage.house.configuration, &stage.house.secrets);
        Hands { configuration, secrets, address: self.address.clone(), now: stage.clock.now() }
    }

    async fn act(&self, me: &str, wish: &Wish, stage: &Stage) -> Result<String, HandsError> {
        let said = self.hands(stage).act("edxapp", me, wish).await;
        stage.bundle.quiesce().await;
        said
    }
}
