//! Brings an open incident up to date: its suspects, what was taken back, why nobody is paged or who is due, and what
//! pagers and the channel have to hear of it.

use jiff::{SignedDuration, Timestamp};

use super::over::{close_pages, leaves_pages_open};
use super::{Scene, outcomes, squads};
use crate::decision::Decisions;
use crate::escalation::{Call, DuePage};
use crate::hold::hold;
use crate::ids::PersonId;
use crate::incident::Incident;
use crate::message::{Kind, Step, Subject};
use crate::notices::Look;
use crate::reason::Reason;
use crate::responder::on_override;
use crate::service::Service;
use crate::settings::Settings;
use crate::shift::Shift;
use crate::situation::Situation;
use crate::suspect::{Clues, Suspect, suspects};
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

/// The same, by whoever looks at all windows of the service anyway.
pub fn escalate_among(decisions: &mut Decisions, incident: &mut Incident, look: &Look<'_>) -> bool {
    let Look { situation, service, settings, all, now, .. } = *look;
    among(decisions, incident, Scene { situation, service, settings, elsewhere: &[], now }, all)
}

/// The same, knowing what is broken elsewhere.
pub(super) fn with(decisions: &mut Decisions, incident: &mut Incident, scene: Scene<'_>) -> bool {
    let all = windows(scene.situation, scene.service, &scene.settings.roster, scene.now);
    among(decisions, incident, scene, &all)
}

fn among(decisions: &mut Decisions, incident: &mut Incident, scene: Scene<'_>, all: &[Window<'_>]) -> bool {
    let Scene { situation, service, settings, elsewhere, now } = scene;
    let before = incident.clone();
    let desk = Desk { elsewhere, situation, service, settings, all, now };
    if service.is_live(&incident.environment) {
        let clues = Clues::of(incident, service);
        incident.suspects = suspects(all, situation, service, &clues, incident.latest_at);
    } else {
        incident.suspects = Vec::new();
    }
    outcomes::mitigate(decisions, incident, all, now);
    desk.hold(decisions, incident);
    desk.begin_round(decisions, incident);
    desk.page(decisions, incident);
    close_pages(decisions, incident, service, settings, now);
    squads::tell(decisions, incident, situation, service, settings, now);
    desk.tell_channel(decisions, incident, &before);
    *incident != before
}

/// What is learnt of an incident after it was over: that one of its suspects was reverted because of it. What pagers
/// have still open of it is closed.
pub fn look_back(decisions: &mut Decisions, incident: &mut Incident, look: &Look<'_>) -> bool {
    let Look { service, settings, all, now, .. } = *look;
    let before = incident.clone();
    outcomes::mitigate(decisions, incident, all, now);
    close_pages(decisions, incident, service, settings, now);
    *incident != before
}

