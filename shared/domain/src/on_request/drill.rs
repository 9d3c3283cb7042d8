//! A drill: one clearly marked page that goes the whole way that a real one goes, so that somebody sees it arrive.

use super::hands::{Desk, Refused};
use crate::decision::Decisions;
use crate::ids::PersonId;
use crate::reason::Reason;
use crate::wording::hands;

impl Desk<'_> {
    /// Pages `person` for nothing, by the word of `by`.
    pub fn drill(&self, person: &PersonId, by: &PersonId) -> Result<Decisions, Refused> {
        self.known(person)?;
        let mut decisions = self.decisions();
        decisions.tell(hands::drill(self.reader(person), by, Reason::Drill { by: by.clone() }));
        Ok(decisions)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use jiff::SignedDuration;

    use super::*;
    use crate::message::{Kind, Outgoing};
    use crate::on_page::{self, Delivery};
    use crate::service::Policy;
    use crate::testing::{World, at};

    #[test]
    fn a_drill_is_a_page_that_says_so_and_is_not_sent_when_it_is_late() {
        let mut world = World::new();
        world.now = at("15:00");
        let desk = |world: &World| -> Decisions {
            let World { situation, service, settings, now, .. } = world;
            let desk = Desk { situation, service, settings, now: *now };
            desk.drill(&"anna".parse().unwrap(), &"olga".parse().unwrap()).unwrap()
        };
        let decisions = desk(&world);
        world.commit(&decisions);
        let message = world.told[0].clone();
        assert_eq!(message.kind, Kind::Page);
        expect![[r#"
            DRILL: a test page for edxapp
            Nothing is broken, and nothing is asked of you but this: that you see it. Olga wants to know that pages reach you.
            A pager keeps it open until you close it there.
            Board: https://deployers.example.com/#edxapp"#]]
        .assert_eq(&message.plain());
        let outgoing = Outgoing { message, published_at: None, claimed_at: None, tries: 0, trying: None };
        let after = |minutes| {
            let now = world.now + SignedDuration::from_mins(minutes);
            on_page::decide(Some(&outgoing), None, &Policy::default(), now)
        };
        assert_eq!((after(1), after(16)), (Delivery::Send, Delivery::Withdraw(Reason::NoLongerTrue)));
        // Another one is another page.
        world.now = at("15:01");
        world.commit(&desk(&world));
        world.nobody_told_twice();
    }
}
