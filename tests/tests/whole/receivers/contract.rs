//! What every receiver does when its API takes a page, refuses it, is in a hurry, breaks, hangs or is gone: written once,
//! for all of them. Each test is a page to anna, who is reached by the receiver first and at the terminal next.

use aws::receiver::ReceiverKind;
use house_tests::peer::{Mishap, Peer, Received};
use house_tests::{Stage, configuration};

/// A part of a request's first line, and the status and body of the answer.
pub type Answer = (&'static str, u16, &'static str);

/// A receiver's API, as it is documented.
pub struct Fake {
    pub kind: &'static str,
    /// What stands below `[receivers.it]`, but for its kind; `{url}` is where the fake is. Its secret is called `api`; one that is
    /// its address, `<where the fake is>/address`, is called `address`.
    pub section: &'static str,
    /// Anna's contact there.
    pub contact: &'static str,
    /// What it answers where all is well.
    pub takes: &'static [Answer],
    /// A part of the first line of the request that pages, and of no other.
    pub page: &'static str,
    /// What it answers where it knows nobody by that address, if it says so.
    pub unknown: Option<Answer>,
    /// By what it knows a repetition of the request that pages; where it knows none, its text.
    pub key: fn(&Received) -> String,
    /// Where it keeps what it was told as something open: what has to be in the request, first line and body together,
    /// that says somebody took it, and that it is over.
    pub keeps: Option<(&'static [&'static str], &'static [&'static str])>,
}