/// When an open incident has to be looked at again, as far as is known now.
#[must_use]
pub fn next_look(
    incident: &Incident,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> Option<Timestamp> {
    if leaves_pages_open(incident, settings) {
        return Some(now);
    }
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
        let mode = self.situation.mode(self.service);
        let held = hold(incident, (self.service, mode), &self.situation.paging.value.maintenance, self.now);
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
        if self.situation.mode(self.service).pages() && incident.was_paged_in_words_only() {
            // The mode went up meanwhile: whoever would have been paged is.
            self.anew(decisions, incident, now, Reason::HeldNoLonger);
            return;
        }
        let began = incident.round_began();
        if let Some(at) = self.asked_anew_at(incident).filter(|at| *at <= now) {
            self.anew(decisions, incident, at.max(began), Reason::NobodysOwn);
            return;
        }
        let taken = incident.acknowledged.iter().filter(|a| incident.round_at.is_none_or(|began| a.at >= began));
        let Some(last) = taken.map(|a| a.at).max() else { return };
        if let Some(worse) = incident.worsened_at.filter(|worse| last < *worse) {
            // Heard in the instant in which it was taken, or by a slower clock: what was taken before is not of this round.
            self.anew(decisions, incident, now.max(worse), Reason::Worsened);
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

    /// When those who are asked last are asked once more, where each of them has said that it is not theirs.
    fn asked_anew_at(&self, incident: &Incident) -> Option<Timestamp> {
        let rotation = self.situation.paging.value.rotation(self.service, self.now);
        Call { incident, pager: None, service: self.service, rotation: &rotation }.asked_anew_at(self.now)
    }

    fn page(&self, decisions: &mut Decisions, incident: &mut Incident) {
        let shifts: Vec<&Shift> = self.situation.shifts.values().map(|s| &s.value).collect();
        let pager = on_override(&shifts, self.now);
        let rotation = self.situation.paging.value.rotation(self.service, self.now);
        let call = Call { incident, pager: pager.as_ref(), service: self.service, rotation: &rotation };
        // Each may have a notice beside it, and there has to be room for the channel's.
        let most = MOST_PAGES.min(decisions.room().saturating_sub(1) / 2);
        for page in call.due(self.now).into_iter().take(most) {
            let call = Call { incident, pager: pager.as_ref(), service: self.service, rotation: &rotation };
            let changes: Vec<_> = self.all.iter().map(|w| w.change).collect();
            let same = self.by_the_same_change(incident, &page);
            let speaker = same.iter().find(|other| speaks_for(other, incident)).map(|other| &other.incident);
            let mut message = incidents::page(
                self.reader(&page.person),
                &call,
                (page.step, &page.reason),
                &changes,
                &self.situation.undos,
            );
            incidents::name_too(&mut message, same.iter().map(|other| &other.incident));
            debug_assert_eq!(message.kind, Kind::Page);
            message.key.nth = incident.next_nth(&page.person);
            if let Some(speaker) = speaker {
                if same.iter().any(|other| other.incident.id == speaker.id && !other.now) {
                    decisions.tell(incidents::also_broken(self.reader(&page.person), incident, speaker));
                }
                message.unless = speaker.last_page(&page.person);
            }
            message.not_by = self.paged_there(incident, &page);
            message.again = incident.page_of_now(&page.person).map_or(0, |known| known.again + 1);
            message.pager_key = Some(incident.pager_key(&page.person, incident.round));
            decisions.tell(message);
            let joined = speaker.map(|other| other.id.clone());
            let mode = self.situation.mode(self.service);
            incident.keep_page(&page.person, page.step, &page.reason, joined, (mode, self.now));
        }
    }

    /// What is broken elsewhere by the change for which this person is to be paged, and waits for them as this does.
    /// Whom this has paged before, or who has answered to the other, is paged for each.
    fn by_the_same_change(&self, incident: &Incident, page: &DuePage) -> Vec<&Elsewhere> {
        if page.again || incident.was_paged(&page.person) {
            return Vec::new();
        }
        let Some(own) = incident.suspect_of(&page.person) else { return Vec::new() };
        let same = |other: &&Elsewhere| {
            let other = &other.incident;
            let of_change = |s: &Suspect| s.change == own.change && s.responder == page.person && s.stand == own.stand;
            let paged = other.page_of_now(&page.person).filter(|p| p.joined.is_none());
            other.suspects.iter().any(of_change)
                && paged.is_some_and(|p| self.now < p.last_at() + SPEAKS_FOR)
                && self.waits(other)
                && other.not_mine.iter().all(|said| said.person != page.person)
        };
        self.elsewhere.iter().filter(same).collect()
    }

    /// Whether an incident of another service waits for somebody.
    fn waits(&self, other: &Incident) -> bool {
        let service = self.settings.service(&other.service);
        let taken = service.is_some_and(|service| other.taken(&service.policy, self.now).is_some());
        other.is_open() && other.held.is_none() && !taken
    }

    /// The pager that pages this person by itself, where we stand beside it: as its first level, or on call in the
    /// rotation that is its second. Only while its own escalation surely runs: what was taken there, or given back here, it
    /// does not escalate any more, and what nobody answered is asked again by all means.
    fn paged_there(&self, incident: &Incident, page: &DuePage) -> Option<String> {
        let runs = matches!(incident.round_why, None | Some(Reason::FiresAgain)) && incident.not_mine.is_empty();
        let beside = self.service.beside.as_ref().filter(|_| runs && !page.again)?;
        let paging = &self.situation.paging.value;
        let layer = paging.layer.as_ref().filter(|layer| layer.id.is_some());
        let first = layer.is_some_and(|layer| layer.person == page.person && layer.until > self.now);
        let schedule = self.service.schedule.as_ref().filter(|schedule| schedule.receiver == beside.receiver);
        let said = paging.said(self.now).filter(|said| schedule.is_some() && said.unread.is_none());
        let in_time = matches!(page.reason, Reason::NobodyAcknowledged { .. });
        let second = in_time
            && page.step == Step::Rotation
            && said.is_some_and(|said| said.people.first() == Some(&page.person));
        (first || second).then(|| beside.receiver.clone())
    }

    fn reader<'b>(&'b self, person: &'b PersonId) -> Reader<'b> {
        Reader { settings: self.settings, service: self.service, person, now: self.now }
    }

    /// The service's channel follows along: that it broke, who is paged or why nobody is.
    fn tell_channel(&self, decisions: &mut Decisions, incident: &mut Incident, before: &Incident) {
        let Some(channel) = &self.service.channel else { return };
        if incident.has_paged_since(before) || incident.held.is_some() && incident.held != before.held {
            let changes: Vec<_> = self.all.iter().map(|w| w.change).collect();
            decisions.tell(incidents::to_channel(self.reader(channel), incident, before, &changes));
            incident.channel_said += 1;
        }
    }
}

/// Whether the page for another incident, sent before or together with this one's, speaks for this one. Of those that
/// are sent together the first service's does.
fn speaks_for(other: &Elsewhere, incident: &Incident) -> bool {
    !other.now || other.incident.service < incident.service
}

#[cfg(test)]
#[path = "escalate_tests.rs"]
mod tests;
