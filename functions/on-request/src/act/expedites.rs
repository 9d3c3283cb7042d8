//! The lane of urgent fixes, by link: asking to let one pass a freeze, signing for it, refusing it, taking it back.

use aws::links::Grant;
use aws::{House, Refusal};
use domain::expedite::{self, Expedite, Standing, Way};
use domain::on_request::expedites::{Fix, Refused};
use domain::on_request::freezes::Desk;
use domain::{Decisions, PersonId, Repository, times};

use super::{Field, Filled, Form, Outcome, Question, nothing, sentence};

pub(crate) const ASK: &str = "expedite";
const SIGN: &str = "sign";
const REFUSE: &str = "refuse";
const WITHDRAW: &str = "withdraw";

/// The form that asks for a fix that no link is about yet.
pub(super) fn form() -> Form {
    let field = |name, label| Field { name, label, ..Field::default() };
    Form {
        button: "Let a fix pass",
        does: ASK,
        fields: vec![
            field("pull", "Pull request, such as openedx/edx-platform#12"),
            field("why", "Why it cannot wait"),
        ],
    }
}

/// Whether a form is about it.
pub(super) fn is_meant(filled: &Filled) -> bool {
    filled.get("do").is_some_and(|does| does == ASK)
}

pub(super) async fn ask(
    house: &House,
    grant: &Grant,
    repository: &Repository,
    number: u64,
) -> Result<Result<Question, Outcome>, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let situation = house.store.situation(&settings.freeze_desk().id).await?;
    let desk = Desk { situation: &situation, settings, now };
    let label = format!("{}#{number}", repository.short());
    let known = situation.expedites.get(&format!("{repository}@{number}")).map(|noted| &noted.value);
    let Some(one) = known else {
        let lines = vec!["Nobody has asked yet. Whoever asks has the pager for it by that.".to_owned()];
        let fields = vec![Field { name: "why", label: "Why it cannot wait", ..Field::default() }];
        let forms = vec![Form { button: "Let it pass", does: ASK, fields }];
        return Ok(Ok(Question { title: format!("Let {label} pass the freeze?"), lines, forms }));
    };
    let standing = one.standing(desk.needs(repository).unwrap_or_default(), now);
    let mut question = Question { title: format!("Let {label} pass the freeze?"), ..Question::default() };
    question.lines = lines(house, one, standing, &grant.person);
    let open = !matches!(standing, Standing::Refused | Standing::Withdrawn | Standing::Lapsed);
    let why = |label, value: &str| vec![Field { name: "why", label, value: value.to_owned(), ..Field::default() }];
    let signs = expedite::approvers(settings, repository).contains(&grant.person)
        || expedite::rotation(settings, repository).contains(&grant.person);
    if open && one.by == grant.person {
        question.forms.push(Form { button: "Say why", does: ASK, fields: why("Why it cannot wait", &one.reason) });
        question.forms.push(Form { button: "Take it back", does: WITHDRAW, fields: Vec::new() });
    } else if open && signs {
        question.forms.push(Form { button: "Sign: it may pass", does: SIGN, fields: Vec::new() });
        question.forms.push(Form { button: "It may not", does: REFUSE, fields: why("Why not", "") });
    } else if !open {
        question.forms.push(Form { button: "Ask again", does: ASK, fields: why("Why it cannot wait", &one.reason) });
    }
    Ok(Ok(question))
}

/// What is known of it.
fn lines(house: &House, one: &Expedite, standing: Standing, person: &PersonId) -> Vec<String> {
    let (roster, now) = (&house.settings().roster, house.now());
    let zone = roster.zone_of(person);
    let time = |at| times::time(at, &zone, now);
    let reason = if one.reason.is_empty() { "not said yet" } else { &one.reason };
    let mut lines = vec![format!("{} asks, at {}. Why: {reason}.", roster.name_of(&one.by), time(one.at))];
    if !one.title.is_empty() {
        lines.insert(0, format!("\u{201c}{}\u{201d}", one.title));
    }
    for signed in &one.signed {
        let role = if signed.rotation && !signed.approver { "for the rotation" } else { "as approver" };
        lines.push(format!("{} signed {role} at {}.", roster.name_of(&signed.person), time(signed.at)));
    }
    lines.push(match standing {
        Standing::NeedsReason => "It waits for a reason.".to_owned(),
        Standing::AwaitsApprover => "It waits for an approver.".to_owned(),
        Standing::AwaitsRotation => "It waits for somebody of the rotation.".to_owned(),
        Standing::Granted => format!("It may pass until {}.", time(one.lapses_at())),
        Standing::Refused => match &one.over {
            Some((_, by, expedite::Over::Refused { why })) => format!("{} refused it: {why}.", roster.name_of(by)),
            Some(_) | None => "It was refused.".to_owned(),
        },
        Standing::Withdrawn => "It was taken back.".to_owned(),
        Standing::Lapsed => "Too much time has passed: it has to be asked for again.".to_owned(),
    });
    lines
}

