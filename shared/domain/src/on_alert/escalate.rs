//! Brings an open incident up to date: its suspects, what was taken back, why nobody is paged or who is due, and what
//! pagers and the channel have to hear of it.

use jiff::{SignedDuration, Timestamp};

use super::{Scene, outcomes, squads};
use crate::decision::Decisions;
use crate::escalation::{Call, DuePage};
use crate::hold::hold;
use crate::ids::{IncidentId, PersonId};
use crate::incident::{Incident, PageRecord};
use crate::message::{Kind, Step, Subject};
use crate::reason::Reason;
use crate::responder::on_override;
use crate::service::Service;
use crate::settings::Settings;
use crate::shift::Shift;
use crate::situation::Situation;
use crate::suspect::{Suspect, suspects};
use crate::window::{Window, windows};
use crate::wording::{self, Reader, incidents};

/// How many people are paged in one transaction; the next follows at once.
const MOST_PAGES: usize = 8;

/// How long a page to somebody speaks for what else breaks by the same change.
const SPEAKS_FOR: SignedDuration = SignedDuration::from_mins(10);

/// An open incident of another service, which may be of the same change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    pub incident: Incident,
    /// It is decided at the same moment, from the same message.
    pub now: bool,
}

/// One service as it stands at one moment.
struct Desk<'a> {
    elsewhere: &'a [Elsewhere],
    situation: &'a Situation,
    service: &'a Service,
    settings: &'a Settings,
    all: &'a [Window<'a>],
    now: Timestamp,
}

