//! Dying at every call between the receipt of an event and the mark that its page was sent, before the call is done and after
//! it; then a new process with the same table, the senders' repetitions and the clock. Nothing is lost; a page comes again
//! only if the process died before it took it out of the outbox, and then under the same key.
//!
//! Every other run begins anew as one machine does (`resume`); the others as on AWS, where nobody knows that somebody died:
//! the clock alone brings it up. Some die twice. `tests/tests/machine/kills.rs` really kills the program.

use std::collections::BTreeSet;
use std::sync::Mutex;

use domain::Kind;
use house_tests::dice::Dice;
use house_tests::time;
use jiff::{SignedDuration, Timestamp};

use crate::judge::{Decided, differ, end, judge};
use crate::life::{Life, Strike, World};
use crate::outcome::{Outcome, Plan};
use crate::world::{Event, pages, services};

/// What happens, and when: minutes after 12:00.
type Story = Vec<(i64, Event)>;

/// How long each story is played, in minutes: the rotation is paged, the owner, and each of them again.
const LASTS: i64 = 32;
/// A page is out this long after it would have been without a death.
const IN_TIME: SignedDuration = SignedDuration::from_secs(4 * 60);
/// Runs at once: one for each core of the machine that this is made for.
const AT_ONCE: usize = 2;

fn minute(minutes: i64) -> Timestamp {
    time("Fri 12:00") + SignedDuration::from_mins(minutes)
}

/// A merge that breaks something; something that nobody's change broke; one that is over again; one that grows.
fn stories() -> [(&'static str, Story); 4] {
    let name = &services(1)[0];
    let merge = |number, who| Event::merge(name, number, who, minute(0));
    let deploy = |number, state| Event::deploy(name, number, number, state, minute(1), minute(2));
    let alert = |what: &str, since, over: Option<i64>| Event::alert(name, what, minute(since), over.map(minute));
    [
        ("broken", vec![(0, merge(1, "feanil")), (2, deploy(1, "success")), (5, alert("Slow", 5, None))]),
        ("nobody's", vec![(5, alert("Slow", 5, None))]),
        (
            "over",
            vec![
                (0, merge(1, "feanil")),
                (1, merge(2, "usama")),
                (2, deploy(2, "success")),
                (5, alert("Slow", 5, None)),
                (7, alert("Slow", 5, Some(7))),
            ],
        ),
        (
            "grows",
            vec![
                (0, merge(1, "feanil")),
                (2, deploy(1, "in_progress")),
                (3, deploy(1, "success")),
                (5, alert("Slow", 5, None)),
                (6, alert("Down", 6, None)),
                (9, alert("Slow", 5, Some(9))),
                (11, alert("Slow", 11, None)),
            ],
        ),
    ]
}

/// One run: of which story, where it dies, and how it begins anew.
#[derive(Debug, Clone)]
struct Run {
    story: usize,
    strikes: Vec<Strike>,
    resumes: bool,
}

/// What came of a run that has to be the same in every run.
#[derive(Debug, Clone, PartialEq)]
struct Ended {
    decided: Decided,
    windows: Vec<String>,
    /// When each page came first.
    came: Vec<(String, Timestamp)>,
    calls: Vec<String>,
}

pub fn run(plan: &Plan) -> Outcome {
    let stories = stories();
    let mut outcome = Outcome::default();
    let clean: Vec<Ended> = (0..stories.len())
        .map(|story| {
            let quiet = Run { story, strikes: vec![], resumes: false };
            let (ended, came) = alone(&quiet);
            outcome.add(came, &format!("{}, undisturbed", stories[story].0));
            ended
        })
        .collect();
    let runs = runs(plan, &clean);
    let places: usize = clean.iter().map(|ended| ended.calls.len()).sum();
    println!("{places} places in {} stories, {} runs", stories.len(), runs.len());
    let (again, twice) = all(&runs, &clean, &mut outcome);
    let count = outcome.runs;
    outcome.must(plan.short || count >= 1000, || format!("{count} runs"));
    outcome.done = format!(
        "died at {places} calls to table and topic in {} stories, before and after each; {twice} runs died twice; {again} \
         pages came again, all under the same key and not yet taken out of the outbox",
        stories.len()
    );
    outcome
}

/// Every place before and after, begun anew in both ways; some of them with a second death a little later. The short form takes
/// as many, by chance.
fn runs(plan: &Plan, clean: &[Ended]) -> Vec<Run> {
    let mut dice = Dice(plan.seed);
    let mut runs = Vec::new();
    for (story, ended) in clean.iter().enumerate() {
        for (place, done, resumes) in (1..=ended.calls.len())
            .flat_map(|place| [(place, false, false), (place, false, true), (place, true, false), (place, true, true)])
        {
            let mut strikes = vec![Strike { place, done }];
            if dice.roll(3) == 0 {
                strikes.push(Strike { place: place + 1 + dice.below(12), done: dice.roll(2) == 0 });
            }
            runs.push(Run { story, strikes, resumes });
        }
    }
    dice.shuffle(&mut runs);
    runs.truncate(plan.either(40, usize::MAX));
    runs
}

/// Plays them all; how many pages came again, and how many runs died twice.
fn all(runs: &[Run], clean: &[Ended], outcome: &mut Outcome) -> (usize, usize) {
    let queue = Mutex::new(runs.iter().enumerate());
    let results = Mutex::new((outcome, 0, 0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((nth, run)) = { queue.lock().expect("no panic").next() } {
                    let (ended, mut came) = alone(run);
                    compare(run, &clean[run.story], &ended, &mut came);
                    let mut results = results.lock().expect("no panic");
                    results.0.add(came, &format!("{run:?}"));
                    results.1 += ended.decided.again;
                    results.2 += usize::from(run.strikes.len() > 1);
                    if (nth + 1) % 100 == 0 {
                        println!("{} of {}", nth + 1, runs.len());
                    }
                }
            });
        }
    });
    let results = results.into_inner().expect("no panic");
    (results.1, results.2)
}