/// Of the fix that the link is about; where it is about none, of the one that the form names.
pub(super) async fn act(
    house: &House,
    grant: &Grant,
    about: Option<(&Repository, u64)>,
    filled: &Filled,
) -> Result<Outcome, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let wish = match Wish::read(about, filled) {
        Ok(wish) => wish,
        Err(why) => return Ok(Outcome::not_understood(why)),
    };
    let decide = |situation: &_| wish.decide(Desk { situation, settings, now }, &grant.person);
    Ok(match super::decide(house, settings.freeze_desk(), decide).await? {
        Ok(()) => wish.done(house).await?,
        Err(why @ Refused::AlreadySo) => Outcome::done("Nothing to do", sentence(&why)),
        Err(why) => nothing(&why),
    })
}

pub(super) struct Wish {
    repository: Repository,
    number: u64,
    does: Does,
}

enum Does {
    Ask(String),
    Sign,
    Refuse(String),
    Withdraw,
}

impl Wish {
    pub(super) fn read(about: Option<(&Repository, u64)>, filled: &Filled) -> Result<Self, &'static str> {
        let text = |name: &str| filled.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        const PULL: &str = "`pull` is a pull request such as openedx/edx-platform#12";
        let (repository, number) = match about {
            Some((repository, number)) => (repository.clone(), number),
            None => pull(text("pull").ok_or(PULL)?).ok_or(PULL)?,
        };
        let why = || text("why").unwrap_or("").to_owned();
        let does = match text("do") {
            Some(ASK) => Does::Ask(why()),
            Some(SIGN) => Does::Sign,
            Some(REFUSE) => Does::Refuse(why()),
            Some(WITHDRAW) => Does::Withdraw,
            _ => return Err(super::NOT_ALLOWED),
        };
        Ok(Self { repository, number, does })
    }

    pub(super) fn decide(&self, desk: Desk<'_>, by: &PersonId) -> Result<Decisions, Refused> {
        match &self.does {
            Does::Ask(why) => {
                let (title, url, head, at) = (String::new(), None, None, desk.now);
                let fix = Fix { repository: self.repository.clone(), number: self.number, title, url, head, at };
                desk.expedite(by, &fix, why, Way::Board)
            }
            Does::Sign => desk.sign(by, &self.repository, self.number),
            Does::Refuse(why) => desk.refuse(by, &self.repository, self.number, why),
            Does::Withdraw => desk.withdraw(by, &self.repository, self.number),
        }
    }

    /// What came of it, as it stands now.
    async fn done(&self, house: &House) -> Result<Outcome, Refusal> {
        let (settings, now) = (house.settings(), house.now());
        let situation = house.store.situation(&settings.freeze_desk().id).await?;
        let desk = Desk { situation: &situation, settings, now };
        let needs = desk.needs(&self.repository).unwrap_or_default();
        let one = situation.expedites.get(&format!("{}@{}", self.repository, self.number)).map(|noted| &noted.value);
        let label = format!("{}#{}", self.repository.short(), self.number);
        Ok(match one.map(|one| one.standing(needs, now)) {
            Some(Standing::Granted) => {
                Outcome::done(format!("{label} may pass"), "Whoever asked has the pager for it.")
            }
            Some(Standing::NeedsReason) => Outcome::done("Noted", "Say why: nobody signs without a reason."),
            Some(Standing::AwaitsApprover) => Outcome::done("Noted", "An approver has to sign; they are told."),
            Some(Standing::AwaitsRotation) => {
                Outcome::done("Noted", "Somebody of the rotation has to sign too; they are told.")
            }
            Some(Standing::Refused) => Outcome::done("Noted", format!("{label} may not pass.")),
            Some(Standing::Withdrawn | Standing::Lapsed) | None => Outcome::done("Noted", "It was taken back."),
        })
    }
}

/// `openedx/edx-platform#12`
pub(crate) fn pull(text: &str) -> Option<(Repository, u64)> {
    let (repository, number) = text.rsplit_once(['#', '@'])?;
    Some((repository.parse().ok()?, number.parse().ok()?))
}