/// Brings an open incident up to date. Returns whether it changed.
pub fn escalate(
    decisions: &mut Decisions,
    incident: &mut Incident,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> bool {
    with(decisions, incident, Scene { situation, service, settings, elsewhere: &[], now })
}

/// The same, knowing what is broken elsewhere.
pub(super) fn with(decisions: &mut Decisions, incident: &mut Incident, scene: Scene<'_>) -> bool {
    let Scene { situation, service, settings, elsewhere, now } = scene;
    let before = incident.clone();
    let all = windows(situation, service, &settings.roster, now);
    let desk = Desk { elsewhere, situation, service, settings, all: &all, now };
    if service.is_live(&incident.environment) {
        incident.suspects = suspects(&all, &service.policy, incident.latest_at);
    } else {
        incident.suspects = Vec::new();
    }
    outcomes::mitigate(decisions, incident, &all, now);
    desk.hold(decisions, incident);
    desk.begin_round(decisions, incident);
    desk.page(decisions, incident);
    squads::tell(decisions, incident, situation, service, settings, now);
    desk.tell_channel(decisions, incident, &before);
    *incident != before
}

/// What is learnt of an incident after it was over: that one of its suspects was reverted because of it.
pub fn look_back(
    decisions: &mut Decisions,
    incident: &mut Incident,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> bool {
    let before = incident.clone();
    let all = windows(situation, service, &settings.roster, now);
    outcomes::mitigate(decisions, incident, &all, now);
    *incident != before
}

/// When an open incident has to be looked at again, as far as is known now.
#[must_use]
pub fn next_look(incident: &Incident, situation: &Situation, service: &Service, now: Timestamp) -> Option<Timestamp> {
    let shifts: Vec<&Shift> = situation.shifts.values().map(|s| &s.value).collect();
    let pager = on_override(&shifts, now);
    let rotation = situation.paging.value.rotation(service, now);
    let call = Call { incident, pager: pager.as_ref(), service, rotation: &rotation };
    // Maintenance that is yet to begin holds what is not taken by then.
    let ahead = situation.paging.value.maintenance.iter().map(|m| m.from).filter(|from| *from > now);
    if call.due(now).is_empty() { call.next_at(now).into_iter().chain(ahead).min() } else { Some(now) }
}

impl Desk<'_> {
    /// Whether there is a reason to page nobody just now. It is said when it begins; when it is over, a round begins.
    fn hold(&self, decisions: &mut Decisions, incident: &mut Incident) {
        let held = hold(incident, self.service, &self.situation.paging.value.maintenance, self.now);
        match (&incident.held, &held) {
            (before, Some(hold)) if before.as_ref().is_none_or(|known| known.reason != hold.reason) => {
                let what = format!("nobody is paged for {}", wording::headline(incident));
                let subject = Some(Subject::Incident(incident.id.clone()));
                decisions.log(self.now, subject, None, what, hold.reason.clone());
            }
            // Held from its first moment it has no round that could be repeated.
            (Some(_), None) if incident.taken(&self.service.policy, self.now).is_none() => {
                self.anew(decisions, incident, self.now, Reason::HeldNoLonger);
            }
            (_, _) => {}
        }
        incident.held = held;
    }

    /// A new round begins where whoever took it took something else, or so long ago that they may be asleep.
    fn begin_round(&self, decisions: &mut Decisions, incident: &mut Incident) {
        if incident.held.is_some() {
            return;
        }
        let (policy, now) = (&self.service.policy, self.now);
        let began = incident.round_began();
        let taken = incident.acknowledged.iter().filter(|a| incident.round_at.is_none_or(|began| a.at >= began));
        let Some(last) = taken.map(|a| a.at).max() else { return };
        if incident.worsened_at.is_some_and(|worse| last < worse) {
            self.anew(decisions, incident, now, Reason::Worsened);
        } else if last + policy.acknowledged_for <= now {
            let minutes = policy.acknowledged_for.as_mins();
            let at = (last + policy.acknowledged_for).max(began);
            self.anew(decisions, incident, at, Reason::AcknowledgementStale { minutes });
        }
    }

    fn anew(&self, decisions: &mut Decisions, incident: &mut Incident, at: Timestamp, why: Reason) {
        let what = format!("escalation of {} begins anew", wording::headline(incident));
        decisions.log(self.now, Some(Subject::Incident(incident.id.clone())), None, what, why.clone());
        incident.begin_round(at, why);
    }

    fn page(&self, decisions: &mut Decisions, incident: &mut Incident) {
        let shifts: Vec<&Shift> = self.situation.shifts.values().map(|s| &s.value).collect();
        let pager = on_override(&shifts, self.now);
        let rotation = self.situation.paging.value.rotation(self.service, self.now);
        let call = Call { incident, pager: pager.as_ref(), service: self.service, rotation: &rotation };
        for page in call.due(self.now).into_iter().take(MOST_PAGES) {
            let call = Call { incident, pager: pager.as_ref(), service: self.service, rotation: &rotation };
            let changes: Vec<_> = self.all.iter().map(|w| w.change).collect();
            let same = self.by_the_same_change(incident, &page);
            let speaker = same.iter().find(|other| speaks_for(other, incident)).map(|other| &other.incident);
            let mut message = incidents::page(self.reader(&page.person), &call, page.step, &page.reason, &changes);
            incidents::name_too(&mut message, same.iter().map(|other| &other.incident));
            debug_assert_eq!(message.kind, Kind::Page);
            let sent = incident.pages.iter().filter(|p| p.person == page.person && p.step == page.step);
            message.key.nth = sent.map(|p| 1 + p.again).sum();
            if let Some(speaker) = speaker {
                if same.iter().any(|other| other.incident.id == speaker.id && !other.now) {
                    decisions.tell(incidents::also_broken(self.reader(&page.person), incident, speaker));
                }
                message.unless = speaker.last_page(&page.person);
            }
            message.not_by = self.paged_there(&page);
            message.again = self.repeats(incident, &page);
            message.pager_key = Some(incident.pager_key(&page.person, incident.round));
            decisions.tell(message);
            record(incident, page, speaker.map(|other| other.id.clone()), self.now);
        }
    }

    /// What is broken elsewhere by the change for which this person is to be paged.
    fn by_the_same_change(&self, incident: &Incident, page: &DuePage) -> Vec<&Elsewhere> {
        let own = incident.suspects.iter().find(|s| s.responder == page.person);
        let Some(own) = own.filter(|_| !page.again) else { return Vec::new() };
        let same = |other: &&Elsewhere| {
            let of_change = |s: &Suspect| s.change == own.change && s.responder == page.person;
            other.incident.is_open() && other.incident.suspects.iter().any(of_change) && {
                let paged = other.incident.pages.iter().filter(|p| p.person == page.person && p.joined.is_none());
                paged.into_iter().any(|p| self.now < p.last_at() + SPEAKS_FOR)
            }
        };
        self.elsewhere.iter().filter(same).collect()
    }

    /// The pager that pages this person itself, where we stand beside it: its first level, and its rotation.
    fn paged_there(&self, page: &DuePage) -> Option<String> {
        let beside = self.service.beside.as_ref()?;
        let layer = self.situation.paging.value.layer.as_ref().filter(|layer| layer.id.is_some());
        let there = layer.is_some_and(|layer| layer.person == page.person && layer.until > self.now);
        (there || page.step == Step::Rotation).then(|| beside.receiver.clone())
    }

    /// How often a page of this round was repeated, with this time.
    fn repeats(&self, incident: &Incident, page: &DuePage) -> u32 {
        let known = incident.pages.iter().find(|p| p.person == page.person && p.round == incident.round);
        known.filter(|_| page.again).map_or(0, |known| known.again + 1)
    }

    fn reader<'b>(&'b self, person: &'b PersonId) -> Reader<'b> {
        Reader { settings: self.settings, service: self.service, person, now: self.now }
    }

    /// The service's channel follows along: that it broke, who is paged or why nobody is.
    fn tell_channel(&self, decisions: &mut Decisions, incident: &mut Incident, before: &Incident) {
        let Some(channel) = &self.service.channel else { return };
        if incident.pages != before.pages || incident.held.is_some() && incident.held != before.held {
            decisions.tell(incidents::to_channel(self.reader(channel), incident, before));
            incident.channel_said += 1;
        }
    }
}

/// Whether the page for another incident, sent before or together with this one's, speaks for this one. Of those that
/// are sent together the first service's does.
fn speaks_for(other: &Elsewhere, incident: &Incident) -> bool {
    !other.now || other.incident.service < incident.service
}

/// Keeps what was paged: a new page, or the same again.
fn record(incident: &mut Incident, page: DuePage, joined: Option<IncidentId>, now: Timestamp) {
    let round = incident.round;
    let known = incident.pages.iter_mut().find(|p| page.again && p.person == page.person && p.round == round);
    match known {
        Some(known) => {
            known.again += 1;
            known.again_at = Some(now);
        }
        None => {
            let DuePage { person, step, reason, .. } = page;
            incident.pages.push(PageRecord {
                person,
                step,
                at: now,
                reason,
                round,
                joined,
                again: 0,
                again_at: None,
                over: false,
            });
        }
    }
}