/// The same pages, not much later, and the same end.
fn compare(run: &Run, clean: &Ended, ended: &Ended, outcome: &mut Outcome) {
    let (want, have) = (&clean.decided.keys, &ended.decided.keys);
    for missing in want.difference(have) {
        outcome.is_lost(format!("{missing} was never decided; {have:?} were"));
    }
    for more in have.difference(want) {
        outcome.is_wrong(format!("{more} was decided, which nobody is without a death"));
    }
    outcome.must(clean.windows == ended.windows, || format!("it ended as {}", differ(&clean.windows, &ended.windows)));
    for (key, at) in &clean.came {
        let late = IN_TIME * i32::try_from(run.strikes.len()).unwrap_or(1);
        let came = ended.came.iter().find(|(other, _)| other == key);
        if let Some((_, then)) = came {
            outcome.must(*then <= *at + late, || format!("{key} came at {then} instead of {at}"));
        }
    }
}

/// One run, on a runtime that ends with it.
fn alone(run: &Run) -> (Ended, Outcome) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let ran = runtime.block_on(async { tokio::spawn(play(run.clone())).await.expect("no panic") });
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    ran
}

/// What goes on in a run.
struct Player {
    world: World,
    life: Option<Life>,
    resumes: bool,
    /// What was in the outbox when somebody died: it may come again.
    may_repeat: BTreeSet<String>,
}

impl Player {
    /// Does it in the life that there is; where that dies, there is another one. Whether it was done.
    async fn does<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &mut self,
        work: impl FnOnce(&Life) -> W,
    ) -> Option<T> {
        let life = self.life.get_or_insert_with(|| self.world.live());
        let work = work(life);
        let done = self.world.does(life, work).await;
        if done.is_none() {
            self.dies().await;
        }
        done
    }

    async fn dies(&mut self) {
        loop {
            self.life.take().into_iter().for_each(Life::ends);
            for service in &services(1) {
                let id = service.parse().expect("a service");
                let outbox = self.world.stage.house.store.outbox(&id).await.expect("the table answers");
                let pages = outbox.into_iter().filter(|o| o.message.kind == Kind::Page);
                self.may_repeat.extend(pages.map(|o| o.message.key.to_string()));
            }
            let clock = &self.world.stage.clock;
            clock.set(clock.now() + SignedDuration::from_secs(1));
            let life = self.life.insert(self.world.live());
            if !self.resumes {
                return;
            }
            let (begins, rests) = (life.resumes(), life.rests());
            let begun = async move {
                begins.await;
                rests.await;
            };
            if self.world.does(life, begun).await.is_some() {
                return;
            }
        }
    }

    /// Its sender sends it until it is answered.
    async fn hears(&mut self, event: &Event) {
        for _ in 0..10 {
            if self.does(|life| life.hears(event)).await == Some(200) {
                self.does(Life::rests).await;
                return;
            }
        }
        panic!("never accepted: {}", event.what);
    }

    async fn ticks(&mut self) {
        self.does(Life::ticks).await;
        self.does(Life::rests).await;
    }
}

async fn play(run: Run) -> (Ended, Outcome) {
    let services = services(1);
    let world = World::new(&services, &run.strikes).await;
    let mut player = Player { world, life: None, resumes: run.resumes, may_repeat: BTreeSet::new() };
    let story = &stories()[run.story].1;
    for at in 0..=LASTS {
        player.world.stage.clock.set(minute(at));
        for (_, event) in story.iter().filter(|(when, _)| *when == at) {
            player.hears(event).await;
        }
        player.ticks().await;
    }
    player.life.take().into_iter().for_each(Life::ends);
    let Player { world, may_repeat, .. } = player;
    let came = pages(&world.pager.received());
    let mut outcome = Outcome { runs: 1, ..Outcome::default() };
    let decided = judge(&world.stage.house.store, &services, &came, &may_repeat, &mut outcome).await;
    let mut first: Vec<(String, Timestamp)> = Vec::new();
    for page in came {
        if !first.iter().any(|(key, _)| *key == page.key) {
            first.push((page.key, page.sent_at));
        }
    }
    let windows = end(&world.stage, &services[0]).await;
    (Ended { decided, windows, came: first, calls: world.calls() }, outcome)
}