/// What stands in a request's JSON at this pointer.
pub fn field(received: &Received, pointer: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(&received.body).unwrap_or_default();
    body.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

/// What came of paging anna.
struct Came {
    stage: Stage,
    peer: Peer,
    /// The keys of the requests that paged.
    keys: Vec<String>,
    /// What the terminal was given.
    fell_through: Vec<String>,
}

impl Fake {
    fn knows_repeats(&self) -> bool {
        self.kind.parse::<ReceiverKind>().is_ok_and(|kind| kind.traits().knows_repeats)
    }

    /// A house in which anna is reached by this, and its API.
    pub async fn stage(&self) -> (Stage, Peer) {
        let peer = Peer::start().await;
        for (part, status, body) in self.takes {
            peer.always_answers(part, *status, *body);
        }
        let section = self.section.replace("{url}", &peer.address);
        let text = configuration(&["edxapp"]).replace(
            "github = [\"anna\"]\ncontacts = [\"terminal\"]",
            &format!("github = [\"anna\"]\ncontacts = [\"{}\", \"terminal\"]", self.contact),
        );
        let text = format!("{text}\n[receivers.it]\nkind = \"{}\"\n{section}\n", self.kind);
        let address = format!("{}/address", peer.address);
        (Stage::with_secrets(&text, &[("address", &address)], |_| {}).await, peer)
    }

    /// Pages anna, once, of an API in which this goes wrong with the request that pages.
    async fn page(&self, mishaps: &[Mishap]) -> Came {
        let (stage, peer) = self.stage().await;
        for mishap in mishaps {
            peer.will(self.page, mishap.clone());
        }
        assert_eq!(stage.alert("edxapp", "Fri 12:00", false).await.status, 200, "{}", self.kind);
        let keys = peer.received().iter().filter(|r| r.line.contains(self.page)).map(self.key).collect();
        let fell_through = stage.heard();
        Came { stage, peer, keys, fell_through }
    }

    /// It was taken by the receiver, by so many requests that it knows to be one.
    fn taken(&self, what: &str, came: &Came, requests: usize) {
        assert_eq!(came.keys.len(), requests, "{}, {what}: {:?}", self.kind, came.keys);
        assert!(came.keys.windows(2).all(|k| k[0] == k[1]), "{}, {what}: one key: {:?}", self.kind, came.keys);
        assert!(came.fell_through.is_empty(), "{}, {what}: {:?}", self.kind, came.fell_through);
    }

    /// It went to the next contact.
    fn passed_on(&self, what: &str, came: &Came) {
        assert_eq!(came.fell_through.len(), 1, "{}, {what}: {:?}", self.kind, came.fell_through);
        assert!(came.keys.windows(2).all(|k| k[0] == k[1]), "{}, {what}: one key: {:?}", self.kind, came.keys);
    }

    /// Everything that an API may do.
    pub async fn check(&self) {
        self.takes_it().await;
        self.is_in_a_hurry().await;
        self.breaks().await;
        self.hangs().await;
        self.knows_nobody().await;
        self.hears_what_became_of_it().await;
    }

    async fn takes_it(&self) {
        let came = self.page(&[]).await;
        self.taken("taken", &came, 1);
        let page = came.stage.incident("edxapp").await;
        assert!(!came.keys[0].is_empty(), "{}: without a key", self.kind);
        assert_eq!(page.pages.len(), 1);
        // Published again by a sweeper that knows no better: it is gone from the outbox, and nobody hears it twice.
        came.stage.bundle.tick().await;
        came.stage.bundle.quiesce().await;
        assert!(came.peer.received().iter().all(|r| !r.line.contains(self.page)), "{}", self.kind);
    }

    async fn is_in_a_hurry(&self) {
        let limited = |seconds| Mishap::Says(429, format!("retry-after: {seconds}\r\n"), String::new());
        self.taken("429 for a second", &self.page(&[limited(1)]).await, 2);
        self.passed_on("429 for long", &self.page(&[limited(90)]).await);
        self.passed_on("429 twice", &self.page(&[limited(0), limited(0)]).await);
    }

    async fn breaks(&self) {
        let broken = Mishap::Says(500, String::new(), "oops".to_owned());
        for (what, mishap) in [("500", broken), ("reset", Mishap::Resets)] {
            if self.knows_repeats() {
                self.taken(what, &self.page(std::slice::from_ref(&mishap)).await, 2);
                self.passed_on(what, &self.page(&[mishap.clone(), mishap]).await);
            } else {
                self.passed_on(what, &self.page(&[mishap]).await);
            }
        }
        let came = self.page(&[Mishap::BreaksOff(202)]).await;
        if self.knows_repeats() {
            self.taken("202, then reset", &came, 2);
        } else {
            assert_eq!(came.keys.len(), 1, "{}: what may have been taken is not sent there again", self.kind);
        }
        self.passed_on("400", &self.page(&[Mishap::Says(400, String::new(), "{}".to_owned())]).await);
    }

    async fn hangs(&self) {
        let (slow, hangs) = ([Mishap::Takes(3)], [Mishap::Takes(30)]);
        let (slow, hangs) = tokio::join!(self.page(&slow), self.page(&hangs));
        self.taken("slow", &slow, 1);
        self.passed_on("hangs", &hangs);
        assert_eq!(hangs.keys.len(), 1, "{}: whoever hangs is not asked again", self.kind);
    }

    async fn knows_nobody(&self) {
        let Some((part, status, body)) = self.unknown else { return };
        let (stage, peer) = self.stage().await;
        peer.will(part, Mishap::Says(status, String::new(), body.to_owned()));
        assert_eq!(stage.alert("edxapp", "Fri 12:00", false).await.status, 200);
        assert_eq!(stage.heard().len(), 1, "{}: an unknown user falls through", self.kind);
    }

    async fn hears_what_became_of_it(&self) {
        let Some((taken, over)) = self.keeps else { return };
        let came = self.page(&[]).await;
        let said = |wanted: &[&str]| {
            let received: Vec<String> =
                came.peer.received().iter().map(|r| format!("{}\n{}", r.line, r.body)).collect();
            let found = received.iter().any(|text| wanted.iter().all(|part| text.contains(part)));
            assert!(found, "{}: {wanted:?} is not in {received:#?}", self.kind);
        };
        came.stage.acknowledge("anna").await;
        said(taken);
        came.stage.alert("edxapp", "Fri 12:00", true).await;
        said(over);
    }
}
